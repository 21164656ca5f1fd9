import dataclasses
from collections import Counter
from math import log, pi

import numpy as np
import pytest

from sr_data.degradations.photo_degradation import (
    DrawnDegradation,
    PhotoDegradation,
    draw_degradation,
)

NOTHING = {
    name: 0.0
    for name in ("blur_share", "area_share", "bilinear_share", "resize_share")
    + ("noise_share", "jpeg_share", "clean_share")
}


def drawn(count=4000, **changes):
    settings = PhotoDegradation(**changes)
    return [draw_degradation(settings, np.random.default_rng((seed, 1))) for seed in range(count)]


def assert_uniform(values, low, high):
    """Mean and deviation of a uniform distribution, and its ends."""
    values = np.array(values, np.float64)
    width = high - low
    assert low <= values.min() <= low + width / 50 and high - width / 50 <= values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.025 * width)
    assert values.std() == pytest.approx(width / 12**0.5, rel=0.05)


def test_shares():
    settings = PhotoDegradation()
    found = drawn()
    some = [one for one in found if one is not None]
    assert 1 - len(some) / len(found) == pytest.approx(settings.clean_share, abs=0.02)
    blurs = [one.blur for one in some if one.blur]
    noises = [one.noise for one in some if one.noise]
    files = [jpeg for one in some for jpeg in one.jpegs]
    kernels = Counter(one.kernel for one in some)
    encoded = sum(bool(one.jpegs) for one in some)
    for count, whole, share in (
        (len(blurs), len(some), settings.blur_share),
        (sum(one.along != one.across for one in blurs), len(blurs), settings.stretched_share),
        (kernels["area"], len(some), settings.area_share),
        (kernels["bilinear"], len(some), settings.bilinear_share),
        (kernels["bicubic"], len(some), 1 - settings.area_share - settings.bilinear_share),
        (sum(one.resize is not None for one in some), len(some), settings.resize_share),
        (len(noises), len(some), settings.noise_share),
        (sum(one.corner is not None for one in noises), len(noises), settings.mosaic_share),
        (encoded, len(some), settings.jpeg_share),
        (sum(len(one.jpegs) == 2 for one in some), encoded, settings.twice_share),
        (sum(one.half_colour for one in files), len(files), settings.half_colour_share),
    ):
        assert count / whole == pytest.approx(share, abs=0.035)


def test_ranges():
    shares = dict.fromkeys(("blur_share", "resize_share", "noise_share", "jpeg_share"), 1.0)
    shares |= dict.fromkeys(("stretched_share", "mosaic_share", "twice_share"), 1.0)
    found = drawn(**shares, clean_share=0.0)
    some = [one for one in found if one and one.blur and one.resize and one.noise]
    assert len(some) == len(found)
    blurs = [one.blur for one in some if one.blur]
    resizes = [one.resize for one in some if one.resize]
    noises = [one.noise for one in some if one.noise]
    assert_uniform([one.along for one in blurs], 0.1, 0.6)
    assert_uniform([one.across for one in blurs], 0.1, 0.6)
    assert_uniform([one.angle for one in blurs], 0, pi)
    assert_uniform([one.factor for one in resizes], 0.6, 1.4)
    at_128 = np.array([128 * one.shot + one.read**2 for one in noises])
    assert_uniform(np.log(at_128) / 2, log(1), log(10))
    assert_uniform(128 * np.array([one.shot for one in noises]) / at_128, 0, 1)
    assert_uniform([one.smoothing for one in noises], 0, 0.6)
    assert len(Counter(one.corner for one in noises)) == 4
    files = [jpeg for one in some for jpeg in one.jpegs]
    qualities = Counter(one.quality for one in files)
    assert set(qualities) == set(range(30, 99))
    assert max(qualities.values()) < 2 * min(qualities.values())
    for half_colour, side in ((False, 8), (True, 16)):
        corners = Counter(one.corner for one in files if one.half_colour == half_colour)
        assert set(corners) == {(row, column) for row in range(side) for column in range(side)}


def test_without_anything():
    assert set(drawn(50, **NOTHING)) == {DrawnDegradation()}
    assert set(drawn(50, clean_share=1.0)) == {None}


def test_a_setting_changes_nothing_else():
    """Shares and ranges move no other draw."""
    settings = {**NOTHING, "jpeg_share": 1.0}
    files = [one.jpegs for one in drawn(100, **settings) if one]
    others = {"blur_share": 1.0, "blur": (0.2, 0.3), "noise_share": 0.5, "resize_share": 0.5}
    assert [one.jpegs for one in drawn(100, **{**settings, **others}) if one] == files
    more_clean = drawn(100, clean_share=0.5)
    for one, other in zip(more_clean, drawn(100, clean_share=0.1), strict=True):
        assert one is None or one == other


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clean_share": 1.1}, r"clean_share must be in \[0, 1\], got 1.1"),
        ({"jpeg_share": float("nan")}, "jpeg_share"),
        ({"blur": (0.5, 0.2)}, "blur must be .* in order"),
        ({"blur": (0.0, 0.5)}, "blur"),
        ({"resize": (0.1, 1.0)}, "resize"),
        ({"noise": (0.0, 5.0)}, "noise"),
        ({"noise": (1.0, float("nan"))}, "noise"),
        ({"quality": (0, 50)}, "quality"),
        ({"quality": (30, 101)}, "quality"),
        ({"area_share": 0.6, "bilinear_share": 0.5}, "not be above 1 together"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        PhotoDegradation(**changes)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PhotoDegradation().clean_share = 1.0  # pyright: ignore[reportAttributeAccessIssue]
