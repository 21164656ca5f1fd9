"""TIFF files that are damaged, or of a rare kind: read as other libraries do, or refused."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmarks.studies.drawn_files import scene
from sr_images.pictures_in import Limits, open_pictures, read_picture
from sr_program.errors import DataError

COLOUR = scene()


def tiff(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **{"metadata": None, **options})
    return file.getvalue()


def pillow_tiff(image, **options):
    file = io.BytesIO()
    image.save(file, "TIFF", **options)
    return file.getvalue()


def damaged(content):
    """With some bytes overwritten in the middle of the first strip."""
    page = tifffile.TiffFile(io.BytesIO(content)).pages[0]
    start, length = page.dataoffsets[0], page.databytecounts[0]
    part = slice(start + length // 3, start + length // 2)
    overwritten = bytearray(content)
    overwritten[part] = b"\x55" * (part.stop - part.start)
    return bytes(overwritten)


def subsampled(compression):
    """With a colour for 2x2 pixels, which tifffile does not read."""
    image = Image.fromarray(COLOUR).convert("YCbCr")
    return pillow_tiff(image, compression=compression, tiffinfo={530: (2, 2)})


def files_to_damage():
    for name in ("zlib", "lzw", "lzma"):
        yield name, tiff(COLOUR, photometric="rgb", compression=name)
    for name in ("tiff_adobe_deflate", "tiff_lzw"):
        yield f"subsampled {name}", subsampled(name)


@pytest.mark.parametrize("name", dict(files_to_damage()))
def test_damage_is_told_in_one_line(name, capfd):
    content = dict(files_to_damage())[name]
    with pytest.raises(DataError, match=r"^the picture: is damaged \(.*\); replace the file$"):
        read_picture(damaged(content))
    assert capfd.readouterr() == ("", "")


def test_a_file_without_pages_is_told_in_one_line(caplog):
    with pytest.raises(DataError, match="holds no picture"):
        open_pictures(b"II*\0\0\0\0\0")
    assert not caplog.records


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_subsampled_ycbcr_is_read_as_by_pillow(compression):
    content = subsampled(compression)
    expected = np.array(Image.open(io.BytesIO(content)).convert("RGB"))
    np.testing.assert_array_equal(read_picture(content).pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_subsampled_ycbcr_is_turned_once(orientation):
    image = Image.fromarray(COLOUR).convert("YCbCr")
    content = pillow_tiff(image, tiffinfo={530: (2, 2), 274: orientation})
    upright = np.array(Image.open(io.BytesIO(subsampled(None))).convert("RGB"))
    turned = {2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]}
    across = np.swapaxes(upright, 0, 1)
    turned |= {5: across, 6: across[:, ::-1], 7: across[::-1, ::-1], 8: across[::-1]}
    found = read_picture(content).pixels
    np.testing.assert_array_equal(found, turned.get(orientation, upright))


def old_jpeg_tiff(jpeg):
    """A page whose JPEG is of the old kind: a whole file behind one of the tags."""
    height, width = COLOUR.shape[:2]
    depths = 8 + 2 + 12 * 12 + 4
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, depths), (259, 3, 1, 6)]
    tags += [(262, 3, 1, 6), (273, 4, 1, depths + 6), (277, 3, 1, 3), (278, 4, 1, height)]
    tags += [(279, 4, 1, len(jpeg)), (513, 4, 1, depths + 6), (514, 4, 1, len(jpeg))]
    tags += [(530, 3, 2, 0x10001)]
    entries = b"".join(struct.pack("<HHLL", *tag) for tag in tags)
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)
    return head + struct.pack("<HHH", 8, 8, 8) + jpeg


def test_jpeg_of_the_old_kind_is_read_as_the_jpeg():
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "JPEG", quality=95, subsampling=0)
    found = read_picture(old_jpeg_tiff(file.getvalue())).pixels
    np.testing.assert_array_equal(found, np.array(Image.open(file)))


def test_an_unknown_compression_is_told():
    content = bytearray(tiff(COLOUR, photometric="rgb"))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        at = page.tags["Compression"].valueoffset
    content[at : at + 2] = (32895).to_bytes(2, "little")  # IT8CTPAD
    with pytest.raises(DataError, match="in the compression IT8CTPAD; save it as RGB in deflate"):
        read_picture(bytes(content))


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_a_palette_keeps_its_alpha(planar, kind):
    """A second channel that is said to be alpha, and no other."""
    palette = Image.fromarray(COLOUR).quantize(16)
    indices, alpha = np.array(palette), COLOUR[:, :, 0]
    colours = np.array(palette.getpalette("RGB"), np.uint8).reshape(-1, 3)
    colours = np.concatenate([colours, np.zeros((256 - len(colours), 3), np.uint8)])
    content = tiff(
        np.stack([indices, alpha], axis=2 if planar == 1 else 0),
        photometric="minisblack",
        planarconfig=planar,
        extrasamples=[kind],
        extratags=[(320, 3, 768, (colours.T.astype(int) * 257).ravel().tolist(), True)],
    )
    content = bytearray(content)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        content[page.tags["PhotometricInterpretation"].valueoffset] = 3
    picture = read_picture(bytes(content))
    np.testing.assert_array_equal(picture.pixels, np.array(palette.convert("RGB")))
    if kind == "unspecified":
        assert picture.alpha is None
    else:
        np.testing.assert_array_equal(picture.alpha, alpha)


def test_a_palette_with_alpha_of_pillow():
    image = Image.fromarray(COLOUR).quantize(16).convert("PA")
    image.putalpha(Image.fromarray(COLOUR[:, :, 1]))
    picture = read_picture(pillow_tiff(image))
    np.testing.assert_array_equal(picture.samples, np.array(image.convert("RGBA")))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 2])
@pytest.mark.parametrize("kind", ["cielab", "icclab", "separated", "miniswhite"])
def test_what_is_no_number_is_refused_in_any_colours(kind, channel, value):
    shape = {"separated": (4, 4, 4), "miniswhite": (4, 4)}.get(kind, (4, 4, 3))
    array = np.zeros(shape, np.float32)
    array[1, channel] = value
    with pytest.raises(DataError, match="holds NaN or infinite values; replace them by numbers"):
        read_picture(tiff(array, photometric=kind))


def test_lab_of_floats_is_read_as_lab_of_8_bits():
    lab = np.full((4, 4, 3), (50, 20, 226), np.uint8)  # a 20, b -30
    floats = np.full((4, 4, 3), (50 * 100 / 255, 20, -30), np.float32)
    found = read_picture(tiff(floats, photometric="cielab")).pixels
    expected = read_picture(tiff(lab, photometric="cielab")).pixels
    np.testing.assert_allclose(found * 255, expected, atol=0.51)


def without_entry(content, tag):
    """With another number for an entry of the first page, if it is there."""
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        found = page.tags.get(tag)
    at = found.offset if found else 0
    return content[:at] + struct.pack("<H", 65100) + content[at + 2 :] if found else content


@pytest.mark.parametrize(
    ("inks", "entries"), [(4, {332: 2}), (6, {332: 2, 334: 6}), (6, {334: 6}), (5, {})]
)
def test_other_inks_than_cmyk_are_refused(inks, entries):
    array = np.full((4, 4, inks), 99, np.uint8)
    content = tiff(
        array,
        photometric="separated",
        planarconfig="contig",
        extratags=[(tag, 3, 1, value, True) for tag, value in entries.items()],
    )
    content = without_entry(content, 338)  # what channels beyond four are
    with pytest.raises(DataError, match="other inks than CMYK; convert it to RGB"):
        read_picture(content)


@pytest.mark.parametrize("entries", [{}, {332: 1}, {332: 1, 334: 4}])
def test_cmyk_that_says_so_is_read(entries):
    tags = [(tag, 3, 1, value, True) for tag, value in entries.items()]
    inks = np.array(Image.fromarray(COLOUR).convert("CMYK"))
    content = tiff(inks, photometric="separated", extratags=tags)
    assert np.abs(read_picture(content).pixels.astype(int) - COLOUR).max() <= 1
    content = tiff(
        np.dstack([inks, COLOUR[:, :, 0]]),
        photometric="separated",
        extrasamples=["unassalpha"],
        extratags=tags,
    )
    np.testing.assert_array_equal(read_picture(content).alpha, COLOUR[:, :, 0])


STACK = np.stack([COLOUR, COLOUR[::-1], 255 - COLOUR])


def stacks():
    for order in "<>":
        yield STACK, {"truncate": True, "photometric": "rgb", "byteorder": order}
        yield STACK[..., 0], {"truncate": True, "photometric": "minisblack", "byteorder": order}
        deep = STACK[..., 0].astype(np.uint16) * 257
        yield deep, {"truncate": True, "photometric": "minisblack", "byteorder": order}
    yield STACK[None, ..., 0], {"truncate": True, "photometric": "minisblack"}
    yield STACK, {"truncate": True, "imagej": True}
    yield STACK[..., 0], {"truncate": True, "imagej": True}
    yield STACK[..., 0], {"imagej": True}
    yield STACK[..., 0], {"photometric": "minisblack"}
    yield COLOUR, {"truncate": True, "photometric": "rgb"}


@pytest.mark.parametrize(("array", "options"), list(stacks()))
def test_all_pages_behind_one_directory_are_read(array, options):
    with open_pictures(tiff(array, metadata={}, **options)) as pictures:
        found = list(pictures)
    expected = array.reshape(-1, *found[0].pixels.shape)
    assert len(found) == pictures.count == len(expected)
    for page, one in zip(found, expected, strict=True):
        np.testing.assert_array_equal(page.pixels, one)


def test_a_stack_that_lacks_its_end_is_told():
    content = tiff(STACK, metadata={}, truncate=True, photometric="rgb")
    with open_pictures(content[:-9]) as pictures, pytest.raises(DataError, match="truncated"):
        list(pictures)
    with pytest.raises(DataError, match="has 3 frames or pages, more than max_frames=2"):
        open_pictures(content, limits=Limits(max_frames=2))


@pytest.mark.parametrize(
    "description",
    ["ImageJ=1\nimages=3\n", '{"shape": [3, 48, 64, 3], "truncated": true}'],
    ids=["ImageJ", "shape"],
)
def test_a_stack_that_another_program_has_packed_is_one_page(description):
    """The description stays, which speaks of three."""
    content = tiff(COLOUR, photometric="rgb", compression="zlib", description=description)
    assert read_picture(content).size == COLOUR.shape[:2]
    with open_pictures(content) as pictures:
        assert pictures.count == 1


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_lab_of_other_depths_is_refused(dtype):
    content = tiff(np.ones((4, 4, 3), dtype), photometric="cielab")
    with pytest.raises(DataError, match=r"Lab in (32|64) bits; convert it to 8 or 16 bits"):
        read_picture(content)
