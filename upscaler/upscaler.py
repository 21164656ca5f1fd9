"""Enlarges images with an exported SavedModel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.errors import DataError
from fusion.export import find_saved_model
from pretrained.saved_models import saved_models
from upscaler.memory import require_memory

MODELS = ("faithful", "vivid", "fused")

# Section 4.3 of the paper.
DEFAULT_XI = 0.73

_SIGNATURE = "serving_default"
_INPUTS = ({"image"}, {"image", "xi"}, {"image", "xi", "max_deviation"})
_USE_XI = -1.0


class Upscaler:
    """A loaded model; a call enlarges images.

        upscaler = Upscaler.from_pretrained()
        sr = upscaler(image)              # uint8 [H, W, 3] -> uint8 [4H, 4W, 3]
        sr = upscaler(image, xi=0.3)      # nearer to the faithful image
        sr = upscaler(image, max_deviation=8)

    It knows a model by its signature alone: `image`, and for a fused model also `xi` and
    `max_deviation`. Calls may come from several threads.
    """

    def __init__(self, saved_model_dir: str | os.PathLike[str]) -> None:
        """Loads a SavedModel; the first in a process takes some seconds (TensorFlow).

        Args:
            saved_model_dir: The SavedModel, or a directory of numbered versions (the latest is
                taken).

        Raises:
            DataError: There is no SavedModel, or it lacks the signature of an upscaling model.
        """
        self._directory = find_saved_model(saved_model_dir)
        # The signature lives only as long as the loaded model.
        self._model, self._signature = _load(self._directory)
        self._inputs = frozenset(self._signature.structured_input_signature[1])

    @classmethod
    def from_pretrained(
        cls, cache_dir: str | os.PathLike[str] | None = None, model: str = "fused"
    ) -> Upscaler:
        """Loads a model of the shipped weights; the very first call builds it.

        Args:
            cache_dir: Where built models are kept; see `pretrained.saved_models.saved_models`.
            model: "fused", or one of its parts: "faithful" (MR-SRGAN), "vivid" (WP-SRGAN).

        Raises:
            DataError: The weights are damaged, or the cache folder cannot be written.
            ValueError: Another name of a model.
        """
        if model not in MODELS:
            raise ValueError(f"model is {model!r}; choose one of {', '.join(MODELS)}")
        return cls(getattr(saved_models(cache_dir), model))

    @property
    def inputs(self) -> frozenset[str]:
        """Names of what the model takes: image and, if it is fused, xi and max_deviation."""
        return self._inputs

    def __call__(
        self,
        image: NDArray[np.uint8],
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
    ) -> NDArray[np.uint8]:
        """Enlarges one image or a batch of images of one size.

        Args:
            image: uint8 [H, W, 3] or [B, H, W, 3], RGB.
            xi: 0 gives the faithful image, 1 the vivid one; 0.73 if left out. One value or one an
                image. For a fused model only.
            max_deviation: Grey levels ≥ 0. When given it replaces `xi`: the result goes towards the
                vivid image, and no value departs from the faithful one by more than this.

        Returns:
            uint8, [4H, 4W, 3] or [B, 4H, 4W, 3].

        Raises:
            ValueError: Wrong dtype, shape or range, or `xi` for a model that is not fused.
            DataError: The image is too large for this machine's memory.
        """
        batch = _as_batch(image)
        inputs = self._merge_inputs(xi, max_deviation, len(batch))
        height, width = batch.shape[1:3]
        require_memory(len(batch) * height * width, width, height)
        result = self._run(batch, inputs)
        return result if image.ndim == 4 else result[0]

    def _merge_inputs(self, xi: Any, max_deviation: Any, batch_size: int) -> dict[str, np.ndarray]:
        for name, value in (("xi", xi), ("max_deviation", max_deviation)):
            if value is not None and name not in self._inputs:
                raise ValueError(f"{self._directory} has no input {name}; leave {name} out")
        inputs = {}
        if "xi" in self._inputs:
            xi = _one_or_batch("xi", DEFAULT_XI if xi is None else xi, batch_size)
            if not np.all((xi >= 0) & (xi <= 1)):
                raise ValueError(f"xi must lie in [0, 1], got {xi}")
            inputs["xi"] = xi
        if "max_deviation" in self._inputs:
            inputs["max_deviation"] = np.float32(_USE_XI)
            if max_deviation is not None:
                bound = _one_or_batch("max_deviation", max_deviation, batch_size)
                if not np.all(bound >= 0):
                    raise ValueError(f"max_deviation must be at least 0, got {bound}")
                inputs["max_deviation"] = bound
        return inputs

    def _run(self, batch: NDArray[np.uint8], inputs: dict[str, np.ndarray]) -> NDArray[np.uint8]:
        import tensorflow as tf

        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        try:
            return self._signature(image=tf.constant(batch), **tensors)["sr"].numpy()
        except tf.errors.ResourceExhaustedError as error:
            height, width = batch.shape[1:3]
            raise DataError(
                f"memory ran out on an image of {width}x{height} pixels; shrink or crop it"
            ) from error


def _load(directory: os.PathLike[str]) -> tuple[Any, Any]:
    from fusion.tower import load_saved_model  # TensorFlow takes seconds to import

    model = load_saved_model(directory)
    signature = getattr(model, "signatures", {}).get(_SIGNATURE)
    if signature is None or not _is_upscaler(signature):
        raise DataError(
            f"{directory}: has no signature {_SIGNATURE!r} from 'image' (and 'xi', 'max_deviation')"
            " to a uint8 'sr'; export the model with this program"
        )
    return model, signature


def _is_upscaler(signature: Any) -> bool:
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    return (
        set(inputs) in _INPUTS
        and inputs["image"].dtype.name == "uint8"
        and "sr" in outputs
        and outputs["sr"].dtype.name == "uint8"
    )


def _as_batch(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    shape = getattr(image, "shape", None)
    dtype = getattr(image, "dtype", type(image).__name__)
    if dtype != np.uint8:
        raise ValueError(f"the image must be a uint8 array, got {dtype}")
    if shape is None or len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape:
        raise ValueError(f"the image must be [H, W, 3] or [B, H, W, 3], got {shape}")
    return image if len(shape) == 4 else image[None]


def _one_or_batch(name: str, value: Any, batch_size: int) -> NDArray[np.float32]:
    values = np.asarray(value, np.float32)
    if values.shape not in ((), (batch_size,)):
        raise ValueError(f"{name} must be one number or {batch_size}, got shape {values.shape}")
    return values
