"""What a person is told while a batch goes on."""

from __future__ import annotations

import time

import pytest

from bigans.batch.photo import Outcome
from bigans.batch.rates import Rates


def test_a_line_of_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Rates(total=1000, seconds=10) as rates:
        for number in range(1, 61):
            now = 1000.0 + number
            status = "failed" if number % 20 == 0 else "skipped" if number % 10 == 0 else "done"
            worker = "a:1" if number % 3 else "b:2"
            rates.add(Outcome(number=number, status=status, worker=worker))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    # 57 of 60 took work, at 0.95 a second; 940 are left.
    assert lines[-1] == (
        "photo 60 of 1000, 0.95/s, 16 min 29 s left, 3 failed, 3 as they were; "
        "2 workers: a:1 0.60/s, b:2 0.30/s"
    )
