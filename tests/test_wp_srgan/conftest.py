"""A finished stage 1, made by the program itself and interrupted on the way."""

import csv
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

TINY = (
    *("--features=4", "--num_res_blocks=1", "--crop_size=16", "--batch_size=2"),
    *("--vgg_network=vgg19", "--vgg_layer=block1_conv1"),
)
NUM_STEPS = 100


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Stage1:
    """What a stage 1 that was stopped and continued left.

    Attributes:
        run_dir: the run's folder, the parent of stage1.
        flags: the command's, without --run_dir.
        exit_codes: of both calls.
        errors: what both wrote to stderr.
        num_steps: of the whole run.
        last_step: the last before it was stopped.
        files: of the run's folder after it was stopped.
    """

    run_dir: Path
    flags: tuple[str, ...]
    exit_codes: tuple[int, int]
    errors: tuple[str, str]
    num_steps: int
    last_step: int
    files: list[str]


@pytest.fixture(scope="session")
def stage1(
    tmp_path_factory: pytest.TempPathFactory,
    photo_dir: Path,
    subprocess_environment: dict[str, str],
) -> Stage1:
    """Runs stage 1, stops it by SIGTERM within an epoch, and gives the same command again."""
    root = tmp_path_factory.mktemp("wp")
    flags = (
        *("--stage=1", f"--data=folder:{photo_dir}", *TINY, "--learning_rate=1e-6"),
        *(f"--steps={NUM_STEPS}", "--steps_per_epoch=70"),
    )
    command = [sys.executable, "-m", "wp_srgan.train", *flags, "--run_dir=run"]
    losses = root / "run" / "stage1" / "losses.csv"
    exit_codes, errors, last_step, files = [], [], 0, []
    for number in range(2):
        with subprocess.Popen(
            command, cwd=root, env=subprocess_environment, stderr=subprocess.PIPE, text=True
        ) as process:
            deadline = time.monotonic() + 300
            while number == 0 and process.poll() is None and time.monotonic() < deadline:
                if losses.exists() and rows_of(losses.parent):
                    process.send_signal(signal.SIGTERM)
                    break
                time.sleep(0.005)
            errors.append(process.communicate(timeout=600)[1])
        exit_codes.append(process.returncode)
        if number == 0 and losses.exists():
            last_step = int(rows_of(losses.parent)[-1]["step"])
            files = [path.name for path in (root / "run").rglob("*") if path.is_file()]
    return Stage1(
        root / "run", flags, tuple(exit_codes), tuple(errors), NUM_STEPS, last_step, files
    )
