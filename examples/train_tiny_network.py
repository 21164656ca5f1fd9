"""Draws a few pictures, trains a tiny network on them for twenty updates, and exports it.

python examples/train_tiny_network.py FOLDER [mr_srgan | wp_srgan]

Everything goes below FOLDER: photos/, runs/BRANCH and models/BRANCH. It takes less than a minute
and shows the way from photos to a model. The network is too small to enlarge anything well.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

# Of a branch: what makes its network small, and which of its stages is trained.
SIZE = {
    "mr_srgan": ["--num_mr_blocks=1", "--num_res_blocks=1", "--features=8"],
    "wp_srgan": ["--num_res_blocks=1", "--features=8"],
}
STAGE = {"mr_srgan": [], "wp_srgan": ["--stage=1"]}

# Pixels alone: neither a discriminator nor VGG's weights are needed.
TRAINING = [
    *("--noadversarial", "--lambda_vgg=0", "--bicubic_skip"),
    *("--crop_size=32", "--batch_size=2", "--steps=20", "--steps_per_epoch=10"),
]


def draw_photos(folder: Path, count: int = 4) -> None:
    """Writes pictures of circles on a gradient, 96x96 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        rows, columns = np.mgrid[:96, :96]
        gradient = np.stack([rows, columns, (rows + columns) // 2], axis=-1).astype(np.uint8)
        picture = Image.fromarray(gradient)
        for _ in range(12):
            x, y, radius, *colour = (int(value) for value in random.integers(4, 96, 6))
            corners = [x - radius // 4, y - radius // 4, x + radius // 4, y + radius // 4]
            ImageDraw.Draw(picture).ellipse(corners, fill=tuple(2 * value for value in colour))
        picture.save(folder / f"{number}.png")


def main(folder: str, branch: str = "mr_srgan") -> None:
    """Draws, trains and exports."""
    root = Path(folder)
    photos, run, model = root / "photos", root / "runs" / branch, root / "models" / branch
    draw_photos(photos)
    files = [f"--data=folder:{photos}", f"--run_dir={run}"]
    _program(f"{branch}.train", *STAGE[branch], *SIZE[branch], *TRAINING, *files)
    _program(f"{branch}.export", *STAGE[branch], f"--run_dir={run}", f"--output={model}")
    print(model)


def _program(module: str, *flags: str) -> None:
    subprocess.run([sys.executable, "-m", module, *flags], check=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:3] not in ([], ["mr_srgan"], ["wp_srgan"]):
        sys.exit(__doc__)
    main(*sys.argv[1:])
