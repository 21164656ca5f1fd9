"""JPEG files that lack only their last two bytes, which say that they end."""

from __future__ import annotations

import io

import numpy as np
from PIL import JpegImagePlugin

_END = b"\xff\xd9"


def with_end(content: bytes) -> bytes | None:
    """The file with its end, if nothing else is missing.

    What comes after the last block of pixels is not read. So two files with different bytes there
    decode alike if the last block is whole, and differ if it is not.

    Args:
        content: A file whose end the decoder has missed.

    Returns:
        The whole file; None if pixels are missing.
    """
    content = content.rstrip(b"\xff")
    mended = content + _END
    try:
        one, other = (_decoded(content + padding + _END) for padding in (b"", b"\x2a\xd5" * 64))
    except Exception:  # Pillow's decoders raise nearly anything on damaged files
        return None
    return mended if np.array_equal(one, other) else None


def _decoded(content: bytes) -> np.ndarray:
    with JpegImagePlugin.JpegImageFile(io.BytesIO(content)) as image:
        return np.array(image)
