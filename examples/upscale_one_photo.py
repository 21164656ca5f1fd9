"""Enlarges one photo.

python examples/upscale_one_photo.py photo.jpg out.png [MODEL]

MODEL is the directory of an exported model; without it, the weights that come with the program.
"""

import sys

import numpy as np
from PIL import Image

from bigans import Upscaler


def main(photo: str, output: str, model: str = "") -> None:
    """Reads a photo, enlarges it at the paper's ξ and writes the result."""
    upscale = Upscaler(model) if model else Upscaler.from_pretrained()
    pixels = np.asarray(Image.open(photo).convert("RGB"))  # uint8 [H, W, 3]
    # The result need not fit into memory: a large photo is enlarged and written piece by piece.
    upscale.to_file(pixels, output)
    print(output)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
