"""A second run: --exists=skip keeps what is up to date, and a run that was stopped goes on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import read_rgb, write_rgb


def draw(path: Path, level: int) -> None:
    write_rgb(path, np.full((3, 4, 3), level, np.uint8))


@pytest.fixture
def same(tmp_path: Path) -> Path:
    folder = tmp_path / "same"
    folder.mkdir()
    for name, level in (("p.png", 10), ("q.png", 20)):
        draw(folder / name, level)
    return folder


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def age(folder: Path) -> None:
    for path in folder.iterdir():
        os.utime(path, (1e9, 1e9))


def new_ones(folder: Path) -> set[str]:
    return {name for name, time in times(folder).items() if time != 10**18}


@pytest.mark.parametrize("flags", [[], ["--format=bmp"], ["--strip=all"], ["--format=jpg"]])
def test_what_is_up_to_date_is_kept(run, same: Path, flags: list[str]) -> None:
    arguments = ["same", "--output=out", "--exists=skip", *flags]
    out = same.parent / "out"
    assert run(*arguments).returncode == 0
    age(out)
    done = run(*arguments, COMPUTED="computed")
    assert (done.returncode, done.stderr) == (0, "")
    assert new_ones(out) == set()
    assert not (same.parent / "computed").exists()

    draw(same / "q.png", 99)  # another photo
    draw(same / "r.png", 30)  # a new one
    assert run(*arguments, "--report=report.json").returncode == 0
    assert {name.split("_")[0] for name in new_ones(out) if name[0] != "."} == {"q", "r"}
    level = read_rgb(next(out.glob("q_x4.*")))[0, 0, 0]
    assert abs(int(level) - 99) <= 1
    report = json.loads((same.parent / "report.json").read_text())
    assert (report["done"], report["skipped"], report["failed"]) == (2, 1, 0)


def test_another_setting_is_another_result(run, same: Path) -> None:
    out = same.parent / "out"
    arguments = ["same", "--output=out", "--exists=skip", "--format=jpg"]
    assert run(*arguments).returncode == 0
    age(out)
    assert run(*arguments, "--quality=50").returncode == 0
    assert new_ones(out) == {"p_x4.jpg", "q_x4.jpg"}


def test_files_of_others_are_kept(run, same: Path) -> None:
    out = same.parent / "out"
    out.mkdir()
    draw(out / "p_x4.png", 77)
    done = run("same", "--output=out", "--exists=skip")
    assert done.returncode == 0
    assert "out/p_x4.png" in done.stderr and "--exists=overwrite replaces" in done.stderr
    assert [int(read_rgb(out / f"{name}_x4.png")[0, 0, 0]) for name in "pq"] == [77, 20]


def test_it_is_told_when_all_are_made_again(run, same: Path) -> None:
    assert run("same", "--output=out").stderr == ""
    done = run("same", "--output=out")
    assert done.returncode == 0
    assert done.stderr == (
        "bigans: all results exist and are made again; --exists=skip keeps those up to date\n"
    )


def test_a_folder_that_is_its_own_output(run, same: Path) -> None:
    assert run("same", "--output=same").returncode == 0
    draw(same / "r.png", 30)
    age(same)
    done = run("same", "--output=same", "--exists=skip")
    assert done.returncode == 0
    assert done.stderr == (
        "bigans: same: 3 of 3 pictures taken; 2 results of this program left out\n"
    )
    assert new_ones(same) == {"r_x4.png"}


def test_new_names_and_errors(run, same: Path) -> None:
    out = same.parent / "out"
    assert run("same", "--output=out").returncode == 0
    age(out)
    done = run("same", "--output=out", "--exists=error")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "out/p_x4.png exists, and 1 more results" in done.stderr
    assert run("same", "--output=out", "--exists=rename").returncode == 0
    assert new_ones(out) == {"p_x4_2.png", "q_x4_2.png"}


def test_a_run_that_was_stopped_goes_on(run, start, same: Path) -> None:
    arguments = ["same", "--output=out", "--exists=skip", "--report=report.json"]
    process = start(*arguments, SECONDS=0.5)
    out = same.parent / "out"
    while process.poll() is None and not (out / "p_x4.png").exists():
        pass
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    report = json.loads((same.parent / "report.json").read_text())
    assert report["done"] + report["open"] == 2 and report["open"] >= 1
    age(out)
    assert run(*arguments).returncode == 0
    assert new_ones(out) == {"q_x4.png"}
