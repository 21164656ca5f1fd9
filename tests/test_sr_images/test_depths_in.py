"""White stays white in files whose channels have another number of bits than 8 or 16."""

import io
import struct

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

from sr_images.pictures_in import read_picture
from sr_program.errors import DataError


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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [1, 4, 7, 8, 10, 12, 16])
@pytest.mark.parametrize("kind", ["jp2", "j2k"])
def test_jpeg_2000_of_any_depth(kind, bits, channels):
    levels = ramp(bits, (16, 24, channels)).squeeze()
    options = {"reversible": True, "level": 0, "codecformat": kind}
    check(imagecodecs.jpeg2k_encode(levels, bitspersample=bits, **options), levels, bits)


def test_channels_of_a_jpeg_2000_of_different_depths():
    """An alpha of 1 bit, beside colours of 8."""
    colours = ramp(8, (16, 24, 3))
    alpha = (colours[:, :, :1] > 99).astype(np.uint8)
    options = {"reversible": True, "level": 0, "codecformat": "jp2"}
    # levels are coded as what they are above the middle, which is 1 of 1 bit and 128 of 8
    content = bytearray(
        imagecodecs.jpeg2k_encode(np.dstack([colours, alpha + 127]), mct=False, **options)
    )
    depths = content.index(b"\xff\x4f\xff\x51") + 42
    assert content[depths : depths + 12 : 3] == b"\7\7\7\7"
    content[depths + 9] = 0
    picture = read_picture(bytes(content))
    np.testing.assert_array_equal(picture.pixels, colours)
    np.testing.assert_array_equal(picture.alpha, alpha[:, :, 0] * 255)


def box(kind, content):
    return struct.pack(">I", len(content) + 8) + kind + content


def test_a_palette_of_16_colours_in_a_jpeg_2000():
    """As OpenJPEG reads it."""
    places = ramp(4, (16, 24))
    palette = np.random.default_rng(0).integers(0, 256, (16, 3)).astype(np.uint8)
    stream = imagecodecs.jpeg2k_encode(places, bitspersample=4, reversible=True, level=0)
    stream = bytes(stream)[bytes(stream).index(b"\xff\x4f\xff\x51") :]
    head = box(b"ihdr", struct.pack(">IIHBBBB", 16, 24, 1, 3, 7, 0, 0))
    head += box(b"colr", b"\1\0\0\0\0\0\x10")
    head += box(b"pclr", struct.pack(">HB", 16, 3) + b"\7\7\7" + palette.tobytes())
    head += box(b"cmap", bytes([0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2]))
    mark = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    content = mark + box(b"jp2h", head) + box(b"jp2c", stream)
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(content), palette[places])
    np.testing.assert_array_equal(read_picture(content).pixels, palette[places])


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


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "u1", "<f2", ">f2", "<f4", ">f4", ">f8"])
def test_an_array_of_either_byte_order(dtype):
    levels = ramp(8, (16, 24, 3)).astype(dtype) / (255 if "f" in dtype else 1)
    file = io.BytesIO()
    np.save(file, levels.astype(dtype))
    pixels = read_picture(file.getvalue()).pixels
    assert pixels.dtype.isnative
    np.testing.assert_allclose(pixels, levels, rtol=1e-3 if "2" in dtype else 1e-6)


@pytest.mark.parametrize("dtype", [">u4", "<i2", "?", "S2", "O", "M8[s]", "c8", "u1,u1"])
def test_an_array_of_other_numbers_is_refused(dtype):
    file = io.BytesIO()
    np.save(file, np.zeros((4, 4), dtype), allow_pickle=True)
    with pytest.raises(DataError, match="save uint8, uint16, or floats 0..1"):
        read_picture(file.getvalue())


