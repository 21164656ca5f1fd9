"""PSNR and SSIM of a generator on the luma of validation images, as training watches them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from cli.errors import DataError, UsageError
from sr_data.fidelity import psnr, ssim
from sr_data.image_io import from_signed, to_signed
from sr_data.luma import rgb_to_y
from sr_data.sources import SCALE, PairedFolder

# The border that the paper's Table 3 leaves out, pixels.
BORDER = 6
# SSIM's window must fit inside of the border.
SMALLEST_SIDE = 2 * BORDER + 11


def check_pairs(pairs: PairedFolder, scale: int) -> None:
    """Reads validation images once, so that a bad one is found before an epoch is spent.

    Args:
        pairs: The images.
        scale: The generator's enlargement.

    Raises:
        UsageError: The generator does not enlarge 4x, as the pairs do.
        DataError: An image cannot be read, or is too small.
    """
    if scale != SCALE:
        raise UsageError(f"--val_dir needs --scale={SCALE}, got {scale}; leave one of them out")
    for name, hr, _ in pairs:
        if min(hr.shape[:2]) < SMALLEST_SIDE:
            raise DataError(
                f"{pairs.directory}: {name} is {hr.shape[1]}x{hr.shape[0]}; validation needs "
                f"{SMALLEST_SIDE}x{SMALLEST_SIDE} pixels or more, remove it"
            )


def validate(
    generator: keras.Model, pairs: Iterable[tuple[str, np.ndarray, np.ndarray]]
) -> dict[str, float]:
    """Scores a generator by the paper's protocol: Y as uint8, 6 border pixels left out.

    Args:
        generator: LR to SR images, float32 in [-1, 1].
        pairs: (name, HR, LR), uint8 [H, W, 3] and [H/4, W/4, 3].

    Returns:
        "psnr", dB, and "ssim": means over the images.
    """
    scores = []
    for _, hr, lr in pairs:
        y, y_hr = rgb_to_y(super_resolve(generator, lr)), rgb_to_y(hr)
        scores.append(
            (
                psnr(y_hr, y, data_range=255, border=BORDER),
                ssim(y_hr, y, data_range=255, border=BORDER),
            )
        )
    mean_psnr, mean_ssim = np.mean(scores, axis=0)
    return {"psnr": float(mean_psnr), "ssim": float(mean_ssim)}


def super_resolve(generator: Any, lr: np.ndarray) -> np.ndarray:
    """Enlarges one image with a Keras generator.

    Args:
        generator: LR to SR images, float32 in [-1, 1].
        lr: uint8 [H, W, 3].

    Returns:
        uint8 [4H, 4W, 3].
    """
    sr = generator(to_signed(lr)[None], training=False)
    return from_signed(keras.ops.convert_to_numpy(sr)[0])
