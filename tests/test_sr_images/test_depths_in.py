"""White stays white in files whose channels have another number of bits than 8 or 16."""

import imagecodecs
import numpy as np
import pytest

from sr_images.pictures_in import read_picture


def ramp(bits, shape):
    """All levels from black to white, of a depth, [H, W] or [H, W, C]."""
    levels = np.linspace(0, 2**bits - 1, int(np.prod(shape))).round()
    return levels.reshape(shape).astype(np.uint8 if bits <= 8 else np.uint16)


def stretched(levels, bits):
    white = 255 if bits <= 8 else 65535
    return np.floor(levels * (white / (2**bits - 1)) + 0.5)


def check(content, levels, bits, least=0):
    """Whether a file is read as its levels, stretched."""
    picture = read_picture(bytes(content))
    assert picture.pixels.dtype == (np.uint8 if bits <= 8 else np.uint16)
    found = np.abs(
        picture.samples.astype(float) - stretched(levels, bits).reshape(picture.samples.shape)
    )
    assert found.max() <= least


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [1, 4, 7, 8, 10, 12, 16])
def test_jpeg_xl_of_any_depth(bits, channels):
    pytest.importorskip("pillow_jxl")
    levels = ramp(bits, (16, 24, channels)).squeeze()
    check(imagecodecs.jpegxl_encode(levels, lossless=True, bitspersample=bits), levels, bits)


def test_the_depth_of_a_jpeg_xl_is_found_behind_other_fields():
    """Orientation, a preview and an animation's clock come before it; boxes before all."""
    from sr_images.decoders.jxl_head import head_of

    # 24x32; extra fields: orientation 6, shown in 24x32, preview 8x8, 100 ticks; then 12 bits
    size = [(1, 1), (2, 5), (0, 3), (3, 5)]
    fields = [(0, 1), (1, 1), (5, 3), (1, 1), *size, (1, 1), (1, 1), (2, 2), (0, 5), (1, 3)]
    clock = [(1, 1), (0, 2), (0, 2), (0, 2), (0, 1)]
    number = at = 0
    for value, count in [*size, *fields, *clock, (0, 1), (2, 2)]:
        number, at = number | value << at, at + count
    stream = b"\xff\x0a" + number.to_bytes(32, "little")
    exif = b"\0\0\0\x10Exif\xff\x0a\xff\x0a\xff\x0a\xff\x0a"
    parts = b"\0\0\0\x0fjxlp\0\0\0\0" + stream[:3] + b"\0\0\0\0jxlp\x80\0\0\1" + stream[3:]
    for content in (stream, b"\0\0\0\x0cJXL \r\n\x87\n" + exif + parts):
        head = head_of(content)
        assert (head.height, head.width, head.bits, head.is_float) == (24, 32, 12, False)
