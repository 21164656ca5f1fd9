r"""What files cost beside the network: many photos from their files to the written results.

    python -m benchmarks.timing.throughput --photos=12 --side=128 [--runtime=openvino]

Times the upscaler's graph on the decoded photos, one after the other, against the whole pipeline,
in which the next photo is decoded and the last result is encoded meanwhile; in one process, in
turn. The same photos with 16 bits a channel go through the pipeline as well, and decoding and
encoding are timed alone. Prints a Markdown table of medians, seconds a photo, and the ratios beside
their targets.
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
from sr_images.picture import Picture
from sr_images.pictures_out import write_picture
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.settings import setting

GRAPH, PIPELINE, DECODE, ENCODE = "graph alone", "files to files", "decoding", "encoding"
DEEP = "files to files, 16 bits"

# Row: what its time is divided by, and the target of the ratio.
TARGETS = {PIPELINE: (GRAPH, 1.10), DEEP: (PIPELINE, 1.15)}


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


def write_photos(folder: Path, count: int, side: int, *, bits: int = 8) -> list[Task]:
    """Writes noise over gradients as PNG; returns them with the results to write.

    Args:
        folder: Where to.
        count: Number of photos.
        side: Of each, pixels.
        bits: A channel, 8 or 16.
    """
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side] / side
    gradient = np.stack([rows, columns, (rows + columns) / 2], axis=-1) * 200
    tasks = []
    for number in range(count):
        pixels = np.clip(gradient + random.normal(25, 12, (side, side, 3)), 0, 255)
        name = f"{number}_{bits}_bits"
        tasks.append(Task(folder / f"{name}.png", folder / f"{name}_x4.png"))
        if bits == 8:
            write_rgb(tasks[-1].photo, pixels.astype(np.uint8))
        else:
            write_picture(tasks[-1].photo, Picture((pixels * 257).astype(np.uint16)))
    return tasks


def candidates(
    upscaler: Upscaler, tasks: list[Task], deep: list[Task]
) -> dict[str, Callable[[], Any]]:
    """What is timed, by its title; each takes all photos.

    Args:
        upscaler: A model that takes 16 bits as well.
        tasks: Photos of 8 bits.
        deep: The same photos with 16.
    """
    photos = [read_rgb(task.photo) for task in tasks]
    results = [upscaler(photo) for photo in photos]
    pairs: list[tuple[Task, NDArray[np.uint8]]] = list(zip(tasks, results, strict=True))
    return {
        GRAPH: lambda: [upscaler(photo) for photo in photos],
        PIPELINE: lambda: enlarge_files(tasks, upscaler),
        DEEP: lambda: enlarge_files(deep, upscaler),
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
        target = " | "
        if title in TARGETS:
            base, most = TARGETS[title]
            ratio = value / seconds[base]
            told = f"≤ {most:.2f}" if base == GRAPH else f"{ratio:.3f} ≤ {most:.2f} of {base}"
            target = f"{told} | {'met' if ratio <= most else 'missed'}"
        lines.append(
            f"| {title} | {value / photos:.4f} | {value / seconds[GRAPH]:.3f} | {target} |"
        )
    return lines


def report(config: ThroughputConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value, or OpenVINO is not installed.
        DataError: The model cannot be used, or takes photos of 8 bits only.
    """
    config.check()
    runtime: Any = config.runtime
    upscaler = Upscaler(config.model, runtime=runtime)
    with tempfile.TemporaryDirectory() as folder:
        tasks = write_photos(Path(folder), config.photos, config.side)
        deep = write_photos(Path(folder), config.photos, config.side, bits=16)
        seconds = medians(candidates(upscaler, tasks, deep), config.repetitions, warmup=1)
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
