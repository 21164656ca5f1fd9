import numpy as np
import pytest

from evaluation.sheets.rows import draw_rows, most_detailed
from evaluation.sheets.sheet import Crop
from sr_images.luma import rgb_to_y


def test_the_most_detailed_square_by_trying_every_place(draw_photo) -> None:
    image = draw_photo(23, 31, 1)
    luma = rgb_to_y(image).astype(float)
    energy = np.zeros(luma.shape)
    for y in range(23):
        for x in range(31):
            energy[y, x] += (luma[y, x] - luma[y, x - 1]) ** 2 if x else 0
            energy[y, x] += (luma[y, x] - luma[y - 1, x]) ** 2 if y else 0
    means = {(y, x): energy[y : y + 9, x : x + 9].mean() for y in range(15) for x in range(23)}
    y, x = max(means, key=lambda place: means[place])
    crop, mean = most_detailed(image, 9)
    assert crop == Crop(x, y, 9, 9)
    assert mean == pytest.approx(means[y, x])


def test_an_image_smaller_than_the_square(draw_photo) -> None:
    assert most_detailed(draw_photo(12, 20), 16)[0].height == 12
    assert most_detailed(draw_photo(12, 12), 16)[0] == Crop(0, 0, 12, 12)


def test_crops_are_exact_and_in_order(draw_photo) -> None:
    crops = [[draw_photo(8, 10, 10 * row + column) for column in range(3)] for row in range(2)]
    rows = [(f"row {number}", each) for number, each in enumerate(crops)]
    sheet = draw_rows(rows, ["a", "b", "a name wider than its column"], zoom=3)
    assert sheet.dtype == np.uint8
    found = []
    for each in crops:
        for crop in each:
            enlarged = crop.repeat(3, axis=0).repeat(3, axis=1)
            corners = np.argwhere((sheet == enlarged[0, 0]).all(axis=-1))
            fits = [
                (y, x)
                for y, x in corners
                if np.array_equal(sheet[y : y + 24, x : x + 30], enlarged)
            ]
            assert len(fits) == 1
            found += fits
    (first, second) = np.array(found).reshape(2, 3, 2)
    assert (np.diff(first[:, 0]) == 0).all() and (np.diff(first[:, 1]) > 30).all()
    np.testing.assert_array_equal(second[:, 1], first[:, 1])
    assert (second[:, 0] >= first[:, 0] + 24).all()
