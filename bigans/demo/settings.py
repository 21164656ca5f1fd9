"""What the page is started with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from bigans.upscaler.upscaler import Upscaler
from sr_images.niqe import Niqe

# What each pair of shipped weights is for.
TITLES = {
    "photo": "photo: of a camera or from the web",
    "clean": "clean: sharp, without noise and artefacts",
}


@dataclasses.dataclass(frozen=True)
class Weights:
    """A model that a person can choose.

    Attributes:
        name: One word, which programs give too: "clean".
        load: Makes an upscaler with a fused model; called when it is needed first.
        settings: Of the model, for the metadata of results.
        title: What it is for, as the page shows it; if empty, the name alone.
    """

    name: str
    load: Callable[[], Upscaler]
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    title: str = ""

    @cached_property
    def upscaler(self) -> Upscaler:
        """The upscaler, loaded once; the caller sees to it that one thread at a time asks first.

        Raises:
            DataError: It cannot be loaded.
            UsageError: Its runtime is not installed.
        """
        return self.load()

    @property
    def is_loaded(self) -> bool:
        """Whether `upscaler` takes no time."""
        return "upscaler" in vars(self)


@dataclasses.dataclass(frozen=True)
class PageSettings:
    """What the page is made of.

    Attributes:
        weights: At least one. With more than one the page lets a person choose; the first is
            chosen at the start.
        niqe: With its parameters; None: NIQE is not shown.
        folder: For uploads and downloads; emptied of a session's files when it ends.
        max_pixels: Of a photo.
        max_file_bytes: Of a photo's file.
        max_bytes: What all photos may take of memory.
    """

    weights: tuple[Weights, ...]
    niqe: Niqe | None
    folder: Path
    max_pixels: int = 1_000_000
    max_file_bytes: int = 64_000_000
    max_bytes: int = 2_000_000_000
