import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.metrics.model_files import MA_MODEL, NIQE_PARAMETERS
from evaluation.scoring import instruments as module
from evaluation.scoring.instruments import find_instruments
from sr_program.errors import DataError
from srgan.vgg.layers import layers_up_to

NO_INDEX = "it needs NIQE and Ma"
UNASKED = {"structure_texture", "lpips", "stlpips"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether a package is there; LPIPS is not, unless a test says so."""
    there = {"lpips": False, "stlpips_pytorch": False}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there[name] or None)
    return there


@pytest.fixture
def fake_lpips(installed, monkeypatch) -> None:
    installed["lpips"] = True
    monkeypatch.setattr("evaluation.metrics.lpips_distance.LpipsDistance", lambda: None)


@pytest.fixture
def fake_stlpips(installed, monkeypatch) -> None:
    installed["stlpips_pytorch"] = True
    monkeypatch.setattr("evaluation.metrics.stlpips_distance.StLpipsDistance", lambda: None)


@pytest.fixture
def vgg_to_block3(tmp_path: Path) -> Path:
    """Zeros in the place of VGG19's weights."""
    arrays = {}
    for layer in layers_up_to("vgg19", "block3_conv4"):
        arrays[f"{layer.name}_kernel"] = np.zeros(layer.kernel_shape, np.float32)
        arrays[f"{layer.name}_bias"] = np.zeros(layer.bias_shape, np.float32)
    path = tmp_path / "vgg19.npz"
    np.savez(path, **arrays)
    return path


def test_nothing_but_this_machine(offline, installed) -> None:
    found = find_instruments(vgg_weights="imagenet", lpips=True, stlpips=True)
    assert (found.niqe, found.ma, found.vgg) == (None, None, None)
    assert not (found.lpips or found.stlpips)
    assert found.absent == {
        "niqe": "its model file is missing; --niqe_parameters=PATH names it",
        "ma": "its model file is missing; --ma_model=PATH names it",
        "perceptual_index": NO_INDEX,
        "structure_texture": "its model file is missing; --vgg_weights=PATH names it",
        "lpips": "its package is not installed",
        "stlpips": "its package is not installed",
    }


def test_what_is_missing_is_said_once(offline, caplog) -> None:
    find_instruments()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert any("niqe is left out: " in line and NIQE_PARAMETERS.name in line for line in lines)
    assert any("ma is left out: " in line and MA_MODEL.name in line for line in lines)


def test_named_files(offline, niqe_file, ma_file, vgg_to_block3, fake_lpips, fake_stlpips) -> None:
    found = find_instruments(niqe_file, str(ma_file), vgg_to_block3, lpips=True, stlpips=True)
    assert (found.niqe, found.ma, found.vgg) == (niqe_file, ma_file, vgg_to_block3)
    assert found.lpips and found.stlpips
    assert found.absent == {}


def test_without_the_ma_model(offline, niqe_file) -> None:
    found = find_instruments(niqe_file)
    assert found.niqe == niqe_file and found.ma is None
    assert set(found.absent) == {"ma", "perceptual_index", *UNASKED}
    assert found.absent["perceptual_index"] == NO_INDEX


def test_files_of_the_cache(niqe_file, ma_file, monkeypatch) -> None:
    there = {MA_MODEL.name: ma_file, NIQE_PARAMETERS.name: niqe_file}
    monkeypatch.setattr(module, "fetch", lambda model_file: there[model_file.name])
    found = find_instruments()
    assert (found.niqe, found.ma) == (niqe_file, ma_file)
    assert set(found.absent) == UNASKED


@pytest.mark.parametrize("flag", ["niqe_parameters", "ma_model", "vgg_weights"])
def test_a_named_file_that_is_missing(offline, tmp_path, flag) -> None:
    arguments: Any = {flag: tmp_path / "nowhere.mat"}
    with pytest.raises(DataError, match=f"--{flag}=.*nowhere.mat: no such file"):
        find_instruments(**arguments)
    assert offline == []  # before a download of the other file


@pytest.mark.parametrize("flag", ["niqe_parameters", "ma_model", "vgg_weights"])
def test_a_named_file_of_another_kind(offline, tmp_path, flag) -> None:
    """Noticed before anything is measured, and never in a scoring process."""
    path = tmp_path / "other.npz"
    path.write_bytes(b"neither MATLAB's nor NumPy's")
    arguments: Any = {flag: path}
    with pytest.raises(DataError, match="other.npz") as caught:
        find_instruments(**arguments)
    assert "\n" not in str(caught.value)


def test_a_cut_off_file(offline, niqe_file, tmp_path) -> None:
    path = Path(shutil.copy(niqe_file, tmp_path / "half.mat"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="half.mat"):
        find_instruments(path)


def test_lpips_is_not_computed_unasked(offline, fake_lpips) -> None:
    assert find_instruments().absent["lpips"] == "not asked for"
    assert not find_instruments().lpips
    assert find_instruments(lpips=True).lpips


def test_stlpips_is_not_computed_unasked(offline, fake_stlpips) -> None:
    assert find_instruments().absent["stlpips"] == "not asked for"
    assert find_instruments(stlpips=True).stlpips


def test_structure_and_texture_are_not_compared_unasked(offline) -> None:
    """Nor are 80 MB downloaded."""
    assert find_instruments().absent["structure_texture"] == "not asked for (--vgg_weights)"
    assert not any("vgg19" in address for address in offline)
    assert find_instruments(vgg_weights="imagenet").vgg is None
    assert any("vgg19" in address for address in offline)


def test_stlpips_without_pytorch(offline, installed, monkeypatch) -> None:
    installed["stlpips_pytorch"] = True
    monkeypatch.setitem(sys.modules, "torch", None)
    found = find_instruments(stlpips=True)
    assert not found.stlpips
    assert found.absent["stlpips"] == "its network cannot be loaded"


@pytest.mark.parametrize(
    "error", [ImportError("torch"), OSError("no network"), RuntimeError("sha")]
)
def test_lpips_without_its_network(offline, installed, monkeypatch, error) -> None:
    """Its package is there; AlexNet's weights, or PyTorch, are not."""
    installed["lpips"] = True

    def fail() -> None:
        raise error

    monkeypatch.setattr("evaluation.metrics.lpips_distance.LpipsDistance", fail)
    found = find_instruments(lpips=True)
    assert not found.lpips
    assert found.absent["lpips"] == "its network cannot be loaded"
