"""Calls in a process of their own."""

import os
import signal
import sys

import pytest

from benchmarks.timing.own_process import in_own_process
from sr_program.errors import DataError


def test_another_process_returns_a_result() -> None:
    first, second = in_own_process(os.getpid), in_own_process(os.getpid)
    assert len({first, second, os.getpid()}) == 3
    assert in_own_process(divmod, 7, 3) == (2, 1)


def test_what_the_function_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        in_own_process(divmod, 7, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals: run it on Linux or macOS")
def test_a_killed_process_is_told() -> None:
    with pytest.raises(DataError, match="raise_signal was ended from outside.*memory ran out"):
        in_own_process(signal.raise_signal, signal.SIGKILL)
