"""The sheet: its size, that LR stands beside its HR, and the words below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies import degraded_crops as module
from benchmarks.studies.degraded_crops import describe
from sr_data.degradations.photo_degradation import Blur, DrawnDegradation, Jpeg, Noise, Resize
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import read_rgb, write_rgb


def test_words() -> None:
    assert describe(None) == ["clean", ""]
    assert describe(DrawnDegradation()) == ["bicubic", ""]
    everything = DrawnDegradation(
        Blur(0.5, 0.25, 1.5708),
        "area",
        Resize(0.7, True, False),
        Noise(0.125, 3.0, (0, 1), 0.2),
        (Jpeg(80, True, (1, 2)), Jpeg(40, False, (3, 4))),
    )
    assert describe(everything) == [
        "area, blur 0.50x0.25 90deg, resize 0.70",
        "noise 5.0 mosaic 0.2, q80 420, q40 444",
    ]
    assert describe(DrawnDegradation(Blur(0.3, 0.3, 0.0))) == ["bicubic, blur 0.30", ""]


def test_a_sheet(tmp_path: Path, call_program: Callable[..., int]) -> None:
    (tmp_path / "photos").mkdir()
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    write_rgb(tmp_path / "photos" / "one.png", image)
    output = tmp_path / "sheet.png"
    flags = [f"--data=folder:{tmp_path / 'photos'}", f"--output={output}", "--crops=5"]
    flags += ["--columns=2", "--crop_size=96", "--clean_share=0"]
    assert call_program(module.cli_main, *flags) == 0
    sheet = read_rgb(output)
    assert sheet.shape == (3 * (96 + 40), 2 * (3 * 96 + 6), 3)
    assert (sheet[2 * 136 :, 294:] == 255).all()  # there is no sixth crop
    clean = bicubic_downscale(image)
    for top, left in ((0, 0), (0, 294), (136, 294)):
        hr, lr, degraded = (sheet[top : top + 96, left + one * 96 :][:, :96] for one in range(3))
        np.testing.assert_array_equal(hr, image)
        np.testing.assert_array_equal(lr, clean.repeat(4, 0).repeat(4, 1))
        assert np.any(degraded != lr)
        np.testing.assert_array_equal(degraded, degraded[::4, ::4].repeat(4, 0).repeat(4, 1))
        assert (sheet[top + 96 : top + 136, left : left + 288] < 100).any()  # text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--data is required"),
        (["--data=folder:x"], "--output is required: a .png file, got ''"),
        (["--data=folder:x", "--output=a.jpg"], "--output"),
        (["--data=folder:x", "--output=a.png", "--crops=0"], "--crops must be at least 1, got 0"),
        (["--data=folder:x", "--output=a.png", "--crop_size=66"], "--crop_size must divide by 4"),
        (["--data=folder:x", "--output=a.png", "--clean_share=2"], "--clean_share must be in"),
        (["--data=folder:x", "--output=a.png", "more"], "unexpected argument 'more'"),
    ],
)
def test_wrong_flags(
    flags: list[str],
    message: str,
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call_program(module.cli_main, *flags) == 2
    assert message in capsys.readouterr().err
