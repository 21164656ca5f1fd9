"""The table of the metrics' times: what is in it where much is missing, and where all is there."""

import types
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from benchmarks.timing import metrics
from benchmarks.timing.metrics import pyiqa_metric, sample_luma, table
from sr_program.errors import DataError


def test_the_image_is_a_photo_and_its_mirror_image():
    luma = sample_luma(700, 530)
    assert luma.shape == (700, 530) and luma.dtype == np.uint8
    np.testing.assert_array_equal(luma[512:], luma[511:323:-1])
    np.testing.assert_array_equal(luma[:, 512:], luma[:, 511:493:-1])
    np.testing.assert_array_equal(sample_luma(192, 200), luma[:192, :200])
    assert luma.std() > 20


def test_the_table_by_hand():
    rows = {
        "PSNR": lambda: None,
        "NIQE": lambda: None,
        "Ma (features only, …)": lambda: None,
        "scikit-image SSIM": lambda: None,
        "pyiqa niqe": lambda: None,
        "pyiqa nrqm": "not installed",
    }
    times = {title: 2.0 for title in rows} | {"scikit-image SSIM": 4.0, "pyiqa niqe": 30.0}
    del times["pyiqa nrqm"]
    lines = table(rows, times, megapixels=0.5)
    assert lines[2] == "| PSNR | 2.0000 | 4.0000 | 0.50 |  |"
    assert lines[3] == "| NIQE | 2.0000 | 4.0000 | 0.50 | 15.0 |"
    assert lines[4] == "| Ma (features only, …) | 2.0000 | 4.0000 | 0.50 |  |"
    assert lines[5] == "| scikit-image SSIM | 4.0000 | 8.0000 | 1.00 |  |"
    assert lines[6].startswith("| pyiqa niqe | 30.0000 ")
    assert lines[7] == "| pyiqa nrqm | not installed | | | |"
    assert len({line.count("|") for line in lines}) == 1


def test_pyiqa_is_optional(monkeypatch):
    def missing(package):
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(metrics.importlib, "import_module", missing)
    assert pyiqa_metric("niqe", np.zeros((4, 4), np.uint8)) == "not installed"


def test_pyiqa_gets_an_image_of_three_channels(monkeypatch):
    def create_metric(name, device):
        if name == "nrqm":
            raise OSError("no network")
        assert (name, device) == ("niqe", "cpu")
        return lambda image: image.shape[1] * image.max()

    packages = {
        "pyiqa": types.SimpleNamespace(create_metric=create_metric),
        "torch": types.SimpleNamespace(from_numpy=lambda array: array),
    }
    monkeypatch.setattr(metrics.importlib, "import_module", packages.get)
    luma = np.full((4, 6), 51, np.uint8)
    call = pyiqa_metric("niqe", luma)
    assert not isinstance(call, str) and call() == pytest.approx(3 * 51 / 255)
    assert pyiqa_metric("nrqm", luma) == "its weights are not installed (OSError)"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(model_file):
        raise DataError(f"{model_file.name}: cannot be downloaded")

    monkeypatch.setattr("sr_images.niqe.fetch", fetch)


@pytest.fixture
def printed(call_program, capsys):
    def call(*flags: str) -> dict[str, list[str]]:
        """First cell of each row → the others."""
        sizes = ("--height=192", "--width=200", "--repetitions=1")
        assert call_program(metrics.cli_main, *sizes, *flags) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "200x192" in lines[0]
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
        assert all(len(row) == 5 for row in rows)
        return {row[0]: row[1:] for row in rows}

    return call


def test_without_any_model(printed, offline):
    rows = printed()
    for title in ("PSNR", "SSIM", "Ma (features only, without --ma_model)"):
        assert float(rows[title][0]) > 0 and float(rows[title][1]) > 0
    assert rows["scikit-image SSIM"][2] == "1.00"
    assert "--niqe_parameters=PATH" in rows["NIQE"][0]
    assert "pyiqa niqe" in rows and "pyiqa nrqm" in rows


def test_with_niqe(printed, offline, tmp_path: Path):
    path = tmp_path / "parameters.mat"
    scipy.io.savemat(path, {"mu_prisparam": np.ones(36), "cov_prisparam": np.eye(36)})
    assert float(printed(f"--niqe_parameters={path}")["NIQE"][0]) > 0


@pytest.mark.parametrize("flag", ["niqe_parameters", "ma_model"])
def test_a_named_file_that_is_missing(call_program, offline, capsys, tmp_path: Path, flag):
    assert call_program(metrics.cli_main, f"--{flag}={tmp_path / 'absent'}") == 1
    assert "absent" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--height=191", "--width=100", "--repetitions=0"])
def test_wrong_flags(call_program, capsys, flag):
    assert call_program(metrics.cli_main, flag) == 2
    assert "at least 192" in capsys.readouterr().err
