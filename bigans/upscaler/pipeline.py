"""Enlarges many photos; disk and codecs work while the network does.

    read      1   2   3   4
    enlarge       1   2   3   4
    write             1   2   3   4

While a photo is enlarged, one thread reads the next and another writes the result before: one
photo ahead and one result behind, and never more, for the sake of memory. A photo in tiles is
written while it is enlarged, strip by strip, once the result before is on disk.

Small photos go through the network one by one as well. On two cores with the shipped weights, eight
photos of 64x64 in one call took 0.48 s of processor time each in TensorFlow, and 0.49 s in turn,
and no less by the clock; in OpenVINO 0.46 s and 0.50 s, and 32x32 gains 7 to 9 %: not worth the
files that would be waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.upscaler.results import Task
from bigans.upscaler.upscaler import Upscaler
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError
from sr_program.files.atomic_write import check_writable
from sr_program.files.leftovers import remove_leftovers

Report = Callable[[str | None], None]


def enlarge_files(
    tasks: Sequence[Task],
    upscaler: Upscaler | Callable[[], Upscaler],
    xi: float | None = None,
    max_deviation: float | None = None,
    report: Report = lambda problem: None,
) -> list[str]:
    """Enlarges photos into files, each whole or not at all.

        problems = enlarge_files([Task(Path("cat.png"), Path("cat_x4.png"))], upscaler)

    Files, messages and errors are those of one photo after the other: what ends the work, Ctrl-C
    included, leaves the results before it on disk and none behind it.

    Args:
        tasks: The photos, and the file of each result.
        upscaler: Or what loads it, called once, at the first photo that can be read.
        xi: As for a call of the upscaler.
        max_deviation: As for a call of the upscaler.
        report: Called for each photo in turn when it is finished, with None or with what is wrong
            with it. Never twice at once, but from several threads.

    Returns:
        What is wrong with the photos that were skipped: unreadable, or too large for the memory or
        the scratch folder. One line each, which names the photo.

    Raises:
        ValueError: As for a call of the upscaler.
        UsageError: As for `Upscaler.to_file`.
        OSError: A result cannot be written. A folder in which no file can be made is noticed
            before the first photo is read.
    """
    _prepare_folders(tasks)
    problems: list[str] = []
    writer = _Writer(report)
    with writer:
        for task, photo in _read_ahead(tasks):
            problem = str(photo) if isinstance(photo, DataError) else None
            if not isinstance(photo, DataError):
                if not isinstance(upscaler, Upscaler):
                    upscaler = upscaler()
                problem = _enlarge(upscaler, task, photo, writer, (xi, max_deviation))
            if problem is not None:
                writer.settle()
                problems.append(problem)
                report(problem)
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


def _enlarge(
    upscaler: Upscaler,
    task: Task,
    photo: NDArray[np.uint8],
    writer: _Writer,
    numbers: tuple[float | None, float | None],
) -> str | None:
    """Hands a result to the writer; returns what is wrong with the photo, if anything is."""
    try:
        upscaler.check_result(photo, task.result)
        if upscaler.fits(photo):
            writer.start(task, upscaler(photo, *numbers))
            return None
        writer.settle()
        upscaler.to_file(photo, task.result, *numbers)
    except DataError as error:
        return f"{task.photo}: {error}"
    writer.report(None)
    return None


def _read_ahead(
    tasks: Sequence[Task],
) -> Iterator[tuple[Task, NDArray[np.uint8] | DataError]]:
    """Each task with its photo, or with why it cannot be read."""
    reading = [_in_background(_read, task) for task in tasks[:1]]
    for task, following in zip(tasks, [*tasks[1:], None], strict=False):
        photo = reading.pop().result()
        if following is not None:
            reading.append(_in_background(_read, following))
        yield task, photo


def _read(task: Task) -> NDArray[np.uint8] | DataError:
    try:
        return read_rgb(task.photo)
    except DataError as error:
        return error


class _Writer:
    """Writes one result at a time beside other work; at the end of its block the last is done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._running: Future[None] | None = None

    def start(self, task: Task, result: NDArray[np.uint8]) -> None:
        """Begins with a result when the one before is on disk; raises what was wrong with that."""
        self.settle()
        # Not a daemon: the interpreter waits for it, even after a second Ctrl-C.
        self._running = _in_background(self._write, task, result, daemon=False)

    def settle(self) -> None:
        """Waits for the result that is being written; raises what is wrong with it."""
        if self._running is not None:
            wait([self._running])
            done, self._running = self._running, None
            done.result()

    def _write(self, task: Task, result: NDArray[np.uint8]) -> None:
        write_rgb(task.result, result)
        self.report(None)

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
