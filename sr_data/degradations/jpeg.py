"""What JPEG does to an image: encoded and decoded in memory by OpenCV, which is libjpeg-turbo."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SAMPLING = {
    False: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    True: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


def jpeg_bytes(image: NDArray[np.uint8], quality: int, *, half_colour: bool) -> bytes:
    """A JPEG file.

    Args:
        image: uint8 [H, W, 3], RGB.
        quality: 1 to 100, libjpeg's.
        half_colour: 4:2:0, half the resolution of colour in both directions; else 4:4:4.
    """
    settings = (
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[half_colour]),
    )
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    if not done:
        raise ValueError(f"OpenCV cannot encode an image of {list(image.shape)}")
    return encoded.tobytes()


def through_jpeg(
    image: NDArray[np.uint8],
    quality: int,
    *,
    half_colour: bool,
    corner: tuple[int, int] = (0, 0),
) -> NDArray[np.uint8]:
    """The image after JPEG.

    Args:
        image: uint8 [H, W, 3], RGB.
        quality: 1 to 100, libjpeg's.
        half_colour: 4:2:0; else 4:4:4.
        corner: rows and columns of the file that lie before the image: the blocks of 8x8 pixels
            (of 16x16 for colour in 4:2:0) begin so many pixels above and left of it, as if it had
            been cut from a larger photo. There its edge pixels are repeated.

    Returns:
        uint8 [H, W, 3], RGB.
    """
    above, left = corner
    if above or left:
        image = np.asarray(
            cv2.copyMakeBorder(image, above, 0, left, 0, cv2.BORDER_REPLICATE), np.uint8
        )
    encoded = jpeg_bytes(image, quality, half_colour=half_colour)
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise ValueError(f"OpenCV cannot decode the JPEG of an image of {list(image.shape)}")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)[above:, left:]
