r"""Times whole processes, from the command to the written picture, beside importing TensorFlow.

    python -m benchmarks.timing.start_up

Each is a fresh process with a warm cache, in turn: `import tensorflow` as anybody writes it, the
upscaler's --help, and the upscaler on one 128x128 photo, with every runtime that is asked for.
Prints a Markdown table of medians and of peak memory, and the ratios beside their targets.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine, medians
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting

IMPORT, HELP = "import tensorflow", "upscaler --help"

# A photo's time as a share of TensorFlow's import, and the help's in seconds.
PHOTO_TARGET, HELP_TARGET = 2.0, 0.3

SIDE = 128


@dataclasses.dataclass(frozen=True)
class StartUpConfig:
    """What is timed."""

    repetitions: int = setting(7, "Timed rounds.")
    upscaler_flags: str = setting(
        "",
        "Flags of the upscaler, in words; several sets of them separated by commas.",
    )

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if self.repetitions < 1:
            raise UsageError(f"--repetitions must be at least 1, got {self.repetitions}")


DEFAULTS = StartUpConfig()


@dataclasses.dataclass(frozen=True)
class Process:
    """A command and what its runs took.

    Attributes:
        arguments: Of Python.
        peaks: Peak memory of each run so far, MB.
    """

    arguments: tuple[str, ...]
    peaks: list[float] = dataclasses.field(default_factory=list)

    def run(self) -> None:
        """Runs it to its end.

        Raises:
            DataError: It failed.
        """
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen([sys.executable, *self.arguments], stdout=said, stderr=said)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                said.seek(0)
                text = said.read().decode(errors="replace").strip()
                raise DataError(f"{' '.join(self.arguments)}: {text}")
        self.peaks.append(usage.ru_maxrss * 1024 / 1e6)


def processes(config: StartUpConfig, folder: Path) -> dict[str, Process]:
    """What is timed, by its title; writes the photo into `folder`."""
    from sr_images.image_io import write_rgb

    photo = folder / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    write_rgb(photo, pixels)
    command = ("-m", "bigans", str(photo), f"--output={folder / 'large.png'}")
    found = {
        IMPORT: Process(("-c", "import tensorflow")),
        HELP: Process(("-m", "bigans", "--help")),
    }
    for flags in config.upscaler_flags.split(","):
        found[" ".join(["upscaler", *flags.split()])] = Process((*command, *flags.split()))
    return found


def table(seconds: dict[str, float], peaks: dict[str, float]) -> list[str]:
    """A row a process."""
    lines = ["| process | s | / import tensorflow | peak memory, MB | target | |", "|---" * 6 + "|"]
    for title, value in seconds.items():
        ratio = value / seconds[IMPORT]
        target, met = "", ""
        if title == HELP:
            target, met = f"≤ {HELP_TARGET} s", _verdict(value <= HELP_TARGET)
        elif title != IMPORT:
            target, met = f"< {PHOTO_TARGET:g}x the import", _verdict(ratio < PHOTO_TARGET)
        lines.append(
            f"| {title} | {value:.2f} | {ratio:.2f} | {peaks[title]:.0f} | {target} | {met} |"
        )
    return lines


def _verdict(holds: bool) -> str:
    return "met" if holds else "missed"


def report(config: StartUpConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: One of the processes failed.
    """
    config.check()
    with tempfile.TemporaryDirectory() as folder:
        found = processes(config, Path(folder))
        calls = {title: process.run for title, process in found.items()}
        seconds = medians(calls, config.repetitions, warmup=1)
    peaks = {title: statistics.median(process.peaks) for title, process in found.items()}
    heading = (
        f"{machine()}; medians of {config.repetitions} interleaved rounds; a {SIDE}x{SIDE} photo"
    )
    return "\n".join([heading, "", *table(seconds, peaks)])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
