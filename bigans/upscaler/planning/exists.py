"""The ways to treat results that are there; `bigans.upscaler.planning.existing` follows them."""

from typing import Literal, get_args

Exists = Literal["overwrite", "skip", "rename", "error"]
EXISTS: tuple[Exists, ...] = get_args(Exists)
