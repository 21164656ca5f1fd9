"""Versions appear whole, by number, and bad arguments cost no time."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bigans.serving.export import cli_main
from bigans.serving.exporting import ToServe, export
from bigans.serving.limits import Limits
from sr_program.errors import DataError, UsageError


def test_a_fused_model_becomes_the_next_version(exported: Path, fused_dir: Path) -> None:
    limits = Limits(1024, 128, 4)
    path = export(exported, ToServe(model=fused_dir), limits=limits, version=7, warm_up_sizes=())
    try:
        assert path == exported / "7"
        names = {file.name for file in path.iterdir()}
        assert {"saved_model.pb", "variables", "facts.json", "assets.extra"} <= names
        assert not (path / "assets.extra/tf_serving_warmup_requests").exists()
        with pytest.raises(DataError, match="exists already"):
            export(exported, ToServe(model=fused_dir), limits=limits, version=7, warm_up_sizes=())
        assert not list(exported.glob(".tmp-*"))
    finally:
        shutil.rmtree(path)


def test_a_failure_leaves_nothing(
    tmp_path: Path, fused_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise DataError("differs")

    monkeypatch.setattr("bigans.serving.exporting.check", fail)
    with pytest.raises(DataError, match="differs"):
        export(tmp_path / "m", ToServe(model=fused_dir), limits=Limits(1024, 128, 4))
    assert list((tmp_path / "m").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"generators": ToServe(faithful="x")}, "both faithful and vivid"),
        (
            {"generators": ToServe(model="./x", precision="bfloat16")},
            "precision=bfloat16 has no effect",
        ),
        ({"version": 0}, "version=0"),
        ({"warm_up_sizes": [(0, 3)]}, "0x3 is out of range"),
        ({"warm_up_sizes": [(2000, 3)]}, "2000x3 is out of range"),
    ],
)
def test_bad_arguments(tmp_path: Path, options: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        export(tmp_path / "m", **{"generators": ToServe(), **options})
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("numbers", [(0, 192, 12), (1 << 26, 192, 12), (9, 80, 12), (9, 192, -1)])
def test_bad_limits(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError):
        Limits(*numbers)


def test_the_program_refuses_in_one_line(call_program, tmp_path: Path, capfd) -> None:
    output = f"--output={tmp_path / 'm'}"
    assert call_program(cli_main) == 2
    assert call_program(cli_main, output, "--warmup_sizes=3") == 2
    assert call_program(cli_main, output, f"--model={tmp_path}") == 1
    assert len(capfd.readouterr().err.splitlines()) == 3
