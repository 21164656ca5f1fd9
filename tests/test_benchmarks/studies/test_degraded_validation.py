"""Generators on compressed and noisy LR: the versions, the middle, and a run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.studies import degraded_validation as module
from benchmarks.studies.degraded_lr import degraded_versions
from benchmarks.studies.degraded_validation import middle
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.image_io import to_signed, write_rgb
from srgan.runs.validation import validate


def test_versions() -> None:
    lr = np.random.default_rng(0).integers(60, 190, (40, 56, 3), dtype=np.uint8)
    versions = degraded_versions(lr, 3)
    jpeg = ["JPEG q75", "JPEG q50", "JPEG q30"]
    assert list(versions) == ["clean", *jpeg, "noise σ 5", "noise σ 8"]
    np.testing.assert_array_equal(versions["clean"], lr)
    for quality in (75, 50, 30):
        file = io.BytesIO()
        Image.fromarray(lr).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        expected = np.asarray(Image.open(file)).astype(int)
        assert np.abs(versions[f"JPEG q{quality}"] - expected).max() <= 1
    for sigma in (5, 8):
        noise = versions[f"noise σ {sigma}"].astype(float) - lr
        assert noise.std() == pytest.approx(sigma, rel=0.05) and abs(noise.mean()) < 0.4
    again, other = degraded_versions(lr, 3), degraded_versions(lr, 4)
    for name, version in versions.items():
        np.testing.assert_array_equal(again[name], version)
        assert np.array_equal(other[name], version) == ("noise" not in name)


def test_middle() -> None:
    lr = np.random.default_rng(0).integers(0, 256, (13, 20, 3), dtype=np.uint8)
    hr = lr.repeat(4, 0).repeat(4, 1)
    for side, rows, columns in (
        (6, (3, 9), (7, 13)),
        (16, (0, 13), (2, 18)),
        (0, (0, 13), (0, 20)),
    ):
        found_hr, found = middle(hr, lr, side)
        np.testing.assert_array_equal(found, lr[slice(*rows), slice(*columns)])
        np.testing.assert_array_equal(found_hr, found.repeat(4, 0).repeat(4, 1))


def test_a_run(
    photo_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Bicubic in the place of all generators; the clean column is that of validation."""

    def shipped(name: str, *, weights: Path | None = None) -> tuple[Any, None]:
        asked.append((name, weights))

        def enlarge(lr: Any, training: bool) -> Any:
            assert not training
            return module.tf.repeat(module.tf.repeat(lr, 4, 1), 4, 2)

        return enlarge, None

    asked: list[tuple[str, Path | None]] = []
    monkeypatch.setattr("benchmarks.shipped.shipped_generator", shipped)
    file = tmp_path / "a.weights.h5"
    file.touch()
    flags = [f"--val_dir={photo_dir}", "--generators=wp_srgan_stage1", f"--weights=mr_srgan={file}"]
    assert call_program(module.cli_main, *flags) == 0
    assert asked == [("wp_srgan_stage1", None), ("mr_srgan", file)]
    head, _, *table = capsys.readouterr().out.splitlines()[1:7]
    lines = [line.split("|")[1:-1] for line in (head, *table)]
    rows = {line[0].strip(): [float(cell) for cell in line[1:]] for line in lines[2:]}
    assert list(rows) == ["bicubic", "wp_srgan_stage1", f"mr_srgan={file}"]
    pairs = list(module.PairedFolder(photo_dir))
    methods = {
        "bicubic": lambda lr: to_signed(bicubic_upscale(as_bytes(lr[0])))[None],
        "wp_srgan_stage1": lambda lr: lr.repeat(4, 1).repeat(4, 2),
    }
    for name, enlarge in methods.items():
        assert rows[name][0] == pytest.approx(validate(enlarge, pairs)[0]["psnr"], abs=0.0006)
        assert rows[name][1] > rows[name][3] and rows[name][0] > rows[name][4]
    assert rows[f"mr_srgan={file}"] == rows["wp_srgan_stage1"]


def as_bytes(lr: np.ndarray) -> np.ndarray:
    return np.rint((lr + 1) * 127.5).astype(np.uint8)


def test_middles_and_fewer_images(photo_dir: Path) -> None:
    """The whole image is degraded, and cut afterwards."""
    seen: list[np.ndarray] = []

    def enlarge(lr: np.ndarray) -> np.ndarray:
        seen.append(lr)
        return bicubic_upscale(lr)

    folder = module.PairedFolder(photo_dir)
    found = module.score(folder, {"one": enlarge}, 8, 2)
    assert list(found) == ["one"] and len(seen) == 12
    lr = bicubic_downscale(folder[0][1])
    versions = degraded_versions(lr, 0)
    for part, version in zip(seen, versions.values(), strict=False):
        np.testing.assert_array_equal(part, version[2:10, 2:10])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--val_dir is required"),
        (["--val_dir=x", "--generators=none"], "--generators: 'none' is none of mr_srgan, "),
        (["--val_dir=x", "--crop=3"], "--crop must be 0 or at least 6, got 3"),
        (["--val_dir=x", "--limit=-1"], "--limit must be at least 0, got -1"),
        (["--val_dir=x", "more"], "unexpected argument 'more'"),
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


def test_what_is_not_there(
    photo_dir: Path, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_program(module.cli_main, "--val_dir=missing") == 1
    assert "missing: no such folder" in capsys.readouterr().err
    assert call_program(module.cli_main, f"--val_dir={photo_dir}", "--weights=mr_srgan=none") == 2
    assert "there is no file 'none'" in capsys.readouterr().err


def test_the_grid_of_results_and_of_photos_without_an_original(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def shipped(name: str, *, weights: Path | None = None) -> tuple[Any, None]:
        # Of each pixel a checkerboard, beside bicubic interpolation.
        board = np.indices((4, 4)).sum(0) % 2
        tiled = module.tf.constant(np.tile(board, (20, 20))[None, :, :, None], module.tf.float32)

        def enlarge(lr: Any, training: bool) -> Any:
            return module.tf.repeat(module.tf.repeat(lr, 4, 1), 4, 2) + 0.2 * tiled

        return enlarge, None

    monkeypatch.setattr("benchmarks.shipped.shipped_generator", shipped)
    rng = np.random.default_rng(0)
    (tmp_path / "val").mkdir()
    write_rgb(tmp_path / "val" / "a.png", np.full((80, 80, 3), 120, np.uint8))
    write_rgb(tmp_path / "cat.png", rng.integers(110, 140, (20, 20, 3), dtype=np.uint8))
    flags = [f"--val_dir={tmp_path / 'val'}", f"--photos={tmp_path / 'cat.png'}"]
    assert call_program(module.cli_main, *flags) == 0
    *_, head, _, bicubic, generator = capsys.readouterr().out.splitlines()
    assert head.endswith("| noise σ 5 | noise σ 8 | cat |")
    none, board = (line.split("|")[2:-1] for line in (bicubic, generator))
    assert all(float(cell) < 4 for cell in none)
    assert float(board[0]) > 10
