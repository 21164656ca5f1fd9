"""The settings that the programs of this package share, each with the help text of its flag."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TypeVar

from bigans.models.names import FUSED_HELP, RUNTIME_HELP, RUNTIMES, Runtime, of_pair
from bigans.pretrained.pairs import PAIRS, WEIGHTS_HELP, Pair
from evaluation.scoring.instruments import find_instruments
from evaluation.scoring.processes import default_workers
from evaluation.scoring.protocol import Instruments
from sr_data.benchmarks import Benchmark, open_benchmark
from sr_program.errors import UsageError
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class MeasuringConfig:
    """What is measured, on which images, by which runtime, and where the results go."""

    benchmarks: str = setting("Set5,Set14,BSD100", "Names of the sets, separated by commas.")
    data_dir: str = setting("", "Folder that holds a folder for each set. Required.")
    output: str = setting(
        "", "Folder of the results, where a run that was stopped continues. Required."
    )
    niqe_parameters: str = setting(
        "", "File of NIQE's pristine parameters (PIRM's modelparameters.mat); empty: downloaded."
    )
    ma_model: str = setting(
        "", "File of the Ma score's regression forests (model.mat); empty: downloaded."
    )
    vgg_weights: str = setting(
        "",
        "File of VGG19's ImageNet weights, or imagenet (download). Adds the distance of its "
        "features in structure and texture.",
    )
    model: str = setting("pretrained", FUSED_HELP)
    weights: Pair = setting("clean", WEIGHTS_HELP, PAIRS)
    runtime: Runtime = setting("tensorflow", RUNTIME_HELP, RUNTIMES)
    precision: str = setting(
        "",
        "What the shipped models, and any in OpenVINO, compute in: float32, bfloat16 or auto; "
        "empty: float32, or what a SavedModel was exported for.",
    )
    workers: int = setting(-1, "Processes that score; 0: none but this one; -1: one for each core.")


MeasuringConfigT = TypeVar("MeasuringConfigT", bound=MeasuringConfig)


def of_chosen_weights(config: MeasuringConfigT, *, given: bool) -> MeasuringConfigT:
    """The settings with the pair of shipped weights in the model's name.

    Args:
        config: As a command line gives it.
        given: Whether `weights` stands there.

    Raises:
        UsageError: An unknown model, or weights that have no effect on it.
    """
    return dataclasses.replace(config, model=of_pair(config.model, config.weights, given=given))


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What a program needs before it loads a model.

    Attributes:
        benchmarks: The sets, opened.
        instruments: What can be measured.
        output: Folder of the results; it exists.
        workers: Processes that score.
    """

    benchmarks: tuple[Benchmark, ...]
    instruments: Instruments
    output: Path
    workers: int


def prepare(config: MeasuringConfig, *, lpips: bool = False, stlpips: bool = False) -> Prepared:
    """Checks the settings and opens what they name, the quick things first.

    Args:
        config: The settings.
        lpips: Whether to compute LPIPS, where it is installed.
        stlpips: Whether to compute ST-LPIPS, where it is installed.

    Raises:
        UsageError: A setting is missing or out of range, or `output` is a file.
        DataError: A set's folder is missing or empty, or a named file is unfit.
    """
    for name in ("data_dir", "output"):
        if not getattr(config, name):
            raise UsageError(f"--{name}=DIR is missing")
    if config.workers < -1:
        raise UsageError(f"--workers must be at least -1, got {config.workers}")
    names = [name for name in config.benchmarks.split(",") if name]
    if not names:
        raise UsageError("--benchmarks is empty; name sets, as in --benchmarks=Set5,Set14")
    benchmarks = tuple(open_benchmark(name, Path(config.data_dir)) for name in names)
    # Folders are found whatever their case: A and a are one set.
    if len({benchmark.name.casefold() for benchmark in benchmarks}) < len(benchmarks):
        raise UsageError(f"--benchmarks={config.benchmarks} names a set twice")
    output = Path(config.output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"--output={output} is a file; name a folder") from None
    instruments = find_instruments(
        config.niqe_parameters,
        config.ma_model,
        config.vgg_weights,
        lpips=lpips,
        stlpips=stlpips,
    )
    workers = default_workers() if config.workers == -1 else config.workers
    return Prepared(benchmarks, instruments, output, workers)
