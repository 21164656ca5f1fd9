"""Generators that any runtime computes, merged in NumPy: what OpenVINO and ONNX Runtime share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bigans.models.loaded_model import Images, Levels, LoadedModel
from bigans.models.memory import Footprint
from sr_images.rounding import grey_levels
from sr_program.errors import DataError
from sr_program.model_facts import ModelFacts

# image [B, H, W, 3] → faithful and vivid, or sr, by name: float32 [B, s·H, s·W, 3].
Network = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


class MergedInNumpy(LoadedModel):
    """A network that gives unrounded images, and the merge of its facts."""

    def __init__(
        self,
        network: Network,
        facts: ModelFacts,
        footprint: Footprint,
        directory: Path,
        identity: str,
        *,
        takes_levels: bool = False,
    ) -> None:
        """Takes a network that is loaded already; the rest is as in `LoadedModel`."""
        self._network = network
        self._takes_levels = takes_levels
        self.facts = facts
        self.footprint = footprint
        self.directory = directory
        self.identity = identity
        inputs = {"image"}
        if facts.is_fused:
            inputs |= {"xi", "max_deviation"} if facts.delta == "as_read" else {"xi"}
        self.inputs = frozenset(inputs)

    @property
    def has_parts(self) -> bool:
        """See `LoadedModel`."""
        return self.facts.is_fused

    @property
    def gives_unrounded(self) -> bool:
        """See `LoadedModel`."""
        return True

    @property
    def takes_levels(self) -> bool:
        """See `LoadedModel`."""
        return self._takes_levels

    def serve(self, images: Images, merge_inputs: Mapping[str, np.ndarray]) -> Images:
        """See `LoadedModel`."""
        results = self._network({"image": images})
        if not self.facts.is_fused:
            return grey_levels(results["sr"], np).astype(np.uint8)
        xi, max_deviation = (
            np.broadcast_to(merge_inputs.get(name, np.float32(-1)), len(images))
            for name in ("xi", "max_deviation")
        )
        pairs = zip(results["faithful"], results["vivid"], strict=True)
        merged = [
            self.fuse(*pair, float(xi[i]), float(max_deviation[i])) for i, pair in enumerate(pairs)
        ]
        return np.stack(merged)

    def generators(self, image: Images | Levels) -> tuple[Levels, Levels]:
        """See `LoadedModel`."""
        results = self._network({"image": image[np.newaxis]})
        return results["faithful"][0], results["vivid"][0]

    def unrounded(self, image: Images | Levels) -> Levels:
        """See `LoadedModel`."""
        results = self._network({"image": image[np.newaxis]})
        return np.concatenate([results[name] for name in sorted(results)])

    def require_parts(self) -> None:
        """Does nothing: this kind of model can always merge an image in tiles."""


def no_facts(path: Path, reason: str, format: str) -> DataError:
    """What to raise for a network that nobody has described."""
    return DataError(
        f"{path}: does not tell how its generators are merged ({reason}); make it with "
        f"fusion.export, format {format}"
    )
