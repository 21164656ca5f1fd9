"""Enlarges many photos; disk and codecs work while the network does.

    read      1   2   3   4
    enlarge       1   2   3   4
    write             1   2   3   4

While a photo is enlarged, one thread reads the next and another writes the result before: one
photo ahead and one result behind, and never more, for the sake of memory. A photo in tiles is
written while it is enlarged, strip by strip, once the result before is on disk; and so are the
frames of an animation and the pages of a document, one by one.

Small photos go through the network one by one as well. On two cores with the shipped weights, eight
photos of 64x64 in one call took 0.48 s of processor time each in TensorFlow, and 0.49 s in turn,
and no less by the clock; in OpenVINO 0.46 s and 0.50 s, and 32x32 gains 7 to 9 %: not worth the
files that would be waiting.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

from absl import logging

from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.made_by import with_source
from bigans.upscaler.opened_photo import OpenedPhoto, open_photo
from bigans.upscaler.task import Outcome, Task
from bigans.upscaler.upscaler import Upscaler
from sr_images.encoding import dtype_written, format_to_write
from sr_images.limits import Limits
from sr_images.picture import Picture
from sr_images.pictures_out import write_picture, write_pictures
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import check_writable
from sr_program.files.leftovers import remove_leftovers

Report = Callable[[Outcome], None]

_PLAIN = Enlarging()


def enlarge_files(
    tasks: Sequence[Task],
    upscaler: Upscaler | Callable[[], Upscaler],
    enlarging: Enlarging = _PLAIN,
    *,
    report: Report = lambda outcome: None,
    limits: Limits | None = None,
) -> list[str]:
    """Enlarges photos into files, each whole or not at all.

        problems = enlarge_files([Task(Path("cat.png"), Path("cat_x4.png"))], upscaler)

    Files, messages and errors are those of one photo after the other: what ends the work, Ctrl-C
    included, leaves the results before it on disk and none behind it.

    Args:
        tasks: The photos, the file of each result, and how it is written.
        upscaler: Or what loads it, called once, at the first photo that can be read.
        enlarging: How each photo is enlarged.
        report: Called for each photo in turn when it is finished. Never twice at once, but from
            several threads.
        limits: The largest photos that are decoded.

    Returns:
        What is wrong with the photos that were skipped: unreadable, too large for the memory or the
        scratch folder, or nothing that the result's format could hold. One line each, which names
        the photo.

    Raises:
        ValueError: As for a call of the upscaler.
        UsageError: `Tiling.memory_mb` is too little; or, of a single photo, its result's format
            cannot hold it.
        OSError: A result cannot be written. A folder in which no file can be made is noticed
            before the first photo is read.
    """
    _prepare_folders(tasks)
    problems: list[str] = []
    writer = _Writer(report)
    with writer:
        for task, photo in _read_ahead(tasks, limits):
            if isinstance(photo, OpenedPhoto):
                task = with_source(task)
                if not isinstance(upscaler, Upscaler):
                    upscaler = upscaler()
                with photo:
                    problem = _Work(upscaler, task, photo, enlarging, writer).do()
            else:
                problem = photo
            if problem is not None:
                writer.settle()
                if isinstance(problem, UsageError) and len(tasks) == 1:
                    raise problem
                problems.append(str(problem))
                report(Outcome(task=task, problem=str(problem)))
        writer.settle()
    return problems


def _prepare_folders(tasks: Sequence[Task]) -> None:
    checked: set[Path] = set()
    for task in tasks:
        folder = task.result.parent
        if folder not in checked or task.result.is_dir():
            check_writable(task.result)
        if folder not in checked:
            remove_leftovers(folder)
        checked.add(folder)


@dataclasses.dataclass
class _Work:
    """What is done with one photo that could be opened."""

    upscaler: Upscaler
    task: Task
    photo: OpenedPhoto
    enlarging: Enlarging
    writer: _Writer

    def do(self) -> Exception | None:
        """Hands a result to the writer, or writes it; returns what is wrong, if anything is."""
        first = self.photo.first
        try:
            self._check(first)
            plan = self.upscaler.plan(first)
            outcome = Outcome(
                task=self.task,
                size=first.size,
                result_size=self.upscaler.result_size(first, self.enlarging),
                tiles=len(plan.tiles),
            )
            if self.photo.count > 1:
                self.writer.settle()
                self._write_frames()
            elif plan.is_whole:
                self.writer.start(outcome, self._enlarged(first, plan), self.photo.began)
                return None
            else:
                self.writer.settle()
                self.upscaler.to_file(
                    first,
                    self.task.result,
                    enlarging=self.enlarging,
                    encoding=self.task.encoding,
                    plan=plan,
                    tell=self._tell,
                )
        except _NotWritable as error:
            return error.usage_error
        except DataError as error:
            return error if self.photo.is_named(error) else DataError(f"{self.task.photo}: {error}")
        self.writer.tell(outcome, self.photo.began)
        return None

    def _check(self, first: Picture) -> None:
        try:
            self.upscaler.check_result(
                first,
                self.task.result,
                enlarging=self.enlarging,
                encoding=self.task.encoding,
                frames=self.photo.count,
            )
        except UsageError as error:
            raise _NotWritable(error) from error

    def _write_frames(self) -> None:
        write_pictures(
            self.task.result,
            (self._enlarged(frame) for frame in self.photo.frames()),
            self.task.encoding,
            count=self.photo.count,
            loop=self.photo.loop,
        )

    def _enlarged(self, picture: Picture, plan: Any = None) -> Picture:
        name = format_to_write(self.task.result, self.task.encoding)
        return self.upscaler.enlarge(
            picture,
            self.enlarging,
            plan=plan,
            dtype=dtype_written(name, picture.pixels.dtype),
            tell=self._tell,
        )

    def _tell(self, line: str) -> None:
        logging.warning("%s: %s", self.task.photo, line)


class _NotWritable(Exception):
    """The result's format cannot hold a photo."""

    def __init__(self, usage_error: UsageError) -> None:
        self.usage_error = usage_error


