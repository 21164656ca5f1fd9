"""What is done where a result exists: it is kept if it is up to date, replaced, or passed by."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

from bigans.upscaler.made_by import read_record, with_source
from bigans.upscaler.planning.exists import Exists
from bigans.upscaler.task import Task
from sr_program.errors import UsageError

UP_TO_DATE = "is up to date"
UNKNOWN = "is there, and not known to be made by this program"


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A photo that is not enlarged, because its result is there.

    Attributes:
        task: The photo and its result.
        reason: What the result is.
    """

    task: Task
    reason: str


@dataclasses.dataclass(frozen=True)
class Decided:
    """What has to be made.

    Attributes:
        tasks: The photos to enlarge, in their order.
        skipped: The others.
        notes: What a person should know, a line each.
    """

    tasks: list[Task]
    skipped: list[Skipped] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def decide(tasks: Sequence[Task], exists: Exists) -> Decided:
    """Decides what becomes of results that exist.

    Args:
        tasks: The photos, with results of different names.
        exists: "overwrite": they are replaced, each when the new one is whole. "skip": those are
            kept that were made of the same photo with the same settings, and so are files that are
            not known to be results; others are replaced. "rename": the new result has a number
            behind its name. "error": nothing is done.

    Raises:
        UsageError: "error", and a result exists.
    """
    there = [task for task in tasks if task.result.exists() and not task.result.is_dir()]
    if not there:
        return Decided(list(tasks))
    if exists == "error":
        more = f", and {len(there) - 1} more results" if len(there) > 1 else ""
        raise UsageError(f"{there[0].result} exists{more}; choose another exists= or output=")
    if exists == "rename":
        return Decided(_renamed(tasks, there))
    if exists == "skip":
        return _without_finished(tasks, there)
    return Decided(list(tasks), notes=_redone(tasks, there))


def _renamed(tasks: Sequence[Task], there: Sequence[Task]) -> list[Task]:
    taken = {task.result for task in tasks}
    there_already = {task.result for task in there}
    renamed = []
    for task in tasks:
        if task.result in there_already:
            task = task._replace(result=_free_name(task.result, taken))
            taken.add(task.result)
        renamed.append(task)
    return renamed


def _free_name(result: Path, taken: set[Path]) -> Path:
    names = (result.with_stem(f"{result.stem}_{number}") for number in itertools.count(2))
    return next(name for name in names if name not in taken and not name.exists())


def _without_finished(tasks: Sequence[Task], there: Sequence[Task]) -> Decided:
    there_already = {task.result for task in there}
    todo: list[Task] = []
    skipped: list[Skipped] = []
    for task in tasks:
        record = read_record(task.result) if task.result in there_already else {}
        if record is None:
            skipped.append(Skipped(task, UNKNOWN))
        elif record and record == expected_record(task):
            skipped.append(Skipped(task, UP_TO_DATE))
        else:
            todo.append(task)
    unknown = [one.task.result for one in skipped if one.reason == UNKNOWN]
    notes = []
    if unknown:
        more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        notes.append(f"{unknown[0]} {UNKNOWN}{more}: kept; exists=overwrite replaces such files")
    return Decided(todo, skipped, notes)


def expected_record(task: Task) -> dict[str, str] | None:
    """The record that the result of a photo would have; None if the photo cannot be read."""
    try:
        return dict(with_source(task).encoding.settings)
    except OSError:
        return None


def _redone(tasks: Sequence[Task], there: Sequence[Task]) -> list[str]:
    """A run of many photos that was stopped shall not begin anew without a word."""
    if len(tasks) < 2:
        return []
    count = "all" if len(there) == len(tasks) else f"{len(there)} of {len(tasks)}"
    return [f"{count} results exist and are made again; exists=skip keeps those up to date"]
