"""A photo of a batch on its way to a worker, and what comes back of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Status = Literal["done", "skipped", "failed"]


class Known(NamedTuple):
    """What an earlier run has noted of a result.

    Attributes:
        key: Hash of photo, model and settings.
        bytes: Size of the result's file.
        measured: Names of the numbers that were measured.
    """

    key: str
    bytes: int
    measured: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photo to work on.

    Attributes:
        number: In the batch.
        input: Path or address of its file.
        output: Name of its result inside of the output folder, with forward slashes.
        xi: Its own, in place of that of all; None: it has none.
        known: Of its result, if there is one.
    """

    number: int
    input: str
    output: str
    xi: float | None = None
    known: Known | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a photo.

    Attributes:
        number: Of the photo.
        status: "done"; "skipped": its result was there; "failed".
        key: Hash of photo, model and settings; empty if the photo could not be read.
        source: SHA-256 of the photo's file, likewise.
        bytes: Size of the result's file.
        width: Of the result, pixels.
        height: Likewise.
        tiles: In how many pieces it was enlarged.
        seconds: Taken, reading and writing included.
        worker: Host and process.
        problem: Why it failed, in a line.
        values: Numbers that were measured, by name.
    """

    number: int
    status: Status
    key: str = ""
    source: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    tiles: int = 0
    seconds: float = 0.0
    worker: str = ""
    problem: str = ""
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """For the manifest: without what a reader of it has no use for."""
        return {
            "key": self.key,
            "source": self.source,
            "worker": self.worker,
            "bytes": self.bytes,
            "width": self.width,
            "height": self.height,
            "tiles": self.tiles,
            "seconds": self.seconds,
            "values": dict(self.values),
        }
