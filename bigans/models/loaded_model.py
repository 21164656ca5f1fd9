"""A loaded pair of generators, whatever computes it: arrays in, arrays out.

                           ┌─► faithful ─┐
    image ─► generators ───┤             ├─► deviations ─► merge ─► uint8     (in tiles)
                           └─► vivid ────┘
    image ─► serve ───────────────────────────────────────────────► uint8     (as a whole)
    image ─► serve_unrounded ─────────────────────────────────────► float32   (as a whole)

Photos of more than 8 bits come in as float32 grey levels, and what is merged of them is rounded
once, at the depth of the result.

A backend is a file: `tensorflow_model`, `openvino_model`, `onnx_model`. A single generator is a
model too; it has no parts to merge. What a model is stands in its facts, which its export wrote.
"""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.memory import Footprint
from fusion import numpy_merge
from sr_program.errors import DataError
from sr_program.model_facts import ModelFacts

Images = NDArray[np.uint8]
Levels = NDArray[np.float32]  # grey levels in [0, 255]


class LoadedModel(abc.ABC):
    """What the upscaler and the evaluation ask of a model.

    Example:
        model = Computing(runtime="openvino").load("models/fused")
        faithful, vivid = model.generators(image)
        sr = model.fuse(faithful, vivid, xi=0.3)

    Attributes:
        directory: Where it was exported to.
        facts: What its export wrote of it.
        inputs: Names of what it takes: image and, if it is fused, xi and max_deviation.
        footprint: The memory that it takes.
        identity: A text that changes when the images that it makes change.
    """

    directory: Path
    facts: ModelFacts
    inputs: frozenset[str]
    footprint: Footprint
    identity: str

    @property
    def scale(self) -> int:
        """How many times larger the result is in each direction."""
        return self.facts.scale

    @property
    def radius(self) -> int | None:
        """LR pixels around its own that a pixel of the result depends on, if the model tells."""
        return self.facts.radius

    @property
    @abc.abstractmethod
    def has_parts(self) -> bool:
        """Whether it gives the images of two generators before they are merged."""

    @property
    @abc.abstractmethod
    def gives_unrounded(self) -> bool:
        """Whether `unrounded` gives images before their rounding."""

    @property
    def takes_levels(self) -> bool:
        """Whether `generators` and `unrounded` take float32 grey levels too."""
        return False

    def require_levels(self) -> None:
        """Raises DataError if the model takes uint8 images only."""
        if not self.takes_levels:
            raise DataError(
                f"{self.directory}: takes photos of 8 bits a channel only, and enlarges once; "
                "export the model again, or give it an 8-bit photo and no scale beyond 4"
            )

    @abc.abstractmethod
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

    def serve_unrounded(
        self, image: Images | Levels, merge_inputs: Mapping[str, np.ndarray]
    ) -> Levels:
        """Enlarges one image as a whole, and rounds nothing.

        Args:
            image: uint8 or, where the model takes them, float32 grey levels, [H, W, 3].
            merge_inputs: float32 scalars xi and max_deviation, where the model has them.

        Returns:
            float32 [scale·H, scale·W, 3], grey levels; whole ones of a model that gives no others.

        Raises:
            DataError: Memory ran out, or the model takes uint8 images only.
        """
        if image.dtype != np.uint8:
            self.require_levels()
        if self.has_parts:
            numbers = {name: float(value) for name, value in merge_inputs.items()}
            return self.fuse_unrounded(*self.generators(image), **numbers)
        if self.gives_unrounded:
            return self.unrounded(image)[0]
        return self.serve(image[np.newaxis].astype(np.uint8), merge_inputs)[0].astype(np.float32)

    @abc.abstractmethod
    def generators(self, image: Images | Levels) -> tuple[Levels, Levels]:
        """The faithful and the vivid image of one image before they are merged.

        Args:
            image: uint8 or, where the model takes them, float32 grey levels, [H, W, 3].

        Returns:
            float32 [scale·H, scale·W, 3] each, grey levels, not rounded.

        Raises:
            DataError: Memory ran out.
        """

    @abc.abstractmethod
    def unrounded(self, image: Images | Levels) -> Levels:
        """Everything that is computed before the rounding.

        Args:
            image: uint8 or, where the model takes them, float32 grey levels, [H, W, 3].

        Returns:
            float32 [N, scale·H, scale·W, 3] in grey levels: the two generators' images of a fused
            model, the one of a single generator, or the rounded result where a model gives no
            other.
        """

    @abc.abstractmethod
    def require_parts(self) -> None:
        """Raises DataError if the model can merge whole images only."""

    def deviations(self, faithful: Levels, vivid: Levels) -> Levels:
        """What the quantiles of ξ are taken of; see `fusion.numpy_merge.deviations`.

        Args:
            faithful: A piece of `generators`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.

        Returns:
            float32 [K, Q], a column a quantile.
        """
        return numpy_merge.deviations(faithful, vivid, self.facts.threshold or "joint")

    def merge(self, faithful: Levels, vivid: Levels, limits: Levels) -> Images:
        """Merges a piece at thresholds that are known; see `fusion.numpy_merge.merge_at`.

        Args:
            faithful: A piece of `generators`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.
            limits: The quantiles, float32 [Q], grey levels.

        Returns:
            uint8 [H, W, 3].
        """
        modes = self.facts.threshold or "joint", self.facts.delta
        return numpy_merge.merge_at(faithful, vivid, limits, *modes)

    def merge_unrounded(self, faithful: Levels, vivid: Levels, limits: Levels) -> Levels:
        """As `merge`, but float32 [H, W, 3], grey levels, not rounded."""
        modes = self.facts.threshold or "joint", self.facts.delta
        return numpy_merge.merge_at_unrounded(faithful, vivid, limits, *modes)

    def fuse(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Images:
        """Merges the images of both generators in the model's way; see `fusion.numpy_merge.fuse`.

        Args:
            faithful: `generators`' first image, float32 [H, W, 3].
            vivid: The second.
            xi: ξ in [0, 1].
            max_deviation: Grey levels ≥ 0, instead of ξ.

        Returns:
            uint8 [H, W, 3].
        """
        threshold, delta = self.facts.threshold or "joint", self.facts.delta
        bound = -1.0 if max_deviation is None else max_deviation
        return numpy_merge.fuse(faithful, vivid, xi, bound, threshold=threshold, delta=delta)

    def fuse_unrounded(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Levels:
        """As `fuse`, but float32 [H, W, 3], grey levels, not rounded."""
        modes: Any = {"threshold": self.facts.threshold or "joint", "delta": self.facts.delta}
        bound = -1.0 if max_deviation is None else max_deviation
        return numpy_merge.fuse_unrounded(faithful, vivid, xi, bound, **modes)


def hash_of_files(files: Iterable[Path]) -> str:
    """A hash of what files hold, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
