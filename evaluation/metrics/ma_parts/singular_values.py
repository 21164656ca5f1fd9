"""Third group of features: the singular values of an image's patches."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_SIDE = 5
_LENGTH = _SIDE**2

# Patches in one QR decomposition: so few that they fit into the processor's cache, and that BLAS
# does not share out the work: its threads get in each other's way where many images are scored.
_CHUNK = 256


def singular_values(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Singular values of the matrix whose columns are the patches of 5x5 pixels.

    The patches do not overlap; the image is continued with zeros to whole patches. Computed by QR
    decompositions of chunks and of what they leave: the shorter way over the matrix times its
    transpose would lose half of the digits of the small values.

    Args:
        level: float64 [H, W] in 0..1.

    Returns:
        float64 [25], descending; zeros at the end where there are fewer than 25 patches.
    """
    height, width = level.shape
    rows, columns = -(-height // _SIDE), -(-width // _SIDE)
    padded = np.zeros((_SIDE * rows, _SIDE * columns))
    padded[:height, :width] = level
    windows = sliding_window_view(padded, (_SIDE, _SIDE))[::_SIDE, ::_SIDE]
    patches = windows.reshape(-1, _LENGTH)
    while len(patches) > _CHUNK:
        patches = _triangles(patches).reshape(-1, _LENGTH)
    values = np.linalg.svd(_triangles(patches)[0], compute_uv=False)
    return np.asarray(values, np.float64)


def _triangles(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """R of the QR decomposition of each chunk of patches [n, 25]: [chunks, 25, 25]."""
    chunks = -(-len(patches) // _CHUNK)
    filled = np.zeros((chunks * _CHUNK, _LENGTH))
    filled[: len(patches)] = patches
    triangles = np.linalg.qr(filled.reshape(chunks, _CHUNK, _LENGTH), mode="r")
    return np.asarray(triangles, np.float64)