@pytest.mark.parametrize("white", [256, 1000, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_netpbm_of_any_white(kind, white):
    levels = np.linspace(0, white, 16 * 24 * 3).round().astype(np.uint16).reshape(16, 24, 3)
    if kind in ("P2", "P5"):
        levels = levels[:, :, 0]
    content = f"{kind} # drawn\n24 16\n# and\n{white}\n".encode()
    if kind in ("P2", "P3"):
        content += b"# levels 1 2 3\n" + " ".join(map(str, levels.ravel().tolist())).encode()
    else:
        content += levels.astype(">u2").tobytes()
    pixels = read_picture(content).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_allclose(pixels.squeeze(), levels * (65535 / white), atol=0.5)
    with pytest.raises(DataError, match="is damaged"):
        read_picture(content[:-5])


def test_netpbm_of_16_bits_that_opencv_has_written():
    levels = ramp(16, (16, 24, 3))
    content = cv2.imencode(".ppm", levels[:, :, ::-1])[1].tobytes()
    np.testing.assert_array_equal(read_picture(content).pixels, levels)


def packed_row(row):
    """Runs of SGI: what repeats, and what does not, of 100 pixels at most."""
    words, at = [], 0
    while at < len(row):
        other = np.flatnonzero(row[at:] != row[at])
        same = min(100, int(other[0]) if other.size else len(row) - at)
        take = same if same > 1 else min(5, len(row) - at)
        words += [take, row[at]] if same > 1 else [0x80 | take, *row[at : at + take]]
        at += take
    return np.array([*words, 0], ">u2").tobytes()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("is_packed", [False, True])
def test_sgi_of_16_bits(channels, is_packed):
    """Its upper bits are what Pillow reads."""
    levels = ramp(16, (16, 24, channels))
    levels[3:9, 4:19] = levels[3, 3]
    planes = np.moveaxis(levels[::-1], 2, 0)
    head = struct.pack(
        ">HBBHHHHII", 474, is_packed, 2, 3 if channels > 1 else 2, 24, 16, channels, 0, 65535
    )
    body = planes.astype(">u2").tobytes()
    if is_packed:
        rows = [packed_row(row) for plane in planes for row in plane]
        lengths = np.array([len(row) for row in rows])
        starts = 512 + 8 * len(rows) + np.cumsum(lengths) - lengths
        body = starts.astype(">u4").tobytes() + lengths.astype(">u4").tobytes() + b"".join(rows)
    content = head.ljust(512, b"\0") + body
    np.testing.assert_array_equal(read_picture(content).samples, levels)
    upper = np.array(Image.open(io.BytesIO(content))).reshape(levels.shape)
    np.testing.assert_array_equal(upper, levels >> 8)
    # where a run of several words is cut after its first, too
    for cut in (5, 6, 8):
        with pytest.raises(DataError, match="is damaged"):
            read_picture(content[: len(content) - cut])


@pytest.mark.parametrize("alpha_bits", [0, 8])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_tga_without_alpha_bits_is_opaque(channels, alpha_bits):
    """Whatever the fourth bytes hold."""
    levels = ramp(8, (16, 24, channels))
    stored = levels if channels == 2 else levels[:, :, [2, 1, 0, 3]]
    head = (0, 0, 2 if channels == 4 else 3, 0, 0, 0, 0, 0, 24, 16, 8 * channels, 0x20 | alpha_bits)
    picture = read_picture(struct.pack("<BBBHHBHHHHBB", *head) + stored.tobytes())
    np.testing.assert_array_equal(picture.pixels, levels[:, :, :-1])
    if alpha_bits:
        np.testing.assert_array_equal(picture.alpha, levels[:, :, -1])
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("bits", [24, 32])
@pytest.mark.parametrize("is_gray", [False, True])
def test_a_tga_with_a_palette_is_opaque_and_may_be_gray(bits, is_gray):
    """The fourth bytes of its colours are no alpha."""
    colours = np.repeat(np.arange(0, 250, 10).astype(np.uint8)[:, None], 3, axis=1)
    if not is_gray:
        colours[:, 0] = 255 - colours[:, 0]
    stored = np.pad(colours[:, ::-1], ((0, 0), (0, bits // 8 - 3)))
    places = np.arange(16 * 24).reshape(16, 24) % len(colours)
    head = (0, 1, 1, 0, len(colours), bits, 0, 0, 24, 16, 8, 0x20)
    content = struct.pack("<BBBHHBHHHHBB", *head) + stored.tobytes()
    picture = read_picture(content + places.astype(np.uint8).tobytes())
    assert picture.alpha is None
    expected = colours[places]
    np.testing.assert_array_equal(picture.pixels, expected[..., :1] if is_gray else expected)


def bmp_of_10_bits():
    head = struct.pack("<IiiHHIIiiII", 40, 24, 16, 1, 32, 3, 4 * 16 * 24, 2835, 2835, 0, 0)
    head += struct.pack("<III", 0x3FF << 20, 0x3FF << 10, 0x3FF)
    pixels = bytes(4 * 16 * 24)
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + pixels


def unknown_kinds():
    deep = ramp(12, (16, 24, 3))
    lossless = {"reversible": True, "level": 0}
    yield "jpeg", imagecodecs.jpeg8_encode(deep, bitspersample=12)
    yield "jp2", imagecodecs.jpeg2k_encode(deep.astype(np.int16), codecformat="jp2", **lossless)
    yield "j2k", imagecodecs.jpeg2k_encode(deep.astype(np.int16), codecformat="j2k", **lossless)
    mixed = bytearray(imagecodecs.jpeg2k_encode(deep, codecformat="j2k", **lossless))
    mixed[42] = 11
    yield "j2k of 12 and 16 bits", mixed
    yield "bmp", bmp_of_10_bits()
    yield "sgi", struct.pack(">HBBHHHH", 474, 0, 3, 2, 24, 16, 1).ljust(2000, b"\0")


@pytest.mark.parametrize("name", dict(unknown_kinds()))
def test_sound_files_of_unknown_kinds_are_not_called_damaged(name):
    content = bytes(dict(unknown_kinds())[name])
    with pytest.raises(DataError, match=r"not supported.*; convert it to .*8 or 16 bits"):
        read_picture(content)
