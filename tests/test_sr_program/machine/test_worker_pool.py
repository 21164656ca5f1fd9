import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sr_program.machine.worker_pool import WorkerPool

# Ctrl-C comes while the processes start: none of them has run a line of the pool's own yet.
PROGRAM = """
import os, signal, time
from sr_program.machine.worker_pool import WorkerPool
if __name__ == "__main__":
    pool = WorkerPool(2, int)
    try:
        jobs = [pool.submit(time.sleep, 0.1 * i) for i in range(4)]
        os.killpg(0, signal.SIGINT)
        print([job.result() for job in jobs])
    except KeyboardInterrupt:
        print("interrupted", [job.result() for job in jobs])
    pool.shutdown()
"""


def remember(text: str) -> None:
    os.environ["REMEMBERED"] = text


def told() -> tuple[str, bool]:
    return os.environ["REMEMBERED"], signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_workers_are_prepared_and_ignore_ctrl_c() -> None:
    mine = signal.getsignal(signal.SIGINT)
    with WorkerPool(2, remember, "this") as pool:
        assert {pool.submit(told).result() for _ in range(4)} == {("this", True)}
    assert signal.getsignal(signal.SIGINT) == mine
    assert "REMEMBERED" not in os.environ


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_ctrl_c_while_they_start(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program)],
        env=subprocess_environment,
        start_new_session=True,
        restore_signals=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout == "interrupted [None, None, None, None]\n"
