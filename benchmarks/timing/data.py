"""Measures how long training waits for its data, and how much memory they take.

    python -m benchmarks.timing.data --data=prepared:DIR

Trains WP-SRGAN's generator alone, the fastest of the recipes' steps, on real batches, and prints
Markdown: the time until the first batch, a step's time and the share of it spent waiting, and the
memory of the process along the way.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any, NoReturn

import psutil

from benchmarks.timing.interleaved import machine
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class DataTimingConfig:
    """What is measured."""

    data: str = setting("", "HR images, as --data of the trainers. Required.")
    steps: int = setting(100, "Updates that are measured.")
    alone: int = setting(500, "Batches that are cut without training.")
    batch_size: int = setting(16, "Crops in each update.")
    crop_size: int = setting(96, "Side of the HR crops, pixels.")
    degradation: str = setting("bicubic", "As for the trainers.", ("bicubic", "photo"))
    precision: str = setting("bfloat16", "Of the convolutions.", ("float32", "bfloat16"))

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not self.data:
            raise UsageError("--data is required: folder:DIR, tfds:NAME or prepared:DIR")
        least = {"steps": 10, "alone": 1, "batch_size": 1, "crop_size": 16}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise UsageError(f"--{name} must be at least {value}")


DEFAULTS = DataTimingConfig()
_WARM_UP = 5
_MIB = 2**20


def main(arguments: list[str]) -> None:
    """Measures and prints."""
    refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    config.check()
    import_keras_quietly()
    from sr_data.degradations.photo_degradation import PhotoDegradation
    from sr_data.patches import PatchDataset
    from sr_data.sources import open_source
    from srgan.runs.batches import BatchReader
    from srgan.steps.engines import make_engine

    process = psutil.Process()
    engine = make_engine(_model(config.precision))
    memory = {"before the data": process.memory_info().rss}
    start = time.perf_counter()
    # One epoch, which is as long as the measurement.
    dataset = PatchDataset(
        open_source(config.data),
        crop_size=config.crop_size,
        batch_size=config.batch_size,
        steps_per_epoch=_WARM_UP + config.steps,
        degradation=PhotoDegradation() if config.degradation == "photo" else None,
    )
    opening = time.perf_counter() - start
    memory["data opened"] = process.memory_info().rss
    with BatchReader(dataset, 0, _WARM_UP) as reader:
        for _ in range(_WARM_UP):
            engine.run(reader.take(1))
    with BatchReader(dataset, _WARM_UP, _WARM_UP + config.steps) as reader:
        start = time.perf_counter()
        for step in range(config.steps):
            engine.run(reader.take(1))
            if step % (config.steps // 5) == 0:
                memory[f"update {step + 1}"] = process.memory_info().rss
        seconds = (time.perf_counter() - start) / config.steps
        waiting = reader.waiting_share
    memory[f"update {config.steps}"] = process.memory_info().rss
    start = time.perf_counter()
    for index in range(config.alone):
        dataset[index % len(dataset)]
    cutting = (time.perf_counter() - start) / config.alone
    memory[f"{config.alone} more batches"] = process.memory_info().rss
    crops = f"{config.batch_size} crops of {config.crop_size}, {config.degradation}"
    print(f"{machine()}; {config.precision}, {crops}.\n")
    print("| | |\n|---|---|")
    print(f"| opening {config.data} | {opening:.1f} s |")
    print(f"| cutting a batch, alone | {cutting * 1e3:.1f} ms |")
    print(f"| a step | {seconds * 1e3:.0f} ms |")
    print(f"| of which waiting for the batch | {waiting:.2%} |")
    for moment, size in memory.items():
        print(f"| memory, {moment} | {size / _MIB:.0f} MiB |")


def _model(precision: str) -> Any:
    """WP-SRGAN's generator with its optimizer, as the pixel recipe trains it."""
    from srgan.config import ObjectiveConfig, OptimizerConfig
    from srgan.steps.paired_optimizer import build_optimizer
    from wp_srgan.config import GeneratorConfig
    from wp_srgan.gan import WpSrgan
    from wp_srgan.generator import build_generator

    dtype = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    objective = ObjectiveConfig(pixel_loss="l1", lambda_vgg=0.0, adversarial=False)
    model = WpSrgan(build_generator(GeneratorConfig(bicubic_skip=True), dtype), objective, stage=1)
    model.compile_pair(build_optimizer(OptimizerConfig(), 1000, adversarial=False))
    return model


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
