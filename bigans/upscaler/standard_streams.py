"""`-` as a photo or a result: standard input and output, by way of files.

What comes in is read to its end first, and what goes out is whole before its first byte is written:
a photo that cannot be read leaves a pipe empty.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sr_program.errors import DataError, UsageError, in_one_line

STREAM = "-"
INPUT_NAME = "stdin"
OUTPUT_NAME = "stdout"

# What messages and reports call the files, by the ends of their names.
_TITLES = {INPUT_NAME: "standard input", OUTPUT_NAME: "standard output"}


class StreamNames:
    """Knows the files that stand for streams, and calls them by their streams' names."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    def add(self, path: Path) -> None:
        """Notes a file named `INPUT_NAME` or `OUTPUT_NAME`."""
        self._titles[str(path)] = _TITLES[path.stem]

    def shown(self, text: str) -> str:
        """A line that may name the files, as a person knows them."""
        for path, title in self._titles.items():
            text = text.replace(path, title)
        return in_one_line(text)

    @contextlib.contextmanager
    def in_errors(self) -> Iterator[None]:
        """Within it errors name the streams."""
        try:
            yield
        except (DataError, UsageError) as error:
            raise type(error)(self.shown(str(error))) from error
        except OSError as error:
            if error.filename is not None:
                error.filename = self.shown(str(error.filename))
            raise


@contextlib.contextmanager
def file_of_input(
    arguments: Sequence[str],
    names: StreamNames,
    folder: str | os.PathLike[str] | None = None,
) -> Iterator[list[str]]:
    """Within it a file stands for standard input.

    Args:
        arguments: Of a command line; `-` is standard input.
        names: Gets to know the file.
        folder: For the file; by default the system's folder for temporary files.

    Yields:
        The arguments with the file in place of each `-`.

    Raises:
        UsageError: Standard input is a terminal, or closed.
    """
    if STREAM not in arguments:
        yield list(arguments)
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads a photo from standard input, which is a terminal; pipe one in")
    with tempfile.TemporaryDirectory(prefix="bigans-", dir=folder) as directory:
        path = Path(directory) / INPUT_NAME
        names.add(path)
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [str(path) if argument == STREAM else argument for argument in arguments]


@contextlib.contextmanager
def file_of_output(
    extension: str, names: StreamNames, folder: str | os.PathLike[str] | None = None
) -> Iterator[Path]:
    """Yields a file that is not there yet; what it holds at the end goes to standard output.

    Meanwhile whatever else would be written to standard output goes to standard error.

    Args:
        extension: Of the file, as ".png".
        names: Gets to know the file.
        folder: For the file; by default the system's folder for temporary files.

    Raises:
        UsageError: Standard output is a terminal, or closed.
        BrokenPipeError: Nobody reads any more.
        OSError: It cannot be written.
    """
    if sys.stdout is None or sys.stdout.isatty():
        raise UsageError(
            "output=- writes the result to standard output, which is a terminal; "
            "redirect it to a file or a program"
        )
    sys.stdout.flush()
    number = sys.stdout.fileno()
    kept = os.dup(number)
    try:
        os.dup2(sys.stderr.fileno(), number)
        with tempfile.TemporaryDirectory(prefix="bigans-", dir=folder) as directory:
            path = Path(directory) / f"{OUTPUT_NAME}{extension}"
            names.add(path)
            yield path
            os.dup2(kept, number)
            if path.exists():
                _copy(path)
    finally:
        os.dup2(kept, number)
        os.close(kept)


def _copy(path: Path) -> None:
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        error.filename = _TITLES[OUTPUT_NAME]
        raise
