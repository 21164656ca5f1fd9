import io
import time

import pytest

from sr_program import progress as module
from sr_program.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def steps(clock: list[float], number: int, seconds: float) -> None:
    with Progress(number, "photo") as progress:
        for _ in range(number):
            clock[0] += seconds
            progress.update()


def test_a_line_a_minute_in_a_log(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    steps(clock, 10, 25)
    # At 75 s and 150 s and 225 s, the first steps behind a minute.
    lines = ["photo 3 of 10, 1 min", "photo 6 of 10, 2 min", "photo 9 of 10, 4 min"]
    assert capsys.readouterr().err.splitlines() == lines


def test_nothing_of_short_jobs_and_of_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    steps(clock, 5, 11)
    steps(clock, 1, 1000)
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    steps(clock, 3, 100)
    assert "3/3" in terminal.getvalue() and "min" not in terminal.getvalue()


def test_what_a_step_is(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(3, "step") as progress:
        progress.update()
        progress.describe("saving")
        clock[0] += 61
        progress.update()
    assert capsys.readouterr().err.splitlines() == ["step 2 of 3 (saving), 1 min"]


def test_a_line_while_one_step_goes_on(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    shown = ""
    with Progress(1, "photo"):
        clock[0] += 61
        deadline = time.perf_counter() + 30
        while not shown and time.perf_counter() < deadline:
            time.sleep(0.01)
            shown = capsys.readouterr().err
    assert shown == "photo 0 of 1, 1 min\n"
