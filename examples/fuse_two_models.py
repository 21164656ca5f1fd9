"""Merges two exported generators into one model with the knob ξ, and enlarges a photo with it.

python examples/fuse_two_models.py FAITHFUL VIVID FUSED photo.jpg out.png

FAITHFUL and VIVID are directories that mr_srgan.export and wp_srgan.export wrote; the fused model
goes to FUSED/1. Any other SavedModel with the same signatures will do as well.
"""

import subprocess
import sys

import numpy as np
from PIL import Image

from bigans import Upscaler


def main(faithful: str, vivid: str, fused: str, photo: str, output: str) -> None:
    """Writes the fused model, and a photo enlarged by it half way between the two."""
    flags = [f"--faithful={faithful}", f"--vivid={vivid}", f"--output={fused}"]
    subprocess.run([sys.executable, "-m", "fusion.export", *flags], check=True)
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    Image.fromarray(Upscaler(fused)(pixels, xi=0.5)).save(output)
    print(output)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
