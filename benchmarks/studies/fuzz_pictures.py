"""Reads damaged picture files of every format: each ends in a picture or in one line.

    python -m benchmarks.studies.fuzz_pictures --count=10000

Draws a small file of every kind, damages it, reads it, and writes what could be read into another
format. Whatever else than a picture or a DataError comes out, takes more than five seconds or more
than 1 GB is listed, with the number that `--first` takes to make it again; then the exit code is 1.
The files are read in a process of their own, which a decoder may end.
"""

from __future__ import annotations

import dataclasses
import io
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from absl import logging
from tqdm import tqdm

from benchmarks.studies.damaged_files import damaged
from benchmarks.studies.drawn_files import drawn_files
from benchmarks.timing.peak_memory import peak_bytes
from sr_images.pictures_in import open_pictures
from sr_images.pictures_out import Encoding, write_picture
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting

_MOST_SECONDS = 5.0
_MOST_BYTES = 10**9
_MOST_FRAMES = 20  # of a file, that are looked at
_WRITTEN = ("png", "tif", "webp")  # what holds every picture


@dataclasses.dataclass(frozen=True)
class FuzzConfig:
    """What is read."""

    count: int = setting(10_000, "Files.")
    first: int = setting(0, "Number of the first file: each has faults of its own.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if self.count < 1 or self.first < 0:
            raise UsageError("--count must be at least 1, and --first at least 0")


DEFAULTS = FuzzConfig()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Of one file.

    Attributes:
        number: Of the file.
        kind: Of the file, before it was damaged.
        result: "picture", "refused", or what is wrong.
        seconds: Until then.
        peak_bytes: Memory of the process, at most until then.
    """

    number: int
    kind: str
    result: str
    seconds: float
    peak_bytes: int

    @property
    def problem(self) -> str | None:
        """What is wrong, if anything is."""
        told = f"{self.number} ({self.kind}): "
        if self.result not in ("picture", "refused"):
            return told + self.result
        if self.seconds > _MOST_SECONDS:
            return f"{told}took {self.seconds:.1f} s"
        if self.peak_bytes > _MOST_BYTES:
            return f"{told}took {self.peak_bytes / 1e6:.0f} MB"
        return None


def fuzz(first: int, count: int) -> Iterator[Outcome]:
    """Reads damaged files.

    Args:
        first: Number of the first one.
        count: How many.
    """
    number, end = first, first + count
    names = sorted(drawn_files())
    while number < end:
        with _Reader(number, end) as reader:
            while number < end:
                outcome = reader.next()
                if outcome is None:
                    kind = names[number % len(names)]
                    yield Outcome(number, kind, reader.how_it_ended(), 0.0, 0)
                    number += 1
                    break
                yield outcome
                number += 1
                if outcome.peak_bytes > _MOST_BYTES:
                    break  # the peak would be told of all that follow


class _Reader:
    """A process that reads files in turn."""

    def __init__(self, number: int, end: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe(duplex=False)
        self._process = context.Process(target=_read_all, args=(other, number, end), daemon=True)
        self._process.start()
        other.close()
        if not self._pipe.poll(120):
            raise DataError("the reading process does not start")
        self._pipe.recv()

    def next(self) -> Outcome | None:
        """What became of the next file; None if the process hangs or has ended."""
        try:
            return self._pipe.recv() if self._pipe.poll(4 * _MOST_SECONDS) else None
        except EOFError:
            return None

    def how_it_ended(self) -> str:
        """Why there is no outcome."""
        self._process.join(1)
        code = self._process.exitcode
        return "hangs" if code is None else f"ended the process with {code}"

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _read_all(pipe: Connection, number: int, end: int) -> None:
    # Decoders in C complain to stderr, and warnings are none of ours.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    logging.set_verbosity(logging.FATAL)
    files = drawn_files()
    names = sorted(files)
    pipe.send("ready")
    for one in range(number, end):
        kind = names[one % len(names)]
        content = damaged(files[kind], random.Random(one))
        start = time.perf_counter()
        try:
            result = _read(content, one)
        except Exception:
            result = " | ".join(traceback.format_exc().splitlines()[-7:])
        seconds = time.perf_counter() - start
        peak = peak_bytes()
        pipe.send(Outcome(one, kind, result, seconds, peak))


def _read(content: bytes, number: int) -> str:
    result, source = "refused", content
    try:
        if number % 2:  # from the disk, which some decoders map into memory
            source = Path(tempfile.gettempdir()) / f"fuzzed-{os.getpid()}"
            source.write_bytes(content)
        with open_pictures(source, name="a file") as pictures:
            for _, picture in zip(range(_MOST_FRAMES), pictures, strict=False):
                result = "picture"
                if max(picture.size) < 2000:
                    encoding = Encoding(_WRITTEN[number % 3], strip="gps")
                    write_picture(io.BytesIO(), picture, encoding)
    except DataError as error:
        if "\n" in str(error) or not str(error).startswith("a file: "):
            return f"no line: {error!r}"
        return "refused"
    finally:
        if isinstance(source, Path):
            source.unlink(missing_ok=True)
    return result


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> int:
    """Reads, and lists what is wrong."""
    refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    config.check()
    counts: dict[str, int] = {}
    problems, slowest, peak = [], 0.0, 0
    with tqdm(total=config.count, disable=None) as progress:
        for outcome in fuzz(config.first, config.count):
            problem = outcome.problem
            result = "wrong" if problem else outcome.result
            counts[result] = counts.get(result, 0) + 1
            slowest, peak = max(slowest, outcome.seconds), max(peak, outcome.peak_bytes)
            if problem:
                problems.append(problem)
                print(problem, flush=True)
            progress.update()
    told = ", ".join(f"{number} {result}" for result, number in sorted(counts.items()))
    print(f"{told}; {slowest:.1f} s and {peak / 1e6:.0f} MB at most")
    return 1 if problems else 0


if __name__ == "__main__":
    cli_main()
