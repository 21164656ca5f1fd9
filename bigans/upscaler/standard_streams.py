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

from sr_program.errors import UsageError

STREAM = "-"
INPUT_NAME = "stdin"


@contextlib.contextmanager
def file_of_input(
    arguments: Sequence[str], folder: str | os.PathLike[str] | None = None
) -> Iterator[list[str]]:
    """Within it a file stands for standard input.

    Args:
        arguments: Of a command line; `-` is standard input.
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
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield [str(path) if argument == STREAM else argument for argument in arguments]


@contextlib.contextmanager
def folder_of_output(folder: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Yields an empty folder; the one file that is in it at the end goes to standard output.

    Meanwhile whatever else would be written to standard output goes to standard error.

    Args:
        folder: For the folder; by default the system's folder for temporary files.

    Raises:
        UsageError: Standard output is a terminal, or closed.
        BrokenPipeError: Nobody reads any more.
        OSError: It cannot be written.
    """
    if sys.stdout is None or sys.stdout.isatty():
        raise UsageError(
            "--output=- writes the result to standard output, which is a terminal; "
            "redirect it to a file or a program"
        )
    sys.stdout.flush()
    number = sys.stdout.fileno()
    kept = os.dup(number)
    try:
        os.dup2(sys.stderr.fileno(), number)
        with tempfile.TemporaryDirectory(prefix="bigans-", dir=folder) as directory:
            yield Path(directory)
            os.dup2(kept, number)
            for path in Path(directory).iterdir():
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
        error.filename = "standard output"
        raise


def without_place(message: str, path: Path, name: str) -> str:
    """A message about the file that stands for a stream, as a person knows it."""
    return message.replace(str(path), name)
