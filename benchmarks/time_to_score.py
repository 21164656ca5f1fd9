r"""How much processor time recipes take to reach a validation score.

    python -m benchmarks.time_to_score --psnr=25.0 --data=folder:PHOTOS --val_dir=VAL \
        --recipe="wp_srgan.train --stage=1 --flagfile=configs/wp_pixel.cfg" \
        --recipe="wp_srgan.train --stage=1 --flagfile=..."

The recipes run one after the other, each in a process of its own that validates every --every
updates, until its score is reached or the recipe ends. Prints a Markdown table: updates, LR pixels
seen, CPU seconds of all threads, validation and start included, and seconds on the clock.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from absl import flags, logging

from benchmarks.interleaved import machine
from cli.entry_point import refuse_positional, run
from cli.errors import DataError, UsageError
from srgan.run_dir import CONFIG
from srgan.run_log import SCORES

RECIPES = flags.DEFINE_multi_string("recipe", [], "Module and flags of a training, in one text.")
PSNR = flags.DEFINE_float("psnr", 25.0, "The validation PSNR to reach, dB.")
DATA = flags.DEFINE_string("data", None, "As for the trainings.", required=True)
VAL_DIR = flags.DEFINE_string("val_dir", None, "As for the trainings.", required=True)
EVERY = flags.DEFINE_integer("every", 50, "Updates between two validations.")

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


def time_recipe(recipe: str, folder: Path) -> Reached:
    """Runs a recipe until it has the score.

    Raises:
        DataError: The training failed; what it said stands in `folder`/log.
    """
    common = [f"--data={DATA.value}", f"--val_dir={VAL_DIR.value}", f"--run_dir={folder / 'run'}"]
    command = [sys.executable, "-m", *shlex.split(recipe), *common]
    log = folder / "log"
    begun = time.perf_counter()
    with log.open("w") as output:
        training = subprocess.Popen(
            [*command, f"--steps_per_epoch={EVERY.value}"], stdout=output, stderr=output
        )
    process, cpu, seen = psutil.Process(training.pid), 0.0, 0
    try:
        while True:
            ended = training.poll() is not None
            if not ended:
                times = process.cpu_times()
                cpu = times.user + times.system
            step, psnr, run_dir = newest_score(folder / "run")
            if step > seen:
                logging.info("%s: step %d, %.3f dB, %.0f CPU s", recipe, step, psnr, cpu)
                seen = step
            if psnr >= PSNR.value or (ended and training.returncode == 0):
                pixels = step * pixels_of_a_batch(run_dir)
                return Reached(psnr, step, pixels, cpu, time.perf_counter() - begun)
            if ended:
                raise DataError(f"the recipe failed: {log.read_text().strip().splitlines()[-1]}")
            time.sleep(_PAUSE)
    finally:
        training.kill()
        training.wait()


def newest_score(folder: Path) -> tuple[int, float, Path]:
    """Step and PSNR of the last validation of a run, 0 before the first, and the run's folder."""
    for path in (folder / SCORES, *folder.glob(f"stage*/{SCORES}")):
        if path.is_file():
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            # A row may be half written.
            if rows and all(rows[-1].values()):
                return int(rows[-1]["step"]), float(rows[-1]["psnr"]), path.parent
    return 0, 0.0, folder


def pixels_of_a_batch(run_dir: Path) -> int:
    """LR pixels of one update's crops."""
    data = json.loads((run_dir / CONFIG).read_text())["data"]
    return data["batch_size"] * (data["crop_size"] // 4) ** 2


def main(arguments: list[str]) -> None:
    """Prints the table."""
    refuse_positional(arguments)
    if not RECIPES.value:
        raise UsageError('--recipe is required: "wp_srgan.train --stage=1 --flagfile=FILE"')
    if EVERY.value < 1:
        raise UsageError(f"--every must be at least 1, got {EVERY.value}")
    rows = []
    for recipe in RECIPES.value:
        with tempfile.TemporaryDirectory() as folder:
            rows.append((recipe, time_recipe(recipe, Path(folder))))
    print(f"{machine()}; until the validation photos have {PSNR.value} dB.\n")
    print("| recipe | dB | updates | M LR pixels | CPU seconds | seconds |\n" + "|---" * 6 + "|")
    for recipe, found in rows:
        print(
            f"| {recipe} | {found.psnr:.3f} | {found.step} | {found.pixels / 1e6:.2f} | "
            f"{found.cpu_seconds:.0f} | {found.seconds:.0f} |"
        )


if __name__ == "__main__":
    run(main)
