"""How well a super-resolved image, made small again, matches its input."""

import numpy as np
from numpy.typing import NDArray

from sr_images.bicubic import Edge, bicubic_downscale
from sr_images.fidelity import psnr

_SCALE = 4


def lr_consistency(
    lr: NDArray[np.uint8], sr: NDArray[np.uint8], *, edge: Edge = "replicate"
) -> float:
    """PSNR between the low-resolution input and the result downscaled 4x by MATLAB's bicubic.

    Reported by the NTIRE challenges on the super-resolution space; above 45 dB or so a result is
    taken to be consistent with its input.

    Args:
        lr: uint8 [h, w] or [h, w, C], 0..255.
        sr: uint8 [4h, 4w] or [4h, 4w, C].
        edge: how the benchmark's LR images were made at the border; see `bicubic_downscale`.

    Returns:
        dB over all pixels and channels, data range 255; inf where they are equal.

    Raises:
        ValueError: not uint8, or `sr` is not 4 times `lr`.

    Reference: A. Lugmayr et al., "NTIRE 2021 learning the super-resolution space challenge".
    """
    if sr.shape != (_SCALE * lr.shape[0], _SCALE * lr.shape[1], *lr.shape[2:]):
        raise ValueError(
            f"a result of shape {list(sr.shape)} is not {_SCALE} times its input, {list(lr.shape)}"
        )
    return psnr(lr, bicubic_downscale(sr, _SCALE, edge), data_range=255)
