"""PSNR and SSIM of a generator on the luma of validation images, as training watches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sr_data.sources import SCALE, PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import psnr, ssim
from sr_images.image_io import from_signed, to_signed
from sr_images.luma import rgb_to_y
from sr_program.errors import DataError, UsageError

# The border that the paper's Table 3 leaves out, pixels.
BORDER = 6
# SSIM's window must fit inside of the border.
SMALLEST_SIDE = 2 * BORDER + 11
# How many images are shown, and how much of each.
STRIPS = 4
STRIP_SIDE = 192


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
    enlarge: Callable[[np.ndarray], np.ndarray],
    pairs: Iterable[tuple[str, np.ndarray, np.ndarray]],
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores a generator by the paper's protocol: Y as uint8, 6 border pixels left out.

    Args:
        enlarge: LR to SR images, float32 [1, h, w, 3] to [1, 4h, 4w, 3] in [-1, 1].
        pairs: (name, HR, LR), uint8 [H, W, 3] and [H/4, W/4, 3].

    Returns:
        "psnr", dB, and "ssim": means over the images. Name → a strip to look at, uint8, of the
        first images: the middle of bicubic interpolation, SR and HR, side by side.
    """
    scores, strips = [], {}
    for name, hr, lr in pairs:
        sr = super_resolve(enlarge, lr)
        y, y_hr = rgb_to_y(sr), rgb_to_y(hr)
        scores.append(
            (
                psnr(y_hr, y, data_range=255, border=BORDER),
                ssim(y_hr, y, data_range=255, border=BORDER),
            )
        )
        if len(strips) < STRIPS:
            versions = (bicubic_upscale(lr), sr, hr)
            strips[name] = np.concatenate([_middle(image) for image in versions], axis=1)
    mean_psnr, mean_ssim = np.mean(scores, axis=0)
    return {"psnr": float(mean_psnr), "ssim": float(mean_ssim)}, strips


def super_resolve(enlarge: Callable[[np.ndarray], np.ndarray], lr: np.ndarray) -> np.ndarray:
    """Enlarges one image.

    Args:
        enlarge: LR to SR images, float32 [1, h, w, 3] to [1, 4h, 4w, 3] in [-1, 1].
        lr: uint8 [H, W, 3].

    Returns:
        uint8 [4H, 4W, 3].
    """
    return from_signed(np.asarray(enlarge(to_signed(lr)[None]))[0])


def _middle(image: np.ndarray) -> np.ndarray:
    """The square in the middle, at most STRIP_SIDE pixels wide."""
    height, width = image.shape[:2]
    top, left = (max((size - STRIP_SIDE) // 2, 0) for size in (height, width))
    return image[top : top + STRIP_SIDE, left : left + STRIP_SIDE]
