"""A loaded SavedModel as the upscaler sees it: arrays in, arrays out."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.memory import TENSORFLOW, TENSORFLOW_BFLOAT16
from fusion.export import find_saved_model
from sr_program.contract import SERVING as _SERVING
from sr_program.errors import DataError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

_INPUTS = ({"image"}, {"image", "xi"}, {"image", "xi", "max_deviation"})
_PARTS = ("towers", "deviations", "merge")

Images = NDArray[np.uint8]
Levels = NDArray[np.float32]


class Model:
    """An upscaling model, known by its signatures alone.

    Attributes:
        directory: The SavedModel.
        inputs: Names of what it takes: image and, if it is fused, xi and max_deviation.
        footprint: The memory that it takes.
    """

    def __init__(self, saved_model_dir: str | os.PathLike[str]) -> None:
        """Loads a SavedModel; the first in a process takes some seconds (TensorFlow).

        Args:
            saved_model_dir: The SavedModel, or a directory of numbered versions (the latest is
                taken).

        Raises:
            DataError: There is no SavedModel, or it lacks the signature of an upscaling model.
        """
        # TensorFlow takes seconds to import, and with Keras another 150 MB; see bigans.models.memory.
        import_tensorflow_quietly()
        from fusion.generator_model import has_bfloat16, load_saved_model

        self.directory = find_saved_model(saved_model_dir)
        # Kept: signatures live only as long as the loaded model.
        self._model = load_saved_model(self.directory)
        self._signatures: Mapping[str, Any] = getattr(self._model, "signatures", {})
        signature = self._signatures.get(_SERVING)
        if signature is None or not _is_upscaler(signature):
            raise DataError(
                f"{self.directory}: has no signature {_SERVING!r} from 'image' (and 'xi', "
                "'max_deviation') to a uint8 'sr'; export the model with this program"
            )
        self.inputs = frozenset(signature.structured_input_signature[1])
        self.footprint = TENSORFLOW_BFLOAT16 if has_bfloat16(signature) else TENSORFLOW

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
        return self._run(_SERVING, image=images, **merge_inputs)["sr"]

    def towers(self, image: Images) -> tuple[Levels, Levels]:
        """The faithful and the vivid image of one image before they are merged.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            float32 [scale·H, scale·W, 3] each, grey levels, not rounded.

        Raises:
            DataError: Memory ran out.
        """
        result = self._run("towers", image=image[np.newaxis])
        return result["faithful"][0], result["vivid"][0]

    def deviations(self, faithful: Levels, vivid: Levels) -> Levels:
        """What the quantiles of ξ are taken of; see `fusion.parts.deviations`.

        Args:
            faithful: A piece of `towers`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.

        Returns:
            float32 [K, Q], a column a quantile.
        """
        pieces = {"faithful": faithful[np.newaxis], "vivid": vivid[np.newaxis]}
        return self._run("deviations", **pieces)["deviations"][0]

    def merge(self, faithful: Levels, vivid: Levels, limits: Levels) -> Images:
        """Merges a piece at thresholds that are known; see `fusion.parts.merge_at`.

        Args:
            faithful: A piece of `towers`' first image, float32 [H, W, 3].
            vivid: The same piece of the second.
            limits: The quantiles, float32 [Q], grey levels.

        Returns:
            uint8 [H, W, 3].
        """
        pieces = {"faithful": faithful[np.newaxis], "vivid": vivid[np.newaxis]}
        return self._run("merge", **pieces, limits=limits[np.newaxis])["sr"][0]

    def require_parts(self) -> None:
        """Raises DataError if the model can merge whole images only."""
        if not all(name in self._signatures for name in _PARTS):
            raise DataError(
                f"{self.directory}: cannot merge an image in tiles (it lacks one of the signatures "
                f"{', '.join(_PARTS)}); export it again, or give more memory with --memory_mb"
            )

    @functools.cached_property
    def scale(self) -> int:
        """How many times larger the result is in each direction."""
        side = 8
        inputs = {name: np.zeros((), np.float32) for name in self.inputs - {"image"}}
        return self.serve(np.zeros((1, side, side, 3), np.uint8), inputs).shape[1] // side

    @functools.cached_property
    def stated_receptive_field(self) -> int | None:
        """LR pixels around its own that a pixel of the result depends on, if the model tells."""
        from fusion.generator_model import stated_radius

        return stated_radius(self._model)

    def unrounded(self, image: Images) -> Levels:
        """Everything that is computed before the rounding, for comparisons.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            float32 [N, scale·H, scale·W, 3] in grey levels: the two towers' images of a fused
            model, the one of a tower, or the rounded result where a model gives no other.
        """
        if "towers" in self._signatures:
            return np.stack(self.towers(image))
        if "unrounded" in self._signatures:
            return self._run("unrounded", image=image[np.newaxis])["sr"]
        inputs = {name: np.zeros((), np.float32) for name in self.inputs - {"image"}}
        return self.serve(image[np.newaxis], inputs).astype(np.float32)

    def _run(self, name: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        import tensorflow as tf

        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        try:
            result = self._signatures[name](**tensors)
            return {key: value.numpy() for key, value in result.items()}
        except tf.errors.ResourceExhaustedError as error:
            height, width = next(iter(inputs.values())).shape[1:3]
            raise DataError(
                f"memory ran out on {width}x{height} pixels; give a smaller --memory_mb, which "
                "makes smaller tiles, or end other programs"
            ) from error


def _is_upscaler(signature: Any) -> bool:
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    return (
        set(inputs) in _INPUTS
        and inputs["image"].dtype.name == "uint8"
        and "sr" in outputs
        and outputs["sr"].dtype.name == "uint8"
    )
