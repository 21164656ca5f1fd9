from pathlib import Path

import numpy as np
import pytest

from evaluation.config import MeasuringConfig, prepare
from evaluation.scoring.protocol import Scores
from evaluation.sheets import columns
from evaluation.sheets.__main__ import cli_main, parse_crop, wanted_images
from evaluation.sheets.columns import COLUMNS, HR, caption
from evaluation.sheets.sheet import Crop
from sr_data.benchmarks import open_benchmark
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb
from sr_program.errors import DataError, UsageError


def test_a_crop() -> None:
    assert parse_crop("") is None
    assert parse_crop("1,2,30,40") == Crop(x=1, y=2, width=30, height=40)
    assert parse_crop("0, 0, 8, 8") == Crop(0, 0, 8, 8)


@pytest.mark.parametrize(
    "text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,0,8,8", "1.5,0,8,8", "1,2,,4"]
)
def test_no_crop(text) -> None:
    with pytest.raises(UsageError, match=f"--crop={text} is not X,Y,WIDTH,HEIGHT"):
        parse_crop(text)


@pytest.mark.parametrize("text", ["1,2,0,4", "1,2,4,0"])
def test_an_empty_crop(text) -> None:
    with pytest.raises(UsageError, match="is empty"):
        parse_crop(text)


def test_wanted_images(offline, drawn_sets, tmp_path) -> None:
    prepared = prepare(
        MeasuringConfig(
            benchmarks="Set5,Set14", data_dir=str(drawn_sets), output=str(tmp_path / "out")
        )
    )
    assert wanted_images(prepared, "") == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert wanted_images(prepared, "woman,bridge") == [(0, 2), (1, 0)]
    with pytest.raises(DataError, match="--images=zebra: no image of this name in the sets"):
        wanted_images(prepared, "baby,zebra")


SCORES = {
    "psnr": 28.424, "ssim": 0.81036, "rmse": 9.567, "lr_consistency": 40.0,
    "niqe": 4.0, "ma": 8.0, "perceptual_index": 3.0,
}  # fmt: skip


def test_captions() -> None:
    assert caption(Scores(SCORES), is_hr=False) == (
        "PSNR 28.42, SSIM 0.8104",
        "PI 3.000, NIQE 4.000",
        "RMSE 9.57",
    )
    assert caption(Scores(SCORES), is_hr=True) == ("PI 3.000, NIQE 4.000",)
    without = Scores({"psnr": 28.424, "ssim": 0.81036, "rmse": 9.567}, {"niqe": "too small"})
    assert caption(without, is_hr=False) == ("PSNR 28.42, SSIM 0.8104", "RMSE 9.57")
    assert caption(without, is_hr=True) == ()


def test_the_columns_of_the_paper() -> None:
    assert list(COLUMNS["4"]) == [HR, "WP-SRGAN, first stage", "WP-SRGAN, second stage"]
    assert list(COLUMNS["6"]) == [HR, "MR-SRGAN", "WP-SRGAN", "Bi-GANs-ST"]
    assert list(COLUMNS["7"]) == ["Bicubic", "MR-SRGAN", "Bi-GANs-ST", "WP-SRGAN", HR]


# --- the command ---


@pytest.fixture
def call(call_program, offline, data_dir, tmp_path, fused_dir, faithful_dir, niqe_file):
    def run(*arguments: object) -> int:
        return call_program(
            cli_main, f"--data_dir={data_dir}", f"--output={tmp_path / 'out'}",
            "--benchmarks=Set5", f"--model={fused_dir}", f"--stage1={faithful_dir}",
            f"--niqe_parameters={niqe_file}", *arguments,
        )  # fmt: skip

    return run


def place(sheet: np.ndarray, pixels: np.ndarray) -> tuple[int, int]:
    """(x, y) of the one place at which the pixels stand in the sheet."""
    height, width = pixels.shape[:2]
    corner = (sheet == pixels[0, 0]).all(axis=-1)
    [found] = [
        (int(x), int(y))
        for y, x in np.argwhere(corner)
        if np.array_equal(sheet[y : y + height, x : x + width], pixels)
    ]
    return found


