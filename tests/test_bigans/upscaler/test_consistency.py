"""Results that give their photo back, checked by MATLAB's own 8-bit reduction."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigans.upscaler.consistency import consistent_strips
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.tiles.scratch import Scratch
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.imresize import imresize
from sr_images.levels import to_levels
from sr_images.picture import WHITE, Picture
from sr_program.errors import DataError
from tests.test_bigans.upscaler.numpy_model import upscaler


def consistent(
    result: np.ndarray, photo: np.ndarray, dtype: Any = np.uint8
) -> tuple[np.ndarray, list[str]]:
    """The result, changed; and what was told."""
    told: list[str] = []
    strips = [result[:13].astype(np.float32), result[13:].astype(np.float32)]
    scratch = lambda: Scratch("nowhere", 0)  # noqa: E731
    changed = consistent_strips(
        [strip for strip in strips if len(strip)],
        to_levels(photo),
        (result.shape[0], result.shape[1]),
        dtype,
        scratch,
        told.append,
    )
    return np.concatenate(list(changed)), told


def departure(result: np.ndarray, photo: np.ndarray) -> int:
    return int(np.abs(bicubic_downscale(result, 4).astype(int) - photo).max())


@st.composite
def original(draw: st.DrawFn) -> np.ndarray:
    """What a camera could have seen: noise, black and white, or a checkerboard; uint8."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = (4 * draw(st.integers(1, 7)) for _ in range(2))
    kind = draw(st.sampled_from(["noise", "black and white", "checkerboard", "flat"]))
    if kind == "noise":
        return random.integers(0, 256, (height, width, 3), np.uint8)
    if kind == "black and white":
        return random.integers(0, 2, (height, width, 3), np.uint8) * np.uint8(255)
    if kind == "flat":
        return np.full((height, width, 3), draw(st.integers(0, 255)), np.uint8)
    rows, columns = np.mgrid[:height, :width] // draw(st.integers(1, 3))
    return (((rows + columns) % 2) * 255).astype(np.uint8)[..., None].repeat(3, axis=2)


@settings(deadline=None, max_examples=60)
@given(original(), st.floats(0.5, 1.5), st.floats(-60, 60))
def test_what_was_reduced_is_given_back(image: np.ndarray, gain: float, offset: float) -> None:
    photo = bicubic_downscale(image, 4)
    bad = np.clip(bicubic_upscale(photo, 4) * gain + offset, 0, 255)
    result, told = consistent(bad, photo)
    assert result.dtype == np.uint8
    assert departure(result, photo) <= 1
    assert told == []


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["noise", "checkerboard", "soft"]))
def test_any_photo_is_given_back_or_it_is_told(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    photo = random.integers(0, 256, (*random.integers(1, 9, 2), 3), np.uint8)
    if kind == "checkerboard":
        photo = ((np.indices(photo.shape[:2]).sum(axis=0) % 2) * 255).astype(np.uint8)
        photo = photo[..., None].repeat(3, axis=2)
    if kind == "soft":
        photo = photo // 8 + 100
    result, told = consistent(bicubic_upscale(photo, 4), photo)
    largest = departure(result, photo)
    if told:
        assert largest > 1
        assert told[0].startswith(
            f"reduced again, the result departs from the photo by up to {largest} "
        )
    else:
        assert largest <= 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("size", [(48, 60), (24, 30), (18, 45), (12, 15), (96, 120)])
def test_other_depths_and_sizes(size: tuple[int, int], dtype: Any) -> None:
    white = WHITE[np.dtype(dtype).name]
    image = np.random.default_rng(0).uniform(0.2, 0.8, (*size, 3)) * white
    channels = [imresize(one, shape=(12, 15)) for one in np.moveaxis(image, 2, 0)]
    photo = np.stack(channels, axis=-1).astype(dtype)
    result, told = consistent(np.full((*size, 3), 128.0), photo, dtype)
    assert result.dtype == dtype and told == []
    again = [imresize(one.astype(float), shape=(12, 15)) for one in np.moveaxis(result, 2, 0)]
    lacking = np.abs(np.stack(again, axis=-1) - photo)[2:-2, 2:-2]  # the edges are MATLAB's of old
    assert lacking.max() <= white / 255


@pytest.mark.parametrize("channels", [1, 3])
def test_in_tiles_it_is_the_same(channels: int, tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (200, 360, channels), np.uint8)
    picture = Picture(bicubic_downscale(image, 4).reshape(50, 90, channels))
    whole, tiled = (
        one.enlarge(picture, Enlarging(consistent=True)).pixels
        for one in (upscaler(), upscaler(side=56))
    )
    assert departure(whole, picture.pixels) <= 1
    assert departure(upscaler().enlarge(picture).pixels, picture.pixels) > 1
    np.testing.assert_array_equal(tiled, whole)


def test_a_full_scratch_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name another folder as scratch_dir"):
        list(
            consistent_strips(
                [np.zeros((4, 4, 3), np.float32)],
                np.zeros((1, 1, 3), np.float32),
                (4, 4),
                np.uint8,
                lambda: Scratch(tmp_path / "missing", 1),
                print,
            )
        )
