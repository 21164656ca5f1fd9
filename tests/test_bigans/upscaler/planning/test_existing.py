"""What becomes of results that exist."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from bigans.upscaler.made_by import write_beside
from bigans.upscaler.planning.existing import (
    UNKNOWN,
    UP_TO_DATE,
    Decided,
    decide,
    expected_record,
)
from bigans.upscaler.planning.exists import Exists
from bigans.upscaler.task import Task
from sr_images.attributes.settings import added
from sr_images.encoding import Encoding
from sr_images.picture import Attributes
from sr_program.errors import UsageError

SETTINGS = {"version": "0.1.0", "xi": "0.73"}


def packet(record: Mapping[str, str]) -> bytes:
    """A file with a record in its XMP."""
    xmp = added(Attributes(), "JPEG", record).xmp
    assert xmp is not None
    return xmp


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    """Photos 0 to 3; results of 0 (in the file) and 1 (beside it), and a file of no program."""
    encoding = Encoding(settings=SETTINGS)
    found = [Task(tmp_path / f"{i}.png", tmp_path / f"out_{i}.png", encoding) for i in range(4)]
    for i, task in enumerate(found):
        task.photo.write_text(f"photo {i}")
    for i in (0, 1):
        record = expected_record(found[i])
        assert record is not None
        found[i].result.write_bytes(b"pixels" if i else packet(record))
        write_beside(found[i].result, record)
    found[2].result.write_bytes(b"drawn by hand")
    return found


def todo(decided: Decided, tasks: list[Task]) -> list[int]:
    return [tasks.index(task) for task in decided.tasks]


def test_those_that_are_up_to_date_are_kept(tasks: list[Task]) -> None:
    decided = decide(tasks, "skip")
    assert todo(decided, tasks) == [3]
    assert [one.reason for one in decided.skipped] == [UP_TO_DATE, UP_TO_DATE, UNKNOWN]
    assert [one.task for one in decided.skipped] == tasks[:3]
    (note,) = decided.notes
    assert "out_2.png" in note and "exists=overwrite" in note


def test_a_time_does_not_matter(tasks: list[Task]) -> None:
    for task in tasks:
        os.utime(task.photo)
    assert todo(decide(tasks, "skip"), tasks) == [3]


def test_another_setting(tasks: list[Task]) -> None:
    encoding = Encoding(settings={**SETTINGS, "xi": "0.5"})
    tasks = [task._replace(encoding=encoding) for task in tasks]
    assert todo(decide(tasks, "skip"), tasks) == [0, 1, 3]


def test_another_photo(tasks: list[Task]) -> None:
    tasks[0].photo.write_text("another photo")
    tasks[1].photo.unlink()  # it is told when it is read
    assert todo(decide(tasks, "skip"), tasks) == [0, 1, 3]


def test_all_are_replaced(tasks: list[Task]) -> None:
    decided = decide(tasks, "overwrite")
    assert decided.tasks == tasks and not decided.skipped
    assert decided.notes == [
        "3 of 4 results exist and are made again; exists=skip keeps those up to date"
    ]
    assert decide(tasks[:1], "overwrite").notes == []
    assert decide(tasks[3:], "overwrite").notes == []


def test_new_names(tasks: list[Task]) -> None:
    tasks[0].result.with_stem("out_0_2").touch()
    found = decide(tasks, "rename").tasks
    assert [task.result.name for task in found] == [
        "out_0_3.png", "out_1_2.png", "out_2_2.png", "out_3.png",
    ]  # fmt: skip
    assert [task.photo for task in found] == [task.photo for task in tasks]


def test_a_new_name_is_not_that_of_another_result(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    tasks = [Task(Path("1"), tmp_path / "a.png"), Task(Path("2"), tmp_path / "a_2.png")]
    found = decide(tasks, "rename").tasks
    assert [task.result.name for task in found] == ["a_3.png", "a_2.png"]


def test_an_error(tasks: list[Task]) -> None:
    with pytest.raises(UsageError, match=r"out_0.png exists, and 2 more results; choose another"):
        decide(tasks, "error")
    assert decide(tasks[3:], "error").tasks == tasks[3:]


@pytest.mark.parametrize("exists", ["overwrite", "skip", "rename", "error"])
def test_nothing_is_there(tmp_path: Path, exists: Exists) -> None:
    tasks = [Task(tmp_path / "a", tmp_path / "b")]
    assert decide(tasks, exists) == Decided(tasks)
