import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from evaluation.sheets.sheet import Crop, Panel, draw_sheet, where_they_differ
from sr_program.errors import DataError

WHITE = 255


@pytest.fixture(scope="module")
def photos(draw_photo) -> list[np.ndarray]:
    return [draw_photo(40, 60, seed) for seed in range(3)]


def test_where_images_differ_by_trying_every_place(photos) -> None:
    first, second = photos[:2]
    luma = [np.floor(rgb2ycbcr(image)[..., 0] + 0.5) for image in (first, second)]
    square = (luma[0] - luma[1]) ** 2
    for width, height in ((7, 5), (1, 1), (60, 3), (9, 40)):
        sums = {
            (y, x): square[y : y + height, x : x + width].sum()
            for y in range(40 - height + 1)
            for x in range(60 - width + 1)
        }
        y, x = max(sums, key=lambda place: sums[place])
        assert where_they_differ(first, second, width, height) == Crop(x, y, width, height)


def test_where_one_spot_differs(photos) -> None:
    changed = photos[0].copy()
    changed[30:34, 50:54] ^= 128
    crop = where_they_differ(photos[0], changed, 4, 4)
    assert crop == Crop(x=50, y=30, width=4, height=4)


def test_an_image_smaller_than_the_crop(photos) -> None:
    assert where_they_differ(photos[0], photos[1], 96, 96) == Crop(0, 0, 60, 40)
    assert where_they_differ(photos[0], photos[1], 96, 8).width == 60


def places(sheet: np.ndarray, pixels: np.ndarray) -> list[tuple[int, int]]:
    """(x, y) of every place at which the pixels stand in the sheet."""
    height, width = pixels.shape[:2]
    corner = (sheet == pixels[0, 0]).all(axis=-1)
    return [
        (int(x), int(y))
        for y, x in np.argwhere(corner)
        if np.array_equal(sheet[y : y + height, x : x + width], pixels)
    ]


@pytest.mark.parametrize("zoom", [1, 3])
def test_panels_are_exact_and_in_order(photos, zoom) -> None:
    crop = Crop(11, 5, 20, 16)
    panels = [Panel(name, image) for name, image in zip("abc", photos, strict=True)]
    sheet = draw_sheet(photos[0], panels, crop, title="Set5/baby", zoom=zoom)
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    found = []
    for image in photos:
        inside = image[5:21, 11:31]
        enlarged = inside.repeat(zoom, axis=0).repeat(zoom, axis=1)
        # with zoom 1 the whole image at the left, which is as high, holds no unframed copy
        [place] = places(sheet, enlarged)
        found.append(place)
    assert found == sorted(found)
    assert len({y for _, y in found}) == 1
    starts = [x for x, _ in found]
    assert all(b - a >= 20 * zoom for a, b in zip(starts, starts[1:], strict=False))


def test_the_crop_is_framed_in_the_whole_image(photos) -> None:
    """At the size of the crops' height: here that of the image itself."""
    gray = np.full((96, 120, 3), 90, np.uint8)
    crop = Crop(30, 40, 50, 24)
    sheet = draw_sheet(gray, [Panel("a", gray)], crop, title="", zoom=4)
    red = (sheet[..., 0] > 180) & (sheet[..., 1] < 80) & (sheet[..., 2] < 80)
    rows, columns = np.nonzero(red)
    left, top = 8, 8  # the margin
    assert (columns.min() - left, rows.min() - top) == (30, 40)
    assert (columns.max() - left + 1, rows.max() - top + 1) == (30 + 50, 40 + 24)
    inside = sheet[top + 44 : top + 60, left + 34 : left + 76]
    assert (inside == 90).all()
    assert (gray == 90).all()


def test_the_frame_stands_out_on_any_colour() -> None:
    """Two sharp red lines with a white one around them, however much the image is reduced."""
    red = np.full((500, 400, 3), (220, 40, 30), np.uint8)
    sheet = draw_sheet(red, [Panel("a", red)], Crop(100, 150, 50, 50), title="", zoom=2)
    scale, margin = 100 / 500, 8
    left, top = margin + round(100 * scale), margin + round(150 * scale)
    size = round(50 * scale)
    frame = sheet[top - 1 : top + size + 1, left - 1 : left + size + 1]
    white = (frame == WHITE).all(axis=-1)
    assert white[[0, -1]].all() and white[:, [0, -1]].all()
    assert not white[1:-1, 1:-1].any()
    gray = np.full((500, 400, 3), 90, np.uint8)
    sheet = draw_sheet(gray, [Panel("a", gray)], Crop(100, 150, 50, 50), title="", zoom=2)
    lines = sheet[top : top + size, left : left + size]
    assert (lines[:2] == (220, 40, 30)).all() and (lines[:, -2:] == (220, 40, 30)).all()
    assert (lines[2:-2, 2:-2] == 90).all()


def test_names_and_scores_stand_below_their_panels(photos) -> None:
    crop = Crop(0, 0, 30, 30)

    def draw(*captions: tuple[str, ...], title: str = "") -> np.ndarray:
        panels = [Panel("MR-SRGAN", photos[0], caption) for caption in captions]
        return draw_sheet(photos[0], panels, crop, title=title, zoom=4)

    plain, captioned = draw((), ()), draw((), ("PSNR 28.42",))
    more = captioned.shape[0] - plain.shape[0]
    assert more > 10 and captioned.shape[1] == plain.shape[1]
    ink = (captioned[plain.shape[0] - 4 :] != WHITE).any(axis=-1)
    assert ink.any()
    # below the second panel, not the first
    [(start, _)] = places(captioned[:, 8 + 160 + 8 + 100 :], enlarged(photos[0][:30, :30], 4))
    assert np.nonzero(ink)[1].min() >= start + 8 + 160 + 8 + 100
    assert (draw((), (), title="Set5") != plain).any()


def enlarged(pixels: np.ndarray, zoom: int) -> np.ndarray:
    return pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)


def test_a_long_caption_has_room(photos) -> None:
    crop = Crop(0, 0, 10, 10)
    text = "PSNR 28.42, SSIM 0.8104, LR consistency 45.00"
    short = [Panel("a", photos[0]), Panel("b", photos[1])]
    long = [Panel("a", photos[0], (text,)), Panel("b", photos[1])]
    narrow = draw_sheet(photos[0], short, crop, title="", zoom=1)
    wide = draw_sheet(photos[0], long, crop, title="", zoom=1)
    assert wide.shape[1] > narrow.shape[1] + 150
    [(x, _)] = places(wide, photos[1][:10, :10])
    ink = (wide[30:] != WHITE).any(axis=(0, 2))
    assert not ink[x - 6 : x].any()  # the text ends before the next panel


@pytest.mark.parametrize("size", [(1, 1), (60, 1), (1, 40), (2, 2)])
def test_a_crop_smaller_than_a_pixel_of_the_whole_image_as_shown(photos, size) -> None:
    crop = Crop(0, 0, *size)
    sheet = draw_sheet(photos[0], [Panel("a", photos[0])], crop, title="a", zoom=1)
    assert places(sheet, photos[0][: size[1], : size[0]])


def test_a_sheet_that_nobody_could_look_at(photos) -> None:
    with pytest.raises(DataError, match="Set5/a: the sheet would have .* choose a smaller zoom"):
        draw_sheet(photos[0], [Panel("a", photos[0])], Crop(0, 0, 60, 40), title="Set5/a", zoom=250)
