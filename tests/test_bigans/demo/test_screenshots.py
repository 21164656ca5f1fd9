"""Pictures of the page, for people to look at; BIGANS_SCREENSHOTS=docs/images writes README's.

Those of README show the shipped weights and scikit-image's Chelsea (CC0); others the toy.
"""

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bigans.pretrained.pairs import PAIRS
from sr_images.niqe import NIQE_PARAMETERS, Niqe
from sr_images.picture import Picture
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import write_picture
from sr_program.files.downloads import cached
from tests.test_bigans.demo.conftest import RunningPage, Visitor, run_page
from tests.test_bigans.demo.test_page import drawn

FOR_README = os.environ.get("BIGANS_SCREENSHOTS")


@pytest.fixture
def shown_page(running_page: RunningPage, tmp_path: Path) -> Iterator[RunningPage]:
    if not FOR_README:
        yield running_page
        return
    from bigans import Upscaler
    from bigans.demo.settings import TITLES, Weights

    parameters = os.environ.get("BIGANS_NIQE") or cached(NIQE_PARAMETERS)
    niqe = Niqe(parameters) if parameters else None
    weights = tuple(
        Weights(pair, functools.partial(Upscaler.from_pretrained, weights=pair), title=TITLES[pair])
        for pair in PAIRS
    )
    with run_page(Upscaler(), tmp_path / "page", niqe=niqe, weights=weights) as running:
        yield running


def photo(folder: Path) -> Path:
    pixels = drawn(192, 256)
    if FOR_README:
        skimage_data = pytest.importorskip("skimage.data")
        pixels = np.ascontiguousarray(skimage_data.chelsea()[20:212, 90:346])
    write_picture(folder / "chelsea.png", Picture(pixels))
    return folder / "chelsea.png"


def test_screenshots(
    visit: Callable[..., Visitor], shown_page: RunningPage, tmp_path: Path
) -> None:
    folder = Path(FOR_README or tmp_path)
    visitor = visit(1280, 1180, on=shown_page)
    page = visitor.page
    page.set_default_timeout(120_000)
    visitor.drop(photo(tmp_path))
    page.wait_for_selector("#bg-curve svg")
    page.mouse.move(0, 0)
    page.screenshot(path=folder / "page.jpg", full_page=True, quality=86)
    with visitor.merged():
        page.select_option(".bg-pick-right", "difference")
    page.screenshot(path=tmp_path / "heat.png")
    page.select_option(".bg-pick-right", "result")
    for _ in range(3):
        page.click(".bg-in")
    page.screenshot(path=tmp_path / "zoomed.png")
    page.click(".bg-fit")
    page.set_viewport_size({"width": 400, "height": 860})
    page.wait_for_timeout(300)
    page.locator("#bg-view").scroll_into_view_if_needed()
    page.screenshot(path=folder / "page_narrow.jpg", full_page=not FOR_README, quality=86)
    pictures = [folder / "page.jpg", tmp_path / "heat.png", folder / "page_narrow.jpg"]
    for path, width in zip(pictures, (1280, 1280, 400), strict=True):
        pixels = read_picture(path).pixels
        assert pixels.shape[1] == width and pixels.std() > 20
