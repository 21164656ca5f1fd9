"""A SavedModel in TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from bigans.models.loaded_model import Images, Levels, LoadedModel
from bigans.models.memory import TENSORFLOW, TENSORFLOW_BFLOAT16
from fusion.saved_model_folder import find_saved_model
from sr_images.rounding import grey_levels
from sr_program.contract import (
    DEVIATIONS,
    FROM_LEVELS,
    GENERATORS,
    LEVELS,
    MERGE,
    SERVING,
    UNROUNDED,
)
from sr_program.errors import DataError
from sr_program.machine.out_of_memory import out_of_memory
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

_INPUTS = ({"image"}, {"image", "xi"}, {"image", "xi", "max_deviation"})
_PARTS = (GENERATORS, DEVIATIONS, MERGE)


class TensorFlowModel(LoadedModel):
    """A SavedModel, known by its signatures and its facts.

    `serving_default` is what it serves. A model without it serves what the rounding, or the merge,
    makes of its unrounded images.
    """

    def __init__(self, saved_model_dir: str | os.PathLike[str]) -> None:
        """Loads a SavedModel; the first in a process takes some seconds (TensorFlow).

        Args:
            saved_model_dir: The SavedModel, or a directory of numbered versions (the latest is
                taken).

        Raises:
            DataError: There is no SavedModel, or it lacks the signature of an upscaling model.
        """
        # It takes seconds to import, and with Keras another 150 MB; see bigans.models.memory.
        import_tensorflow_quietly()
        from fusion.generator_model import load_saved_model, takes_levels
        from fusion.model_facts import facts_of, saved_model_hash

        self.directory = find_saved_model(saved_model_dir)
        self._process = os.getpid()
        # Kept: signatures live only as long as the loaded model.
        self._model = load_saved_model(self.directory)
        self._signatures = _known_signatures(self._model)
        if not self._signatures:
            raise DataError(
                f"{self.directory}: has no signature {SERVING!r} from 'image' (and 'xi', "
                "'max_deviation') to a uint8 'sr'; export the model with this program"
            )
        self._takes_levels = takes_levels(self._model)
        self.facts = facts_of(self._model, self.directory)
        self.inputs = self._names_of_inputs()
        self.identity = saved_model_hash(self.directory)
        is_fast = self.facts.precision == "bfloat16"
        self.footprint = TENSORFLOW_BFLOAT16 if is_fast else TENSORFLOW

    def _names_of_inputs(self) -> frozenset[str]:
        if SERVING in self._signatures:
            return frozenset(self._signatures[SERVING].structured_input_signature[1])
        if not self.has_parts:
            return frozenset({"image"})
        bound = {"max_deviation"} if self.facts.delta == "as_read" else set()
        return frozenset({"image", "xi"} | bound)

    @property
    def has_parts(self) -> bool:
        """See `LoadedModel`."""
        return GENERATORS in self._signatures

    @property
    def gives_unrounded(self) -> bool:
        """See `LoadedModel`."""
        return self.has_parts or UNROUNDED in self._signatures

    @property
    def takes_levels(self) -> bool:
        """See `LoadedModel`."""
        return self._takes_levels

    def serve(self, images: Images, merge_inputs: Mapping[str, np.ndarray]) -> Images:
        """See `LoadedModel`."""
        if SERVING in self._signatures:
            return self._run(SERVING, image=images, **merge_inputs)["sr"]
        if not self.has_parts:
            return grey_levels(self._run(UNROUNDED, image=images)["sr"], np).astype(np.uint8)
        numbers = {
            name: np.broadcast_to(merge_inputs.get(name, np.float32(-1)), len(images))
            for name in ("xi", "max_deviation")
        }
        merged = [
            self.fuse(*self.generators(image), *(float(values[i]) for values in numbers.values()))
            for i, image in enumerate(images)
        ]
        return np.stack(merged)

    def generators(self, image: Images | Levels) -> tuple[Levels, Levels]:
        """See `LoadedModel`."""
        if image.dtype == np.uint8:
            result = self._run(GENERATORS, image=image[np.newaxis])
        else:
            result = self._from_levels(image)
        return result["faithful"][0], result["vivid"][0]

    def deviations(self, faithful: Levels, vivid: Levels) -> Levels:
        """See `LoadedModel` and `fusion.parts.deviations`."""
        pieces = {"faithful": faithful[np.newaxis], "vivid": vivid[np.newaxis]}
        return self._run(DEVIATIONS, **pieces)["deviations"][0]

    def merge(self, faithful: Levels, vivid: Levels, limits: Levels) -> Images:
        """See `LoadedModel` and `fusion.parts.merge_at`."""
        pieces = {"faithful": faithful[np.newaxis], "vivid": vivid[np.newaxis]}
        return self._run(MERGE, **pieces, limits=limits[np.newaxis])["sr"][0]

    def fuse(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Images:
        """See `LoadedModel` and `fusion.fuse.fuse`."""
        return self._fuse(faithful, vivid, xi, max_deviation).sr.numpy()[0]

    def fuse_unrounded(
        self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None = None
    ) -> Levels:
        """See `LoadedModel` and `fusion.fuse.fuse`."""
        return self._fuse(faithful, vivid, xi, max_deviation).unrounded.numpy()[0]

    def _fuse(self, faithful: Levels, vivid: Levels, xi: float, max_deviation: float | None) -> Any:
        from fusion.fuse import fuse

        modes: Any = {"threshold": self.facts.threshold or "joint", "delta": self.facts.delta}
        if max_deviation is not None and not max_deviation >= 0:
            max_deviation = None
        first: Any = faithful[np.newaxis]
        second: Any = vivid[np.newaxis]
        return fuse(first, second, xi, max_deviation, **modes)

    def require_parts(self) -> None:
        """See `LoadedModel`."""
        if not all(name in self._signatures for name in _PARTS):
            raise DataError(
                f"{self.directory}: cannot merge an image in tiles (it lacks one of the signatures "
                f"{', '.join(_PARTS)}); export it again, or give more memory_mb"
            )

    def unrounded(self, image: Images | Levels) -> Levels:
        """See `LoadedModel`."""
        if self.has_parts:
            return np.stack(self.generators(image))
        if image.dtype != np.uint8:
            return self._from_levels(image)["sr"]
        if UNROUNDED in self._signatures:
            return self._run(UNROUNDED, image=image[np.newaxis])["sr"]
        inputs = {name: np.zeros((), np.float32) for name in self.inputs - {"image"}}
        return self.serve(cast(Images, image)[np.newaxis], inputs).astype(np.float32)

    def _from_levels(self, image: Any) -> dict[str, np.ndarray]:
        self.require_levels()
        return self._run(FROM_LEVELS, **{LEVELS: image[np.newaxis]})

    def _run(self, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        import tensorflow as tf

        if os.getpid() != self._process:  # TensorFlow would wait for threads that are not here
            raise RuntimeError(
                f"{self.directory}: was loaded before this process was forked, and TensorFlow does "
                "not compute after that; load the model here, or start processes by 'spawn'"
            )
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        try:
            result = self._signatures[name](**tensors)
            return {key: value.numpy() for key, value in result.items()}
        except tf.errors.ResourceExhaustedError as error:
            height, width = next(iter(inputs.values())).shape[1:3]
            raise out_of_memory(height, width) from error


def _known_signatures(model: Any) -> dict[str, Any]:
    """The signatures by which a model enlarges, and those of its parts; none if it does not."""
    from fusion.generator_model import is_generator

    found: dict[str, Any] = dict(getattr(model, "signatures", {}))
    if SERVING in found and not _is_upscaler(found[SERVING]):
        return {}
    if UNROUNDED in found and not is_generator(found[UNROUNDED]):
        return {}
    return found if {SERVING, GENERATORS, UNROUNDED} & found.keys() else {}


def _is_upscaler(signature: Any) -> bool:
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    return (
        set(inputs) in _INPUTS
        and inputs["image"].dtype.name == "uint8"
        and "sr" in outputs
        and outputs["sr"].dtype.name == "uint8"
    )
