"""Makes the README's picture: one crop, enlarged by bicubic interpolation and at three values of ξ.

    python examples/readme_picture.py                        # writes docs/images/chelsea.png
    python examples/readme_picture.py PHOTO OUT.png X Y SIDE  # your photo; X, Y, SIDE in its pixels

The whole photo is enlarged, because ξ is a quantile over the whole photo; then the crop is cut out.
No pixel of the crop is interpolated once more.
"""

import sys

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bigans import Upscaler

SCALE = 4
COLUMNS = {"faithful, ξ = 0": 0.0, "merged, ξ = 0.73": 0.73, "vivid, ξ = 1": 1.0}


def enlargements(photo: np.ndarray) -> dict[str, np.ndarray]:
    """The photo, uint8 [H, W, 3], enlarged in each way: uint8 [4H, 4W, 3] by label."""
    height, width = photo.shape[:2]
    size = (SCALE * width, SCALE * height)
    bicubic = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC))
    upscale = Upscaler.from_pretrained()
    ours = {label: upscale(photo, xi=xi) for label, xi in COLUMNS.items()}
    return {"bicubic": bicubic, **ours}


def side_by_side(images: dict[str, np.ndarray], x: int, y: int, side: int) -> Image.Image:
    """The same square of every image, with its label below; x, y and side in the photo's pixels."""
    # Pillow's own font has no ξ.
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 16)
    edge, margin, line = SCALE * side, 6, 28
    sheet = Image.new("RGB", (len(images) * (edge + margin) - margin, edge + line), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, image) in enumerate(images.items()):
        left = number * (edge + margin)
        crop = image[SCALE * y : SCALE * y + edge, SCALE * x : SCALE * x + edge]
        sheet.paste(Image.fromarray(crop), (left, 0))
        draw.text((left, edge + 3), label, "black", font)
    return sheet


def main(arguments: list[str]) -> None:
    """Draws the picture that the command line names, or the README's."""
    if not arguments:
        from skimage import data

        photo, output, place = data.chelsea(), "docs/images/chelsea.png", README_CROP
    elif len(arguments) == 5:
        photo = np.asarray(Image.open(arguments[0]).convert("RGB"))
        output, place = arguments[1], tuple(map(int, arguments[2:]))
    else:
        sys.exit(__doc__)
    side_by_side(enlargements(photo), *place).save(output, optimize=True)
    print(output)


README_CROP = (128, 66, 54)

if __name__ == "__main__":
    main(sys.argv[1:])
