"""The work that a command line stands for: photos, results, and what is there already."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from bigans.upscaler.planning.existing import Skipped, decide
from bigans.upscaler.planning.exists import Exists
from bigans.upscaler.planning.identity import identity
from bigans.upscaler.planning.naming import name_results
from bigans.upscaler.planning.photos import Photo, find_photos
from bigans.upscaler.task import Task
from sr_images.encoding import Encoding
from sr_images.formats import WRITABLE
from sr_program.errors import DataError, UsageError

# Of a file's name: bytes, and on Windows units of UTF-16.
_MOST_NAME = 255


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """What a person asks for beside the photos.

    Attributes:
        output: One photo: a file name, or a folder (it exists, ends in a slash or has no suffix).
            Several photos: a folder.
        suffix: What follows the stem of a photo in the name of its result, in a folder.
        recursive: Whether folders stand for what their sub folders hold, too.
        exists: What is done where a result exists; see `existing.decide`.
        encoding: How results are written. Its format is that of results in a folder; PNG if it has
            none.
    """

    output: str
    suffix: str = "_x4"
    recursive: bool = False
    exists: Exists = "overwrite"
    encoding: Encoding = Encoding()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        tasks: The photos to enlarge.
        skipped: Photos whose results are kept.
        notes: What a person should know beforehand, a line each.
        problems: What cannot be done, while the rest can, a line each.
    """

    tasks: list[Task]
    skipped: list[Skipped]
    notes: list[str]
    problems: list[str]


def plan(arguments: Sequence[str], order: Order, report: Path | None = None) -> Plan:
    """Pairs every photo with a result, and decides what has to be made.

    Nothing is written.

    Args:
        arguments: Files, and folders that stand for the pictures inside of them.
        order: Where results go.
        report: The file of the report.

    Raises:
        UsageError: One file for several photos, a suffix that cannot be written, a result or a
            report that would overwrite a photo, a report in the place of a result, or results that
            exist and must not.
        DataError: There is no photo at all.
    """
    found = find_photos(
        arguments, recursive=order.recursive, suffix=order.suffix, output=order.output
    )
    if not found.photos:
        raise DataError(found.problems[0])
    results, notes = _results(found.photos, order)
    paths = [photo.path for photo in found.photos]
    tasks = [
        Task(path, result, order.encoding) for path, result in zip(paths, results, strict=True)
    ]
    too_long = [task for task in tasks if _is_too_long(task.result.name)]
    problems = found.problems + [
        f"{task.photo}: the name of its result is too long; name the result by output=FILE"
        for task in too_long
    ]
    decided = decide([task for task in tasks if task not in too_long], order.exists)
    _refuse_overwriting(paths, decided.tasks)
    if report is not None:
        _refuse_report(report, [*paths, *results, *(task.result for task in decided.tasks)])
    return Plan(decided.tasks, decided.skipped, found.notes + notes + decided.notes, problems)


def _results(photos: Sequence[Photo], order: Order) -> tuple[list[Path], list[str]]:
    output = order.output
    if _is_folder(output, len(photos)):
        return name_results(
            photos, Path(output), order.suffix, f".{order.encoding.format or 'png'}"
        )
    if len(photos) > 1:
        raise UsageError(f"output={output} is one file, for {len(photos)} photos; name a folder")
    return [_writable(Path(output), order.encoding.format)], []


def _is_folder(output: str, num_photos: int) -> bool:
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return True
    if path.exists():
        return False
    suffix = path.suffix.lower()
    return suffix not in WRITABLE and (num_photos > 1 or not suffix)


def _writable(path: Path, wanted: str | None) -> Path:
    found = WRITABLE.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"output={path}: cannot write this format, use one of {', '.join(WRITABLE)}, "
            "or end the name of a folder with a slash"
        )
    if wanted is not None and found != WRITABLE[f".{wanted.lower()}"]:
        raise UsageError(f"output={path} and format={wanted} contradict each other; leave one out")
    return path


def _refuse_overwriting(photos: Sequence[Path], tasks: Sequence[Task]) -> None:
    # By identity, not by name: links and file systems that ignore case give a file several names.
    identities = {identity(photo) for photo in photos} - {None}
    for task in tasks:
        if identity(task.result) in identities:
            raise UsageError(f"{task.result} is one of the photos; choose another output=")


def _refuse_report(report: Path, others: Sequence[Path]) -> None:
    there = identity(report)
    for path in others:
        if os.path.abspath(path) == os.path.abspath(report) or there and identity(path) == there:
            raise UsageError(f"report={report} is a photo or a result; choose another file")


def _is_too_long(name: str) -> bool:
    """Whether no disk takes a file of this name."""
    length = len(name.encode("utf-16-le")) // 2 if os.name == "nt" else len(os.fsencode(name))
    return length > _MOST_NAME
