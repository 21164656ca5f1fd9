"""Processes that share a machine take the cores that they are given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sr_program.machine.threads import limit_threads, threads_asked_for


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("2,1", 2), (" 4 ", 4), ("", None), ("0", None), ("all", None)]
)
def test_the_number_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, text: str, number: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert threads_asked_for() == number


def test_opencv_and_others_that_are_imported_later(subprocess_environment: dict[str, str]) -> None:
    code = (
        "import cv2; from sr_program.machine.threads import limit_threads; limit_threads(1); "
        "import os; print(cv2.getNumThreads(), os.environ['TF_NUM_INTRAOP_THREADS'])"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True)
    assert ran.stdout.split() == ["1", "1"], ran.stderr


def test_a_number_is_what_is_asked_for_then(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    before = dict(os.environ), cv2.getNumThreads()
    try:
        limit_threads(2)
        assert (threads_asked_for(), cv2.getNumThreads()) == (2, 2)
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        cv2.setNumThreads(before[1])
