"""Makes the picture of docs/guide/method.md: what both generators make, and how they are merged.

    python examples/method_picture.py                         # writes docs/images/method.png
    python examples/method_picture.py PHOTO OUT.png X Y SIDE  # your photo; X, Y, SIDE in its pixels

The third square shows how far the vivid image departs from the faithful one, in the channel where
it departs most: black is 0 grey levels, white 32 and more. The fourth is white where that is more
than the threshold t, so that the merged image holds back.
"""

import sys

import numpy as np
from PIL import Image
from readme_picture import README_CROP, side_by_side

from bigans import Upscaler

XI = 0.73
WHITE = 32  # grey levels


def images(photo: np.ndarray) -> dict[str, np.ndarray]:
    """What is shown of a photo, uint8 [H, W, 3]: uint8 [4H, 4W, 3] by label."""
    upscale = Upscaler.from_pretrained(weights="clean")
    faithful, vivid, merged = (upscale(photo, xi=xi) for xi in (0.0, 1.0, XI))
    deviation = np.abs(vivid.astype(np.float32) - faithful)
    threshold = np.quantile(deviation, XI)
    largest = deviation.max(axis=-1)
    shade = np.minimum(largest * (255 / WHITE), 255).astype(np.uint8)
    beyond = np.where(largest > threshold, 255, 0).astype(np.uint8)
    gray = [np.repeat(one[..., None], 3, axis=-1) for one in (shade, beyond)]
    return {
        "faithful, I_g": faithful,
        "vivid, I_G": vivid,
        "|Δ|": gray[0],
        f"|Δ| > t = {threshold:.0f}": gray[1],
        f"merged, ξ = {XI}": merged,
    }


def main(arguments: list[str]) -> None:
    """Draws the picture that the command line names, or the guide's."""
    if not arguments:
        from skimage import data

        photo, output, place = data.chelsea(), "docs/images/method.png", README_CROP
    elif len(arguments) == 5:
        photo = np.asarray(Image.open(arguments[0]).convert("RGB"))
        output, place = arguments[1], tuple(map(int, arguments[2:]))
    else:
        sys.exit(__doc__)
    side_by_side(images(photo), *place).save(output, optimize=True)
    print(output)


if __name__ == "__main__":
    main(sys.argv[1:])
