"""A photo to enlarge, and what became of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

from sr_images.encoding import Encoding


class Task(NamedTuple):
    """A photo, the file that its enlargement is written to, and how it is written."""

    photo: Path
    result: Path
    encoding: Encoding = Encoding()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a photo.

    Attributes:
        task: The photo and its result.
        problem: What is wrong, in a line that names the photo; None: the result is on disk.
        size: Height and width of the photo, pixels; None if it could not be read.
        result_size: Of the result; None if there is none.
        tiles: In how many pieces it was enlarged; 1: as a whole; None if it was not.
        seconds: Since it was read, writing included.
    """

    task: Task
    problem: str | None = None
    size: tuple[int, int] | None = None
    result_size: tuple[int, int] | None = None
    tiles: int | None = None
    seconds: float | None = None
