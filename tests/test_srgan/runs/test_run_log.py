import csv
import struct
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_program.errors import DataError
from srgan.runs.run_log import LOSSES, RunLog


def rows_of(folder: Path) -> list[list[str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.reader(file))


def events_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag → (step, value) of all event files, as TensorFlow reads them."""
    found = defaultdict(list)
    for path in sorted((folder / "events").iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found[value.tag].append((event.step, value.simple_value))
    return dict(found)


def write(folder: Path, first: int, steps: range) -> None:
    with RunLog(folder, first) as log:
        for step in steps:
            log.losses(step, {"loss_g": step / 10, "pixel": step / 100})


def test_a_row_a_step(tmp_path):
    with RunLog(tmp_path, 0) as log:
        log.losses(1, {"loss_g": 0.5, "pixel": 0.25})
        assert rows_of(tmp_path)[-1] == ["1", "0.5", "0.25"]  # can be watched
        log.losses(2, {"loss_g": 0.1, "pixel": -3.0})
        log.flush()
    assert rows_of(tmp_path) == [
        ["step", "loss_g", "pixel"],
        ["1", "0.5", "0.25"],
        ["2", "0.1", "-3.0"],
    ]


def test_the_columns_are_those_of_the_first_row(tmp_path):
    with RunLog(tmp_path, 0) as log:
        log.losses(1, {"loss_g": 0.5, "pixel": 0.25})
        log.losses(2, {"pixel": 2.0, "loss_g": 1.0})
    assert rows_of(tmp_path)[-1] == ["2", "1.0", "2.0"]


@settings(deadline=None)  # files are written
@given(value=st.floats(width=32, allow_nan=False))
def test_full_precision(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("run")
    with RunLog(folder, 0) as log:
        log.losses(1, {"a": np.float32(value), "b": value / 3})  # pyright: ignore[reportArgumentType]
    _, (_, a, b) = rows_of(folder)
    assert struct.pack("f", np.float32(a)) == struct.pack("f", value)
    assert struct.pack("d", float(b)) == struct.pack("d", value / 3)


def test_not_a_number_is_written_as_it_is(tmp_path):
    with RunLog(tmp_path, 0) as log:
        log.losses(1, {"a": float("nan"), "b": float("inf")})
    assert rows_of(tmp_path)[1] == ["1", "nan", "inf"]


def test_continuing_appends(tmp_path):
    write(tmp_path, 0, range(1, 4))
    write(tmp_path, 3, range(4, 6))
    assert rows_of(tmp_path) == [
        ["step", "loss_g", "pixel"],
        *([str(step), repr(step / 10), repr(step / 100)] for step in range(1, 6)),
    ]


def test_rows_after_the_checkpoint_are_written_once(tmp_path):
    write(tmp_path, 0, range(1, 8))
    write(tmp_path, 4, range(5, 10))
    assert [row[0] for row in rows_of(tmp_path)] == ["step", *map(str, range(1, 10))]
    assert list(tmp_path.glob(".tmp*")) == []


@pytest.mark.parametrize("torn", ["4", "4,0.4", "4,0.4,0.0", ""])
def test_a_torn_last_row(tmp_path, torn):
    write(tmp_path, 0, range(1, 4))
    with (tmp_path / "losses.csv").open("a") as file:
        file.write(torn)
    write(tmp_path, 3, range(4, 6))
    assert [row[0] for row in rows_of(tmp_path)] == ["step", *map(str, range(1, 6))]
    assert {len(row) for row in rows_of(tmp_path)} == {3}


@pytest.mark.parametrize("content", ["", "step,loss_g,pixel\n", "step,lo"])
def test_a_log_without_rows_starts_anew(tmp_path, content):
    (tmp_path / "losses.csv").write_text(content)
    write(tmp_path, 0, range(1, 2))
    assert rows_of(tmp_path) == [["step", "loss_g", "pixel"], ["1", "0.1", "0.01"]]


def test_a_run_that_begins_again_drops_all_rows(tmp_path):
    write(tmp_path, 0, range(1, 4))
    with RunLog(tmp_path, 0) as log:
        log.losses(1, {"loss_g": 1.0, "other": 2.0})
    assert rows_of(tmp_path) == [["step", "loss_g", "other"], ["1", "1.0", "2.0"]]


def test_events(tmp_path):
    with RunLog(tmp_path, 0) as log:
        log.losses(1, {"loss_g": 0.5, "pixel": 0.25})
        log.losses(2, {"loss_g": 0.75, "pixel": 0.125})
        log.scores(2, {"psnr": 20.5, "ssim": 0.5})
    assert events_of(tmp_path) == {
        "train/loss_g": [(1, 0.5), (2, 0.75)],
        "train/pixel": [(1, 0.25), (2, 0.125)],
        "validation/psnr": [(2, 20.5)],
        "validation/ssim": [(2, 0.5)],
    }


def test_events_of_a_continued_run_purge_what_was_after_the_checkpoint(tmp_path):
    write(tmp_path, 0, range(1, 5))
    (first,) = (tmp_path / "events").iterdir()
    first.rename(tmp_path / "first")  # the names tell seconds apart
    write(tmp_path, 2, range(3, 5))
    (second,) = (tmp_path / "events").iterdir()
    starts = [
        event.step
        for event in tf.compat.v1.train.summary_iterator(str(second))
        if event.session_log.status == event.session_log.START
    ]
    assert starts == [3]


def test_the_files_are_closed_after_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="stop"), RunLog(tmp_path, 0) as log:
        log.losses(1, {"loss_g": 0.5})
        raise RuntimeError("stop")
    assert rows_of(tmp_path) == [["step", "loss_g"], ["1", "0.5"]]
    assert events_of(tmp_path) == {"train/loss_g": [(1, 0.5)]}


def scores_of(folder):
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_scores_are_rows_too_and_are_cut_back_with_the_losses(tmp_path):
    with RunLog(tmp_path, 0) as log:
        for step in (2, 4, 6):
            log.losses(step, {"loss_g": 0.5})
            log.scores(step, {"psnr": 20 + step / 10, "ssim": step / 100})
    with RunLog(tmp_path, 4) as log:
        log.scores(6, {"psnr": 23.5, "ssim": 0.5})
    assert scores_of(tmp_path) == [
        ["step", "psnr", "ssim"],
        ["2", "20.2", "0.02"],
        ["4", "20.4", "0.04"],
        ["6", "23.5", "0.5"],
    ]


def test_without_validation_there_is_no_file_of_scores(tmp_path):
    write(tmp_path, 0, range(1, 4))
    assert not (tmp_path / "scores.csv").exists()


# A log that something else has written to.

LINES = ["step,loss_g", "1,0.5", "2,0.25", "3,0.125"]


@pytest.mark.parametrize(
    ("number", "line"), [(2, "one,0.5"), (3, "2,many"), (2, "\ufffd,\ufffd"), (3, "2.5,0.1")]
)
def test_a_line_that_is_no_row_is_named(tmp_path, number, line):
    lines = [*LINES]
    lines[number - 1] = line
    (tmp_path / LOSSES).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"losses\.csv: line {number} is no row of this log"):
        RunLog(tmp_path, 3)
    # The advice: without the line it goes on.
    (tmp_path / LOSSES).write_text("\n".join(lines[: number - 1] + lines[number:]) + "\n")
    with RunLog(tmp_path, 3):
        pass
    assert "3,0.125" in (tmp_path / LOSSES).read_text()


@pytest.mark.parametrize("tail", [b"4,", b"4,0.0625,9", b"\x00\x00\x00", b"4,\xff", b"fo,ur"])
def test_a_last_line_that_was_torn_goes(tmp_path, tail):
    text = "\n".join(LINES) + "\n"
    (tmp_path / LOSSES).write_bytes(text.encode() + tail)
    with RunLog(tmp_path, 9):
        pass
    assert (tmp_path / LOSSES).read_text().split() == LINES


def test_another_file_in_the_logs_place(tmp_path):
    (tmp_path / LOSSES).write_text("name,score\na,1\n")
    with pytest.raises(DataError, match=r"losses\.csv: not a log of this program; move"):
        RunLog(tmp_path, 3)
    assert (tmp_path / LOSSES).read_text() == "name,score\na,1\n"
