r"""How much processor time recipes take to reach a validation score.

    python -m benchmarks.timing.time_to_score --psnr=25.0 --data=folder:PHOTOS --val_dir=VAL \
        --recipes="wp_srgan.train --flagfile=A.cfg; wp_srgan.train --flagfile=B.cfg"

The recipes run one after the other, each in a process of its own that validates every --every
updates, until its score is reached or the recipe ends. Prints a Markdown table: updates, LR pixels
seen, CPU seconds of all threads, validation and start included, and seconds on the clock.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

import psutil
from absl import logging

from benchmarks.timing.interleaved import machine
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting
from srgan.runs.run_dir import CONFIG
from srgan.runs.run_log import SCORES


@dataclasses.dataclass(frozen=True)
class RaceConfig:
    """What is timed."""

    recipes: str = setting(
        "", "Module and flags of each training, separated by semicolons. Required."
    )
    psnr: float = setting(25.0, "The validation PSNR to reach, dB.")
    data: str = setting("", "As for the trainings. Required.")
    val_dir: str = setting("", "As for the trainings. Required.")
    every: int = setting(50, "Updates between two validations.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("recipes", "data", "val_dir"):
            if not getattr(self, name):
                raise UsageError(f"--{name} is required")
        if self.every < 1:
            raise UsageError(f"--every must be at least 1, got {self.every}")


DEFAULTS = RaceConfig()

# Seconds between two looks at a run.
_PAUSE = 0.2


@dataclasses.dataclass(frozen=True)
class Reached:
    """Where a run was when it reached the score.

    Attributes:
        psnr: The validation's, dB; below the score where the recipe ended first.
        step: Updates done.
        pixels: LR pixels of all crops so far.
        cpu_seconds: Of the process, all threads.
        seconds: On the clock.
    """

    psnr: float
    step: int
    pixels: int
    cpu_seconds: float
    seconds: float


def time_recipe(recipe: str, config: RaceConfig, folder: Path) -> Reached:
    """Runs a recipe until it has the score.

    Raises:
        DataError: The training failed; what it said stands in `folder`/log.
    """
    common = [f"--data={config.data}", f"--val_dir={config.val_dir}", f"--run_dir={folder / 'run'}"]
    command = [sys.executable, "-m", *shlex.split(recipe), *common]
    log = folder / "log"
    begun = time.perf_counter()
    with log.open("w") as output:
        training = subprocess.Popen(
            [*command, f"--steps_per_epoch={config.every}"], stdout=output, stderr=output
        )
    process, cpu, seen = psutil.Process(training.pid), 0.0, 0
    try:
        while True:
            ended = training.poll() is not None
            if not ended:
                times = process.cpu_times()
                cpu = times.user + times.system
            step, psnr, run_dir = newest_score(folder / "run", config.psnr)
            if step > seen:
                logging.info("%s: step %d, %.3f dB, %.0f CPU s", recipe, step, psnr, cpu)
                seen = step
            if psnr >= config.psnr or (ended and training.returncode == 0):
                pixels = step * pixels_of_a_batch(run_dir)
                return Reached(psnr, step, pixels, cpu, time.perf_counter() - begun)
            if ended:
                raise DataError(f"the recipe failed: {log.read_text().strip().splitlines()[-1]}")
            time.sleep(_PAUSE)
    finally:
        training.kill()
        training.wait()


def newest_score(folder: Path, psnr: float = math.inf) -> tuple[int, float, Path]:
    """Step and PSNR of the last validation of a run, 0 before the first, and the run's folder.

    Where validations have reached `psnr`, the first of them: a run may be faster than who looks.
    """
    for path in (folder / SCORES, *folder.glob(f"stage*/{SCORES}")):
        if path.is_file():
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            # A row may be half written.
            if rows and all(rows[-1].values()):
                reached = [row for row in rows if float(row["psnr"]) >= psnr]
                row = (reached or rows[-1:])[0]
                return int(row["step"]), float(row["psnr"]), path.parent
    return 0, 0.0, folder


def pixels_of_a_batch(run_dir: Path) -> int:
    """LR pixels of one update's crops."""
    data = json.loads((run_dir / CONFIG).read_text())["data"]
    return data["batch_size"] * (data["crop_size"] // 4) ** 2


def report(config: RaceConfig) -> str:
    """Runs all recipes.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: A training failed.
    """
    config.check()
    lines = [
        f"{machine()}; until the validation photos have {config.psnr} dB.",
        "",
        "| recipe | dB | updates | M LR pixels | CPU seconds | seconds |",
        "|---" * 6 + "|",
    ]
    for recipe in filter(None, map(str.strip, config.recipes.split(";"))):
        with tempfile.TemporaryDirectory() as folder:
            found = time_recipe(recipe, config, Path(folder))
        lines.append(
            f"| {recipe} | {found.psnr:.3f} | {found.step} | {found.pixels / 1e6:.2f} | "
            f"{found.cpu_seconds:.0f} | {found.seconds:.0f} |"
        )
    return "\n".join(lines)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
