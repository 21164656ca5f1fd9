import subprocess
import sys

import pytest

from benchmarks.timing import two_cores
from benchmarks.timing.two_cores import CoresConfig, report
from sr_program.errors import UsageError


def test_the_ratio_is_one_thread_over_two(monkeypatch) -> None:
    times = {1: {"forward": 30.0}, 2: {"forward": 20.0}}
    monkeypatch.setattr(
        two_cores, "in_own_process", lambda function, threads, config: times[threads]
    )
    assert report(CoresConfig()).splitlines()[-1] == "| forward | 30.0 | 20.0 | 1.50 |"


def test_wrong_sizes_are_an_error() -> None:
    with pytest.raises(UsageError, match="--size must be at least 1, got 0"):
        report(CoresConfig(size=0))


@pytest.mark.slow
def test_the_program(subprocess_environment) -> None:
    sizes = ["--size=8", "--batch_size=1", "--repetitions=1", "--precision=float32"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.timing.two_cores", *sizes],
        env=subprocess_environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 4
    assert all(float(row.split("|")[2]) > 0 for row in rows[1:])
