"""Enlarges one photo at eleven values of ξ, from faithful (0) to vivid (1).

python examples/sweep_xi.py photo.jpg FOLDER [MODEL]

Writes FOLDER/xi_0.0.png to FOLDER/xi_1.0.png. MODEL is the directory of a fused model; without it,
the weights that come with the program. The generators run once.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from bigans import Upscaler


def main(photo: str, folder: str, model: str = "") -> None:
    """Writes the results, and prints how far each is from the faithful one."""
    upscale = Upscaler(model) if model else Upscaler.from_pretrained()
    pixels = np.asarray(Image.open(photo).convert("RGB"))  # uint8 [H, W, 3]
    Path(folder).mkdir(parents=True, exist_ok=True)
    xis = [tenths / 10 for tenths in range(11)]
    results = upscale.sweep(pixels, xis)
    faithful = results[0]
    for xi, result in zip(xis, results, strict=True):
        Image.fromarray(result).save(Path(folder) / f"xi_{xi}.png")
        distance = np.abs(result.astype(int) - faithful)
        print(f"ξ = {xi}: {distance.mean():.2f} grey levels on average, {distance.max()} at most")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
