"""The Y channel on which super-resolution papers measure PSNR and SSIM."""

import numpy as np
from numpy.typing import NDArray

# ITU-R BT.601: what red, green and blue add to the luma, in thousandths.
_THOUSANDTHS = (299, 587, 114)

# The same for floats.
LUMA_WEIGHTS = tuple(weight / 1000 for weight in _THOUSANDTHS)

# The steps from black to white in the studio swing, 16 to 235.
_STUDIO_SWING = 219


def rgb_to_y(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma as MATLAB's `rgb2ycbcr` gives it for uint8: ITU-R BT.601, studio swing.

    Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255, rounded half up: 16 for black, 235 for white.
    Computed in whole numbers, so a half is a true half; doubles may put it lower, which concerns
    194 of the 16.8 million colours. OpenCV's `COLOR_RGB2YCrCb` has the full range 0..255 instead,
    which changes PSNR by 1.3 dB.

    Args:
        image: uint8 [H, W, 3] RGB, or [H, W]: a gray image is its own Y and is returned as it is.

    Returns:
        uint8 [H, W].

    Raises:
        ValueError: another dtype or shape.

    Reference: https://www.mathworks.com/help/images/ref/rgb2ycbcr.html
    """
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
        raise ValueError(
            f"expected uint8 [H, W, 3] or [H, W], got {image.dtype} {list(image.shape)}"
        )
    if image.ndim == 2:
        return image
    red, green, blue = (image[..., channel].astype(np.int32) for channel in range(3))
    of_red, of_green, of_blue = (_STUDIO_SWING * weight for weight in _THOUSANDTHS)
    thousandths = of_red * red + of_green * green + of_blue * blue  # of 1/255 level; below 2**26
    return (16 + (thousandths + 127_500) // 255_000).astype(np.uint8)


def luma_of_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The Y channel of a photo that is gray but stored, or enlarged, as RGB.

    A single-channel benchmark image (Set14 `bridge`) is its own Y, 0..255, in the published
    protocols; a generator may tint its enlargement a little, so the channels are weighed.

    Args:
        image: uint8 [H, W, 3], RGB.

    Returns:
        uint8 [H, W]: 0.299 R + 0.587 G + 0.114 B, rounded half up; exactly R where R = G = B.
    """
    thousandths = image.astype(np.int32) @ np.array(_THOUSANDTHS, np.int32)
    return ((thousandths + 500) // 1000).astype(np.uint8)
