from pathlib import Path

import pytest

from evaluation.config import MeasuringConfig, prepare
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting


@pytest.fixture
def settings(offline, drawn_sets, tmp_path):
    """Makes settings that are fine but for what a test changes."""

    def make(**changes) -> MeasuringConfig:
        usual = {"benchmarks": "Set5", "data_dir": str(drawn_sets), "output": str(tmp_path / "out")}
        return MeasuringConfig(**{**usual, **changes})

    return make


def test_everything_is_prepared(settings, tmp_path, niqe_file) -> None:
    output = tmp_path / "new" / "out"
    prepared = prepare(
        settings(
            benchmarks="Set5,Set14",
            output=str(output),
            workers=3,
            niqe_parameters=str(niqe_file),
        )
    )
    assert [benchmark.name for benchmark in prepared.benchmarks] == ["Set5", "Set14"]
    assert output.is_dir() and prepared.output == output
    assert prepared.workers == 3
    assert prepared.instruments.niqe == niqe_file
    assert "ma" in prepared.instruments.absent


def test_spaces_and_commas_between_names(settings) -> None:
    prepared = prepare(settings(benchmarks="Set5, set14,"))
    assert [benchmark.name for benchmark in prepared.benchmarks] == ["Set5", "Set14"]


def test_workers(settings) -> None:
    assert prepare(settings(workers=0)).workers == 0
    assert prepare(settings(workers=-1)).workers >= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_dir": ""}, "--data_dir=DIR is missing"),
        ({"output": ""}, "--output=DIR is missing"),
        ({"workers": -2}, "--workers must be at least -1, got -2"),
        ({"benchmarks": ""}, "--benchmarks is empty; name sets"),
        ({"benchmarks": ","}, "--benchmarks is empty"),
        ({"benchmarks": "Set5,Set5"}, "names a set twice"),
        ({"benchmarks": "Set5,set_5"}, "names a set twice"),
    ],
)
def test_wrong_settings(settings, changes, message) -> None:
    with pytest.raises(UsageError, match=message):
        prepare(settings(**changes))


def test_a_set_is_one_whatever_the_case_of_its_name(settings, drawn_sets, tmp_path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "Mine").symlink_to(drawn_sets / "Set5")
    with pytest.raises(UsageError, match="names a set twice"):
        prepare(settings(data_dir=str(tmp_path / "sets"), benchmarks="Mine,mine"))


def test_an_output_that_is_a_file(settings, tmp_path) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        with pytest.raises(UsageError, match="file; name a folder|is a file"):
            prepare(settings(output=str(tmp_path / place)))


def test_a_set_that_is_not_there(settings, tmp_path) -> None:
    with pytest.raises(DataError, match="Urban100: no such folder"):
        prepare(settings(benchmarks="Set5,Urban100"))
    assert not (tmp_path / "out").exists()


def test_an_empty_set(settings, tmp_path) -> None:
    for name in ("Set5", "Set14/HR"):
        (tmp_path / "data" / name).mkdir(parents=True)
        with pytest.raises(DataError, match=f"{Path(name).parts[0]}.*: holds no image"):
            prepare(settings(data_dir=str(tmp_path / "data"), benchmarks=name.split("/")[0]))


def test_a_setting_has_the_help_of_its_flag() -> None:
    field = setting("a", "What it is.", ("a", "b"))
    assert field.default == "a"
    assert dict(field.metadata) == {"help": "What it is.", "choices": ("a", "b")}
