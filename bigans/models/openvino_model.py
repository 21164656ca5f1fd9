"""A model whose towers run in OpenVINO and whose merge is NumPy, as the upscaler sees it.

It does what `bigans.models.tensorflow_model.Model` does, without TensorFlow.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bigans.models.memory import openvino_footprint
from bigans.models.tensorflow_model import Images, Levels
from fusion import numpy_merge
from fusion.formats.openvino_model import TOWERS_FILE, OpenVinoModel
from fusion.modes import TowerFacts
from sr_images.rounding import grey_levels
from sr_program.errors import DataError
from sr_program.machine.precision import Precision


class OpenVinoTowers:
    """An upscaling model in OpenVINO's format.

    Attributes:
        directory: What holds towers.xml, or the SavedModel that it was made of.
        inputs: Names of what it takes: image and, if it is fused, xi and max_deviation.
        footprint: The memory that it takes.
    """

    def __init__(
        self, directory: Path, precision: Precision = "float32", source: Path | None = None
    ) -> None:
        """Loads and compiles a model (about a second).

        Args:
            directory: Holds towers.xml, see `fusion.formats.openvino` and `fusion.formats.saved_generators`.
            precision: What the towers compute in; the merge is float32.
            source: The SavedModel that it was made of, for messages.

        Raises:
            DataError: The model is missing or damaged, or was not written by this program.
            UsageError: OpenVINO is not installed.
        """
        self.directory = source or directory
        self.footprint = openvino_footprint(precision)
        self._network = OpenVinoModel(directory / TOWERS_FILE, precision)
        try:
            self._facts = TowerFacts.from_text(self._network.facts)
        except ValueError as error:
            raise DataError(
                f"{self._network.path}: does not tell how its towers are merged ({error}); make it "
                "with fusion.export --format=openvino"
            ) from error
        inputs = {"image"}
        if self._facts.threshold is not None:
            bound = {"max_deviation"} if self._facts.delta == "as_read" else set()
            inputs |= {"xi"} | bound
        self.inputs = frozenset(inputs)

    def serve(self, images: Images, merge_inputs: Mapping[str, np.ndarray]) -> Images:
        """Enlarges images as wholes.

        Args:
            images: uint8 [B, H, W, 3].
            merge_inputs: float32 xi and max_deviation, one value or B, where the model has them.

        Returns:
            uint8 [B, scale·H, scale·W, 3].

        Raises:
            DataError: Memory ran out.
        """
        results = self._network({"image": images})
        threshold, delta = self._facts.threshold, self._facts.delta
        if threshold is None:
            return grey_levels(results["sr"], np).astype(np.uint8)
        xi, max_deviation = (
            np.broadcast_to(merge_inputs.get(name, np.float32(-1)), len(images))
            for name in ("xi", "max_deviation")
        )
        pairs = zip(results["faithful"], results["vivid"], strict=True)
        merged = [
            numpy_merge.fuse(
                *pair, float(xi[i]), float(max_deviation[i]), threshold=threshold, delta=delta
            )
            for i, pair in enumerate(pairs)
        ]
        return np.stack(merged)

    def towers(self, image: Images) -> tuple[Levels, Levels]:
        """The faithful and the vivid image of one image before they are merged.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            float32 [scale·H, scale·W, 3] each, grey levels, not rounded.

        Raises:
            DataError: Memory ran out.
        """
        results = self._network({"image": image[np.newaxis]})
        return results["faithful"][0], results["vivid"][0]

    def deviations(self, faithful: Levels, vivid: Levels) -> Levels:
        """What the quantiles of ξ are taken of; see `fusion.numpy_merge.deviations`.

        Args:
            faithful: A piece of `towers`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.

        Returns:
            float32 [K, Q], a column a quantile.
        """
        return numpy_merge.deviations(faithful, vivid, self._facts.threshold or "joint")

    def merge(self, faithful: Levels, vivid: Levels, limits: Levels) -> Images:
        """Merges a piece at thresholds that are known; see `fusion.numpy_merge.merge_at`.

        Args:
            faithful: A piece of `towers`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.
            limits: The quantiles, float32 [Q], grey levels.

        Returns:
            uint8 [H, W, 3].
        """
        modes = self._facts.threshold or "joint", self._facts.delta
        return numpy_merge.merge_at(faithful, vivid, limits, *modes)

    def require_parts(self) -> None:
        """Does nothing: this kind of model can always merge an image in tiles."""

    @functools.cached_property
    def scale(self) -> int:
        """How many times larger the result is in each direction."""
        side = 8
        results = self._network({"image": np.zeros((1, side, side, 3), np.uint8)})
        return next(iter(results.values())).shape[1] // side

    @property
    def stated_receptive_field(self) -> int | None:
        """LR pixels around its own that a pixel of the result depends on, if the model tells."""
        return self._facts.receptive_field

    def unrounded(self, image: Images) -> Levels:
        """Everything that is computed before the rounding, for comparisons.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            float32 [N, scale·H, scale·W, 3] in grey levels: the images of both towers, or of one.
        """
        results = self._network({"image": image[np.newaxis]})
        return np.concatenate([results[name] for name in sorted(results)])
