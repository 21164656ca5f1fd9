"""What the process keeps of the memory that it frees."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np, psutil
from bigans import keep_freed_memory
{call}
array = np.ones(200_000_000, np.uint8)
del array
print(psutil.Process().memory_info().rss // 1_000_000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc (Linux)")
def test_freed_memory_stays() -> None:
    given_back, kept = (_megabytes(call) for call in ("", "assert keep_freed_memory()"))
    assert kept - given_back == pytest.approx(200, abs=30)


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from sr_program.machine import allocator

    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocator.ctypes, "CDLL", None)
    assert not allocator.keep_freed_memory()


def _megabytes(call: str) -> int:
    program = [sys.executable, "-c", PROGRAM.format(call=call)]
    return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
