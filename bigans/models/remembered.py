"""A fused model that computes both generators' images once for each image that it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np

from bigans.models.loaded_model import Images, Levels, LoadedModel
from sr_program.errors import DataError

# The faithful and the vivid image; see `LoadedModel.generators`.
Pair = tuple[Levels, Levels]
Generate = Callable[[Images | Levels], Pair]
# Puts a pair away; returns what brings it back.
Keep = Callable[[Pair], Callable[[], Pair]]


def in_memory(pair: Pair) -> Callable[[], Pair]:
    """Keeps a pair as it is."""
    return lambda: pair


class Remembered(LoadedModel):
    """Another model, which is asked for each image once; the merge is done as often as wanted.

    Example:
        remembered = Remembered(model)
        results = [remembered.serve(images, {"xi": xi}) for xi in xis]  # generators run once

    It keeps float32 pairs of everything that it was given: 24 bytes for each pixel of a result.
    """

    def __init__(
        self, model: LoadedModel, generate: Generate | None = None, keep: Keep = in_memory
    ) -> None:
        """Takes a model.

        Args:
            model: A fused one.
            generate: What computes the pair of an image; the model itself by default.
            keep: Where pairs are kept.

        Raises:
            DataError: The model gives merged images alone.
        """
        if not model.has_parts:
            raise DataError(
                f"{model.directory}: does not give the images of two generators; take a fused "
                "model, exported by this program"
            )
        self._model = model
        self._generate = generate or model.generators
        self._keep = keep
        self._pairs: dict[bytes, Callable[[], Pair]] = {}
        self.directory, self.facts, self.inputs = model.directory, model.facts, model.inputs
        self.footprint, self.identity = model.footprint, model.identity

    @property
    def has_parts(self) -> bool:
        """See `LoadedModel`."""
        return True

    @property
    def gives_unrounded(self) -> bool:
        """See `LoadedModel`."""
        return True

    @property
    def takes_levels(self) -> bool:
        """See `LoadedModel`."""
        return self._model.takes_levels

    def generators(self, image: Images | Levels) -> Pair:
        """See `LoadedModel`; computed when an image is first seen."""
        key = _key(image)
        if key not in self._pairs:
            pair = self._generate(image)
            self._pairs[key] = self._keep(pair)
            return pair
        return self._pairs[key]()

    def serve(self, images: Images, merge_inputs: Mapping[str, np.ndarray]) -> Images:
        """See `LoadedModel`."""
        numbers = {
            name: np.broadcast_to(value, len(images)) for name, value in merge_inputs.items()
        }
        merged = []
        for i, image in enumerate(images):
            chosen = {name: float(values[i]) for name, values in numbers.items()}
            merged.append(self.fuse(*self.generators(image), **chosen))
        return np.stack(merged)

    def unrounded(self, image: Images | Levels) -> Levels:
        """See `LoadedModel`."""
        return np.stack(self.generators(image))

    def require_parts(self) -> None:
        """See `LoadedModel`."""
        self._model.require_parts()

    def deviations(self, faithful: Levels, vivid: Levels) -> Levels:
        """See `LoadedModel`."""
        return self._model.deviations(faithful, vivid)

    def merge(self, faithful: Levels, vivid: Levels, limits: Levels) -> Images:
        """See `LoadedModel`."""
        return self._model.merge(faithful, vivid, limits)

    def merge_unrounded(self, faithful: Levels, vivid: Levels, limits: Levels) -> Levels:
        """See `LoadedModel`."""
        return self._model.merge_unrounded(faithful, vivid, limits)

    def fuse(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Images:
        """See `LoadedModel`."""
        return self._model.fuse(faithful, vivid, xi, max_deviation)

    def fuse_unrounded(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Levels:
        """See `LoadedModel`."""
        return self._model.fuse_unrounded(faithful, vivid, xi, max_deviation)


def _key(image: Images | Levels) -> bytes:
    digest = hashlib.blake2b(f"{image.dtype} {image.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