def versions(image, expected_generators) -> dict[str, np.ndarray]:
    faithful, vivid = expected_generators(image.lr)
    rounded = [np.floor(one + 0.5).astype(np.uint8) for one in (faithful, vivid)]
    return {
        HR: image.hr,
        "Bicubic": bicubic_upscale(image.lr),
        "MR-SRGAN": rounded[0],
        "WP-SRGAN": rounded[1],
        "WP-SRGAN, first stage": rounded[0],
        "WP-SRGAN, second stage": rounded[1],
    }


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ("4", [HR, "WP-SRGAN, first stage", "WP-SRGAN, second stage"]),
        ("6", [HR, "MR-SRGAN", "WP-SRGAN"]),
        ("7", ["Bicubic", "MR-SRGAN", "WP-SRGAN", HR]),
    ],
)
def test_a_sheet_shows_the_pixels_of_each_version(
    call, drawn_sets, tmp_path, capsys, expected_generators, figure, shown
) -> None:
    assert call(f"--figure={figure}", "--images=bird", "--crop=9,13,24,20", "--zoom=2") == 0
    path = tmp_path / "out" / "Set5_bird.png"
    assert capsys.readouterr().out == f"{path}\n"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["Set5_bird.png"]
    sheet = read_rgb(path)
    bird = open_benchmark("Set5", drawn_sets)[1]
    found = []
    for name in shown:
        inside = versions(bird, expected_generators)[name][13:33, 9:33]
        found.append(place(sheet, inside.repeat(2, axis=0).repeat(2, axis=1)))
    assert found == sorted(found) and len({y for _, y in found}) == 1


def test_the_crop_is_where_the_generators_differ_most(
    call, drawn_sets, tmp_path, expected_generators
) -> None:
    assert call("--images=woman", "--crop_size=17", "--zoom=1") == 0
    woman = open_benchmark("Set5", drawn_sets)[2]
    made = versions(woman, expected_generators)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    luma = [np.floor(16 + made[name] @ weights + 0.5) for name in ("MR-SRGAN", "WP-SRGAN")]
    square = (luma[0] - luma[1]) ** 2
    height, width = square.shape
    sums = {
        (y, x): square[y : y + 17, x : x + 17].sum()
        for y in range(height - 16)
        for x in range(width - 16)
    }
    y, x = max(sums, key=lambda one: sums[one])
    sheet = read_rgb(tmp_path / "out" / "Set5_woman.png")
    place(sheet, made["WP-SRGAN"][y : y + 17, x : x + 17])


def test_all_images_of_all_sets(call, tmp_path, capsys) -> None:
    assert call("--benchmarks=Set5,Set14") == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == [
        "Set5_baby.png", "Set5_bird.png", "Set5_woman.png", "Set14_bridge.png", "Set14_comic.png",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)


def test_the_scores_below_each_version(call, tmp_path, draw_set, data_dir, monkeypatch) -> None:
    draw_set(data_dir / "Large", {"a": (112, 208)}, hr_alone=True)
    panels = []
    draw = columns.draw_sheet
    monkeypatch.setattr(
        columns, "draw_sheet", lambda whole, all, *more, **named: panels.extend(all)
        or draw(whole, all, *more, **named),
    )  # fmt: skip
    assert call("--benchmarks=Large") == 0
    captions = {panel.label: panel.caption for panel in panels}
    assert [line.split()[0] for line in captions["Bi-GANs-ST"]] == ["PSNR", "NIQE", "RMSE"]
    assert [line.split()[0] for line in captions[HR]] == ["NIQE"]
    rmse = {name: float(lines[-1].split()[1]) for name, lines in captions.items() if name != HR}
    assert rmse["MR-SRGAN"] < rmse["Bi-GANs-ST"] < rmse["WP-SRGAN"]


def test_bad_images_among_good_ones(call, data_dir, tmp_path, capsys) -> None:
    path = data_dir / "Set5" / "HR" / "baby.png"
    path.write_bytes(path.read_bytes()[:-40])
    # bird is 48x64 pixels, woman 64x48
    assert call("--crop=20,20,20,40") == 1
    printed, errors = capsys.readouterr()
    lines = [line for line in errors.splitlines() if line.startswith("evaluation.sheets: ")]
    assert len(lines) == 2 and "Traceback" not in errors
    assert "baby.png: is damaged" in lines[0]
    assert "woman is 64x48 pixels; --crop=20,20,20,40 does not lie in it" in lines[1]
    assert printed == f"{tmp_path / 'out' / 'Set5_bird.png'}\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--crop=1,2,3"], "is not X,Y,WIDTH,HEIGHT"),
        (["--crop_size=0"], "--crop_size must be at least 1"),
        (["--zoom=0"], "--zoom must be at least 1"),
        (["--xi=2"], "--xi must lie in [0, 1]"),
        (["--figure=5"], "figure"),
        (["--data_dir="], "--data_dir=DIR is missing"),
        (["photo.png"], "unexpected argument 'photo.png'"),
    ],
)
def test_a_wrong_command(call, capsys, flags, message) -> None:
    assert call(*flags) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_unknown_image(call, capsys) -> None:
    assert call("--images=zebra") == 1
    assert "--images=zebra: no image of this name" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["model", "stage1"])
def test_a_model_that_is_none(call, offline, not_models, capfd, flag) -> None:
    assert call(f"--{flag}={not_models['empty']}") == 1
    assert "no SavedModel" in capfd.readouterr().err
    assert offline == []  # before any download
