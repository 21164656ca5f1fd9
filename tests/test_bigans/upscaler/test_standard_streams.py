"""Standard input and output stand for files, whole or empty."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bigans.upscaler.standard_streams import StreamNames

# Reads "-", writes what came in twice; with an argument, it fails after a line on stdout.
PROGRAM = """
import os, sys
from pathlib import Path
from bigans.upscaler.standard_streams import StreamNames, file_of_input, file_of_output
from sr_program.errors import DataError

names = StreamNames()
try:
    with (
        names.in_errors(),
        file_of_input(["a", "-"], names, ".") as (first, path),
        file_of_output(".png", names, ".") as result,
    ):
        assert first == "a" and Path(path).name == "stdin" and result.name == "stdout.png"
        print("a line of a library", flush=True)
        os.system("echo another")
        result.write_bytes(2 * Path(path).read_bytes())
        if sys.argv[1:]:
            raise DataError(f"{path}: is damaged, and {result} is not written")
except (ValueError, OSError) as error:
    sys.stderr.write(f"{type(error).__name__}: {getattr(error, 'filename', None) or error}")
    sys.exit(1)
"""

CONTENT = bytes(range(256)) * 1000


def run(folder: Path, environment: dict[str, str], *arguments: str, **streams: Any):
    streams.setdefault("input", CONTENT)
    streams.setdefault("stdout", subprocess.PIPE)
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, timeout=120, **streams
    )


def test_through(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    done = run(tmp_path, subprocess_environment)
    assert done.returncode == 0
    assert done.stdout == 2 * CONTENT
    assert done.stderr == b"a line of a library\nanother\n"
    assert list(tmp_path.iterdir()) == []


def test_nothing_goes_out_of_a_failure(
    tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    done = run(tmp_path, subprocess_environment, "fail")
    assert (done.returncode, done.stdout) == (1, b"")
    told = b"DataError: standard input: is damaged, and standard output is not written"
    assert done.stderr.endswith(told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full: run it on Linux")
def test_a_full_disk(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    with open("/dev/full", "wb") as full:
        done = run(tmp_path, subprocess_environment, stdout=full)
    assert done.returncode == 1
    assert done.stderr.endswith(b"OSError: standard output")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals: run it on Linux")
@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_terminal(tmp_path: Path, subprocess_environment: dict[str, str], stream: str) -> None:
    import pty

    controller, terminal = pty.openpty()
    streams = {"stdin": terminal, "input": None} if stream == "stdin" else {"stdout": terminal}
    done = run(tmp_path, subprocess_environment, **streams)
    os.close(terminal)
    os.close(controller)
    assert done.returncode == 1
    assert done.stderr.startswith(b"UsageError: ")
    assert b"which is a terminal" in done.stderr


def test_a_line_feed_in_a_name_makes_no_second_line() -> None:
    assert StreamNames().shown("a\nb.png: is damaged") == "a\\nb.png: is damaged"
