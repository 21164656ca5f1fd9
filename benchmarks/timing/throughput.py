r"""What files cost beside the network: many photos from their files to the written results.

    python -m benchmarks.timing.throughput --photos=12 --side=128 [--runtime=openvino]

Times the upscaler's graph on the decoded photos, one after the other, against the whole pipeline,
in which the next photo is decoded and the last result is encoded meanwhile; in one process, in
turn. Decoding and encoding are timed alone as well. Prints a Markdown table of medians, seconds a
photo, and the ratio beside its target.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.interleaved import machine, medians
from bigans import Upscaler
from bigans.models.names import MODEL_HELP, RUNTIMES
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Task
from sr_images.image_io import read_rgb, write_rgb
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.settings import setting

GRAPH, PIPELINE, DECODE, ENCODE = "graph alone", "files to files", "decoding", "encoding"

# The pipeline's time as a share of the graph's.
TARGET = 1.10


@dataclasses.dataclass(frozen=True)
class ThroughputConfig:
    """What is timed."""

    photos: int = setting(12, "Number of photos.")
    side: int = setting(128, "Side of each, pixels.")
    repetitions: int = setting(3, "Timed rounds.")
    runtime: str = setting("tensorflow", "What computes, as of the upscaler.", RUNTIMES)
    model: str = setting("pretrained", MODEL_HELP)

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("photos", "side", "repetitions"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, got {getattr(self, name)}")


DEFAULTS = ThroughputConfig()


def write_photos(folder: Path, count: int, side: int) -> list[Task]:
    """Writes noise over gradients as PNG; returns them with the results to write."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side] / side
    gradient = np.stack([rows, columns, (rows + columns) / 2], axis=-1) * 200
    tasks = []
    for number in range(count):
        pixels = np.clip(gradient + random.normal(25, 12, (side, side, 3)), 0, 255)
        tasks.append(Task(folder / f"{number}.png", folder / f"{number}_x4.png"))
        write_rgb(tasks[-1].photo, pixels.astype(np.uint8))
    return tasks


def candidates(upscaler: Upscaler, tasks: list[Task]) -> dict[str, Callable[[], Any]]:
    """What is timed, by its title; each takes all photos."""
    photos = [read_rgb(task.photo) for task in tasks]
    results = [upscaler(photo) for photo in photos]
    pairs: list[tuple[Task, NDArray[np.uint8]]] = list(zip(tasks, results, strict=True))
    return {
        GRAPH: lambda: [upscaler(photo) for photo in photos],
        PIPELINE: lambda: enlarge_files(tasks, upscaler),
        DECODE: lambda: [read_rgb(task.photo) for task in tasks],
        ENCODE: lambda: [write_rgb(task.result, result) for task, result in pairs],
    }


def table(seconds: dict[str, float], photos: int) -> list[str]:
    """A row a candidate.

    Args:
        seconds: Of all photos, by title.
        photos: Their number.
    """
    lines = ["| | s/photo | / graph | target | |", "|---" * 5 + "|"]
    for title, value in seconds.items():
        ratio = value / seconds[GRAPH]
        target = (
            f"≤ {TARGET:.2f} | {'met' if ratio <= TARGET else 'missed'}"
            if title == PIPELINE
            else " | "
        )
        lines.append(f"| {title} | {value / photos:.4f} | {ratio:.3f} | {target} |")
    return lines


def report(config: ThroughputConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value, or OpenVINO is not installed.
        DataError: The model cannot be used.
    """
    config.check()
    runtime: Any = config.runtime
    upscaler = Upscaler(config.model, runtime=runtime)
    with tempfile.TemporaryDirectory() as folder:
        tasks = write_photos(Path(folder), config.photos, config.side)
        seconds = medians(candidates(upscaler, tasks), config.repetitions, warmup=1)
    heading = (
        f"{machine()}; {config.runtime}; {config.photos} photos of {config.side}x{config.side}; "
        f"medians of {config.repetitions} interleaved rounds"
    )
    return "\n".join([heading, "", *table(seconds, config.photos)])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
