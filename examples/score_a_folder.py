"""Scores a folder of enlarged pictures against the originals of the same names.

python examples/score_a_folder.py RESULTS ORIGINALS

Prints PSNR and SSIM of Y by the paper's protocol: 8 bits, 6 border pixels left out. For NIQE, the
perceptual index and whole benchmarks there is `python -m evaluation.run --model=folder:RESULTS`.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.metrics.psnr import psnr
from evaluation.metrics.ssim import ssim
from sr_images.luma import rgb_to_y


def main(results: str, originals: str) -> None:
    """Prints a line a picture, and the means."""
    rows = []
    for path in sorted(Path(originals).glob("*.png")):
        expected, found = (_luma(Path(folder) / path.name) for folder in (originals, results))
        kind = {"data_range": 255, "border": 6}
        rows.append((psnr(expected, found, **kind), ssim(expected, found, **kind)))
        print(f"{path.name}: {rows[-1][0]:.2f} dB, {rows[-1][1]:.4f}")
    if not rows:
        sys.exit(f"{originals}: no .png in this folder; name the folder of the originals")
    mean_psnr, mean_ssim = np.mean(rows, axis=0)
    print(f"mean: {mean_psnr:.2f} dB, {mean_ssim:.4f}")


def _luma(path: Path) -> np.ndarray:
    return rgb_to_y(np.asarray(Image.open(path).convert("RGB")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
