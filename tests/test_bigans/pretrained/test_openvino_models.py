import os
from pathlib import Path

import pytest

from bigans.pretrained import openvino_models as module
from bigans.pretrained.openvino_models import openvino_model
from sr_program.errors import DataError
from sr_program.machine import optional_packages as extras


class FakeConversion:
    """Stands for the conversion: writes what it would write, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, saved_model_dir: Path, directory: Path) -> None:
        self.calls += 1
        (directory / "generators.xml").write_text(str(saved_model_dir))
        (directory / "generators.bin").write_bytes(bytes(1000))


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch) -> FakeConversion:
    fake = FakeConversion()
    monkeypatch.setattr(module, "_convert", fake)
    monkeypatch.setitem(extras._MODULES, "openvino", ())
    return fake


def saved_model(directory: Path, content: str = "graph") -> Path:
    (directory / "variables").mkdir(parents=True)
    (directory / "saved_model.pb").write_text(content)
    (directory / "variables" / "variables.data-00000-of-00001").write_text("weights")
    (directory / "facts.json").write_text("{}")
    return directory


def test_the_same_model_is_converted_once(tmp_path: Path, convert: FakeConversion) -> None:
    first = openvino_model(saved_model(tmp_path / "a"), tmp_path)
    assert openvino_model(saved_model(tmp_path / "b"), tmp_path) == first
    assert convert.calls == 1 and first.parent == tmp_path / "openvino"


@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.data-00000-of-00001", "facts.json"]
)
def test_another_model_is_converted(tmp_path: Path, convert: FakeConversion, file: str) -> None:
    first = openvino_model(saved_model(tmp_path / "a"), tmp_path)
    (tmp_path / "a" / file).write_text("other")
    assert openvino_model(tmp_path / "a", tmp_path) != first
    assert convert.calls == 2


def test_other_code_converts_again(
    tmp_path: Path, convert: FakeConversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = openvino_model(saved_model(tmp_path / "a"), tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "openvino_format.py").write_text("other")
    monkeypatch.setattr(module, "_converter", lambda: tmp_path / "code")
    assert openvino_model(tmp_path / "a", tmp_path) != first


def test_few_stay_those_used_last(tmp_path: Path, convert: FakeConversion) -> None:
    made = []
    for number in range(module._KEPT):
        made.append(openvino_model(saved_model(tmp_path / f"m{number}", str(number)), tmp_path))
        os.utime(made[-1], (number, number))
    openvino_model(tmp_path / "m0", tmp_path)  # used again
    made.append(openvino_model(saved_model(tmp_path / "new", "new"), tmp_path))
    left = {path for path in (tmp_path / "openvino").iterdir() if path.is_dir()}
    assert left == set(made) - {made[1]}


def test_a_cache_folder_that_cannot_be(tmp_path: Path, convert: FakeConversion) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot keep the models here.*BIGANS_CACHE"):
        openvino_model(saved_model(tmp_path / "a"), tmp_path / "file")


@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing", "hashes missing"])
def test_a_damaged_model_is_converted_again(
    tmp_path: Path, convert: FakeConversion, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """OpenVINO itself would load most of them, and give wrong pictures."""
    source = saved_model(tmp_path / "a")
    target = openvino_model(source, tmp_path)
    weights = target / "generators.bin"
    if damage == "flipped":
        weights.write_bytes(bytes(499) + b"\x55" + bytes(500))
    elif damage == "truncated":
        weights.write_bytes(bytes(400))
    elif damage == "missing":
        weights.unlink()
    else:
        (target / "sha256.json").unlink()
    assert openvino_model(source, tmp_path) == target
    assert convert.calls == 2 and weights.read_bytes() == bytes(1000)
    assert [str(target) in message for message in caplog.messages] == [True]
    openvino_model(source, tmp_path)
    assert convert.calls == 2
