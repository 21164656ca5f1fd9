"""The choices of the merge, for code with and without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from sr_program.errors import DataError

# See `fusion.fused_model.fuse`.
Threshold = Literal["joint", "per_channel", "luma"]
Delta = Literal["as_read", "as_printed"]
THRESHOLDS: tuple[Threshold, ...] = ("joint", "per_channel", "luma")
DELTAS: tuple[Delta, ...] = ("as_read", "as_printed")


class NoTowersError(DataError):
    """A SavedModel does not tell what it is made of, or merges in its own way."""


@dataclasses.dataclass(frozen=True)
class TowerFacts:
    """What has to be known of generators to merge their images and to cut an image for them.

    Attributes:
        threshold: How the images are merged; None if there is a single generator.
        delta: Likewise.
        receptive_field: See `fusion.generator_model.stated_radius`.
    """

    threshold: Threshold | None = None
    delta: Delta = "as_read"
    receptive_field: int | None = None

    def as_text(self) -> dict[str, str]:
        """The facts that are known, for the inside of a file."""
        known = {key: value for key, value in dataclasses.asdict(self).items() if value is not None}
        return {key: str(value) for key, value in known.items()}

    @classmethod
    def from_text(cls, text: Mapping[str, str]) -> TowerFacts:
        """The opposite of `as_text`.

        Raises:
            ValueError: A value that this program does not know.
        """
        threshold, delta, reach = (text.get(field.name) for field in dataclasses.fields(cls))
        if (threshold is not None and threshold not in THRESHOLDS) or delta not in DELTAS:
            raise ValueError(f"unknown threshold {threshold!r} or delta {delta!r}")
        return cls(threshold, delta, None if reach is None else int(reach))
