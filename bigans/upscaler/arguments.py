"""Checks what a caller of the upscaler gives, and turns it into what the model takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.runtime import AnyModel
from sr_program.contract import DEFAULT_XI, USE_XI


def as_batch(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gives an image the axis of a batch.

    Args:
        image: uint8 [H, W, 3] or [B, H, W, 3].

    Returns:
        uint8 [B, H, W, 3].

    Raises:
        ValueError: Another dtype or shape.
    """
    shape = getattr(image, "shape", None)
    dtype = getattr(image, "dtype", type(image).__name__)
    if dtype != np.uint8:
        raise ValueError(f"the image must be a uint8 array, got {dtype}")
    if shape is None or len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape:
        raise ValueError(f"the image must be [H, W, 3] or [B, H, W, 3], got {shape}")
    return image if len(shape) == 4 else image[None]


def merge_inputs(
    model: AnyModel, xi: Any, max_deviation: Any, batch_size: int
) -> dict[str, np.ndarray]:
    """What a fused model takes beside the image.

    Args:
        model: Which may be a tower, and take nothing else.
        xi: In [0, 1], one value or `batch_size`; None is 0.73.
        max_deviation: Grey levels ≥ 0, likewise; None leaves the choice to `xi`.
        batch_size: Number of images.

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
            inputs["max_deviation"] = bound
    return inputs


def of_images(inputs: Mapping[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    """The values of `merge_inputs` that belong to some images of a batch."""
    return {name: value[start:stop] if value.ndim else value for name, value in inputs.items()}


def _one_or_batch(name: str, value: Any, batch_size: int) -> NDArray[np.float32]:
    values = np.asarray(value, np.float32)
    if values.shape not in ((), (batch_size,)):
        raise ValueError(f"{name} must be one number or {batch_size}, got shape {values.shape}")
    return values
