"""Checks what a caller of the upscaler gives, and turns it into what the model takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from bigans.models.loaded_model import LoadedModel
from sr_images.levels import check_range
from sr_images.picture import WHITE, Picture, Pixels
from sr_images.pillow_images import picture_of_pillow
from sr_program.contract import DEFAULT_XI, USE_XI


class ReadsAsArray(Protocol):
    """What NumPy reads: tf.Tensor, tensors of PyTorch on the CPU, arrays of JAX."""

    def __array__(self) -> Any:
        """The values."""
        ...


# One image, or a batch of arrays.
ImageLike = Pixels | Picture | Image.Image | ReadsAsArray


def as_array(image: Pixels | ReadsAsArray) -> Pixels:
    """What NumPy reads, as an array; what is no array is left as it is.

    Raises:
        ValueError: A tensor without values.
    """
    if isinstance(image, np.ndarray) or not hasattr(image, "__array__"):
        return image  # pyright: ignore[reportReturnType]
    try:
        return np.asarray(image)
    except (NotImplementedError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"a {type(image).__name__} without values in this process's memory cannot be read; "
            "call the upscaler outside of tf.function, with a tensor on the CPU"
        ) from error


def as_batch(image: Pixels | ReadsAsArray) -> Pixels:
    """Gives an image the axes of a batch and of channels.

    Args:
        image: uint8 0..255, uint16 0..65535 or float32 0..1; [H, W], [H, W, 1], [H, W, 3] or, with
            B in front, one of the latter two.

    Returns:
        [B, H, W, 1] or [B, H, W, 3].

    Raises:
        ValueError: Another dtype, shape or range.
    """
    image = as_array(image)
    shape = getattr(image, "shape", None)
    dtype = getattr(image, "dtype", type(image).__name__)
    if str(dtype) not in WHITE:
        raise ValueError(f"the image must be an array of uint8, uint16 or float32, got {dtype}")
    if shape is not None and len(shape) == 2:
        image, shape = image[..., np.newaxis], (*shape, 1)
    if shape is None or len(shape) not in (3, 4) or shape[-1] not in (1, 3) or 0 in shape:
        raise ValueError(
            f"the image must be [H, W], [H, W, 1], [H, W, 3] or a batch of these, got {shape}"
        )
    check_range(image)
    return image if len(shape) == 4 else image[None]


def as_picture(image: ImageLike) -> Picture:
    """One image as a picture; an alpha channel that is opaque everywhere is dropped.

    Raises:
        ValueError: Several images, or another dtype, shape or range.
    """
    if isinstance(image, Image.Image):
        return picture_of_pillow(image)
    if not isinstance(image, Picture):
        image = as_array(image)
        batch = as_batch(image)
        if image.ndim == 4:
            raise ValueError(f"the image must be a single one, got a batch of {len(batch)}")
        return Picture(batch[0])
    check_range(image.pixels)
    if image.alpha is None:
        return image
    check_range(image.alpha)
    is_opaque = bool(np.all(image.alpha == image.white))
    return dataclasses.replace(image, alpha=None) if is_opaque else image


def merge_inputs(
    model: LoadedModel, xi: Any, max_deviation: Any, batch_size: int, dtype: DTypeLike
) -> dict[str, np.ndarray]:
    """What a fused model takes beside the image.

    Args:
        model: Which may be a generator, and take nothing else.
        xi: In [0, 1], one value or `batch_size`; None is 0.73.
        max_deviation: Grey levels ≥ 0, likewise; None leaves the choice to `xi`.
        batch_size: Number of images.
        dtype: Of the results. Whole steps of it count: half a grey level would be rounded up.

    Returns:
        float32 [] or [batch_size] by name.

    Raises:
        ValueError: A number out of range, or one that the model has no use for.
    """
    for name, value in (("xi", xi), ("max_deviation", max_deviation)):
        if value is not None and name not in model.inputs:
            raise ValueError(f"{model.directory} has no input {name}; leave {name} out")
    inputs: dict[str, np.ndarray] = {}
    if "xi" in model.inputs:
        xi = _one_or_batch("xi", DEFAULT_XI if xi is None else xi, batch_size)
        if not np.all((xi >= 0) & (xi <= 1)):
            raise ValueError(f"xi must lie in [0, 1], got {xi}")
        inputs["xi"] = xi
    if "max_deviation" in model.inputs:
        inputs["max_deviation"] = np.asarray(USE_XI, np.float32)
        if max_deviation is not None:
            bound = _one_or_batch("max_deviation", max_deviation, batch_size)
            if not np.all(bound >= 0):
                raise ValueError(f"max_deviation must be at least 0, got {bound}")
            inputs["max_deviation"] = _in_whole_steps(bound, np.dtype(dtype))
    return inputs


def _in_whole_steps(bound: NDArray[np.float32], dtype: np.dtype) -> NDArray[np.float32]:
    if dtype == np.float32:
        return bound
    steps = WHITE[dtype.name] / 255
    return np.asarray(np.floor(bound.astype(np.float64) * steps) / steps, np.float32)


def of_images(inputs: Mapping[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    """The values of `merge_inputs` that belong to some images of a batch."""
    return {name: value[start:stop] if value.ndim else value for name, value in inputs.items()}


def _one_or_batch(name: str, value: Any, batch_size: int) -> NDArray[np.float32]:
    values = np.asarray(value, np.float32)
    if values.shape not in ((), (batch_size,)):
        raise ValueError(f"{name} must be one number or {batch_size}, got shape {values.shape}")
    return values
