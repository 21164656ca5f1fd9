"""A setting: a field of a dataclass with the help text of the flag that is made from it."""

from __future__ import annotations

import dataclasses
from typing import Any


def setting(default: Any, help_text: str, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field with the help text, and the choices, of the flag made from it."""
    return dataclasses.field(default=default, metadata={"help": help_text, "choices": choices})