def _read_ahead(
    tasks: Sequence[Task], limits: Limits | None
) -> Iterator[tuple[Task, OpenedPhoto | DataError | UsageError]]:
    """Each task with its photo, or with why it cannot be read."""
    reading = [_in_background(_read, task, limits) for task in tasks[:1]]
    for task, following in zip(tasks, [*tasks[1:], None], strict=False):
        photo = reading.pop().result()
        if following is not None:
            reading.append(_in_background(_read, following, limits))
        yield task, photo


def _read(task: Task, limits: Limits | None) -> OpenedPhoto | DataError | UsageError:
    try:
        return open_photo(task.photo, limits)
    except (DataError, UsageError) as error:
        return error


class _Writer:
    """Writes one result at a time beside other work; at the end of its block the last is done."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._running: Future[None] | None = None

    def start(self, outcome: Outcome, result: Picture, began: float) -> None:
        """Begins with a result when the one before is on disk; raises what was wrong with that."""
        self.settle()
        # Not a daemon: the interpreter waits for it, even after a second Ctrl-C.
        self._running = _in_background(self._write, outcome, result, began, daemon=False)

    def settle(self) -> None:
        """Waits for the result that is being written; raises what is wrong with it."""
        if self._running is not None:
            wait([self._running])
            done, self._running = self._running, None
            done.result()

    def tell(self, outcome: Outcome, began: float) -> None:
        """Reports that a result is on disk."""
        self._report(dataclasses.replace(outcome, seconds=time.monotonic() - began))

    def _write(self, outcome: Outcome, result: Picture, began: float) -> None:
        write_picture(outcome.task.result, result, outcome.task.encoding)
        self.tell(outcome, began)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        if self._running is not None:
            wait([self._running])


def _in_background(function: Callable[..., Any], *arguments: Any, daemon: bool = True) -> Any:
    """Calls a function in a thread of its own; a daemon is left behind when the program ends."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=daemon).start()
    return future
