"""The report of a run is whole at any time, and tells of every photo."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bigans.upscaler import run_report
from bigans.upscaler.planning.existing import Skipped
from bigans.upscaler.run_report import RunReport
from bigans.upscaler.task import Outcome, Task

TASKS = [Task(Path(f"{name}.png"), Path(f"out/{name}_x4.png")) for name in "abcd"]
SKIPPED = [Skipped(Task(Path("s.png"), Path("out/s_x4.png")), "is up to date")]
DONE = Outcome(task=TASKS[0], size=(30, 40), result_size=(120, 160), tiles=6, seconds=1.23456)
FAILED = Outcome(task=TASKS[1], problem="b.png: is damaged")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def run(path: Path | None) -> None:
    with RunReport(path, {"xi": "0.73"}, TASKS, SKIPPED, ["empty: holds no image"]) as report:
        if path is not None:
            assert read(path)["open"] == 4
        report.add(DONE)
        report.add(FAILED)
        raise KeyboardInterrupt


def test_an_interrupted_run(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(KeyboardInterrupt):
        run(path)
    found = read(path)
    counts = {name: found[name] for name in ("done", "skipped", "failed", "open")}
    assert counts == {"done": 1, "skipped": 1, "failed": 1, "open": 2}
    assert found["settings"] == {"xi": "0.73"}
    assert found["problems"] == ["empty: holds no image"]
    assert found["photos"] == [
        {
            "input": "a.png", "output": "out/a_x4.png", "status": "done",
            "size": [40, 30], "result_size": [160, 120], "tiles": 6, "seconds": 1.235,
        },
        {
            "input": "b.png", "output": "out/b_x4.png", "status": "failed",
            "reason": "b.png: is damaged",
        },
        {"input": "c.png", "output": "out/c_x4.png", "status": "open"},
        {"input": "d.png", "output": "out/d_x4.png", "status": "open"},
        {
            "input": "s.png", "output": "out/s_x4.png", "status": "skipped",
            "reason": "is up to date",
        },
    ]  # fmt: skip
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]


def test_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(None)
    assert list(tmp_path.iterdir()) == []


def test_it_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    now = [0.0]
    monkeypatch.setattr(run_report.time, "monotonic", lambda: now[0])
    with RunReport(path, {}, TASKS, []) as report:
        report.add(DONE)
        assert read(path)["done"] == 0
        now[0] += 31
        report.add(FAILED)
        assert (read(path)["done"], read(path)["failed"]) == (1, 1)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught, RunReport(tmp_path / "no/report.json", {}, TASKS, []):
        raise AssertionError("photos would be enlarged")
    assert str(tmp_path / "no") in str(caught.value.filename)


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path, photo = tmp_path / "report.json", Path(os.fsdecode(b"bad\xff.png"))
    with RunReport(path, {}, [Task(photo, Path("out.png"))], []):
        pass
    (entry,) = json.loads(path.read_text("utf-8"))["photos"]
    assert os.fsencode(entry["input"]) == b"bad\xff.png"
