"""Arrays as NumPy saves them."""

from __future__ import annotations

from typing import IO

import numpy as np

from sr_images.picture import Picture


def encode(file: IO[bytes], picture: Picture) -> None:
    """Writes [H, W, C]: gray, gray and alpha, RGB, or RGB and alpha; nothing else is kept.

    Raises:
        OSError: The file cannot be written.
    """
    np.lib.format.write_array(file, picture.samples, allow_pickle=False)
