"""Says where the time of the fused graph in TensorFlow goes, operation by operation.

    python -m benchmarks.timing.operations --precision=bfloat16

oneDNN, which computes TensorFlow's convolutions on CPUs, tells of each what it was, how it computed
it and how long that took; what all of them leave of the wall time is everything else. The
generators run one after the other here, so that times add up: the graph is a little slower than
usual.
Prints Markdown: time, rate, and share of what the machine reaches in large matrix products.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import DataError, UsageError
from sr_program.machine.precision import resolve
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

PRECISIONS = ("float32", "bfloat16")

# What the child prints before and after each run; in between there are oneDNN's lines.
_START, _END = "benchmarks.timing.operations: start", "benchmarks.timing.operations: end"

_CONVOLUTION = re.compile(
    r"mb(?P<mb>\d+)_ic(?P<ic>\d+)oc(?P<oc>\d+)_ih\d+oh(?P<oh>\d+)kh(?P<kh>\d+)\D.*"
    r"_iw\d+ow(?P<ow>\d+)kw(?P<kw>\d+)\D"
)


@dataclasses.dataclass(frozen=True)
class OperationsConfig:
    """What is profiled."""

    precision: str = setting("float32", "What the graph computes in.", PRECISIONS)
    size: int = setting(256, "Side of the photo in LR pixels.")
    repetitions: int = setting(5, "Runs; the fastest counts.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not 8 <= self.size <= 300 or self.repetitions < 1:
            raise UsageError("--size is 8 to 300, --repetitions at least 1")


DEFAULTS = OperationsConfig()


@dataclasses.dataclass(frozen=True)
class Operation:
    """One execution, as oneDNN reports it.

    Attributes:
        title: What it was; the same for all that do the same work.
        seconds: How long it took.
        flops: Multiplications and additions of a convolution, else 0.
    """

    title: str
    seconds: float
    flops: int


def parse(line: str) -> Operation | None:
    """Reads a line of oneDNN's log; None where it tells of no execution.

    The fields are those of oneDNN 3: marker, version, "primitive", "exec", engine, kind,
    implementation, propagation, memory formats, attributes, auxiliary, problem, milliseconds.
    """
    fields = line.strip().split(",")
    if not line.startswith("onednn_verbose") or "exec" not in fields or len(fields) < 13:
        return None
    kind, problem, milliseconds = fields[5], fields[-2], fields[-1]
    found = _CONVOLUTION.match(problem)
    if kind != "convolution" or found is None:
        return Operation(kind, float(milliseconds) / 1e3, 0)
    mb, ic, oc, oh, ow, kh, kw = (
        int(found[name]) for name in ("mb", "ic", "oc", "oh", "ow", "kh", "kw")
    )
    added = ", and a sum" if "sum" in fields[9] else ""
    title = f"convolution {kh}x{kw}, {ic} → {oc}, at {oh}x{ow}{added}"
    return Operation(title, float(milliseconds) / 1e3, 2 * mb * oh * ow * ic * oc * kh * kw)


def runs(lines: Iterable[str]) -> list[tuple[float, list[Operation]]]:
    """Takes the child's output apart: wall time in seconds and operations of each run."""
    found: list[tuple[float, list[Operation]]] = []
    operations: list[Operation] | None = None
    for line in lines:
        if line.startswith(_START):
            operations = []
        elif line.startswith(_END) and operations is not None:
            found.append((float(line.split()[-1]), operations))
            operations = None
        elif operations is not None:
            operation = parse(line)
            operations += [] if operation is None else [operation]
    return found


def profiled(config: OperationsConfig) -> None:
    """The child: runs the graph under oneDNN's eyes."""
    import_tensorflow_quietly()
    import tensorflow as tf
    from skimage import data

    from bigans import Tiling, Upscaler
    from bigans.pretrained.saved_models import Shipped, saved_models

    tf.config.threading.set_inter_op_parallelism_threads(1)
    fused = saved_models(Shipped(precision=resolve(config.precision))).fused
    upscaler = Upscaler(fused, tiling=Tiling(4000.0))
    image = np.ascontiguousarray(data.chelsea()[: config.size, : config.size])
    upscaler(image)
    for _ in range(config.repetitions):
        print(_START, flush=True)
        start = time.perf_counter()
        upscaler(image)
        print(_END, time.perf_counter() - start, flush=True)


def table(wall: float, operations: list[Operation], ceiling: float) -> list[str]:
    """A row for each kind of work, the longest first, and one for everything else."""
    seconds: collections.defaultdict[str, float] = collections.defaultdict(float)
    flops: collections.Counter[str] = collections.Counter()
    number: collections.Counter[str] = collections.Counter()
    for operation in operations:
        seconds[operation.title] += operation.seconds
        flops[operation.title] += operation.flops
        number[operation.title] += 1
    seconds["everything else"] = wall - sum(seconds.values())
    lines = ["| operation | number | ms | share | GFLOP/s | of the ceiling |", "|---" * 6 + "|"]
    for title, value in sorted(seconds.items(), key=lambda item: -item[1]):
        rate = flops[title] / value if value > 0 else 0.0
        rates = f"{rate / 1e9:.0f} | {rate / ceiling:.2f}" if flops[title] else "|"
        count = number[title] or ""
        lines.append(f"| {title} | {count} | {value * 1e3:.1f} | {value / wall:.1%} | {rates} |")
    return lines


def report(config: OperationsConfig) -> str:
    """Profiles the graph.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: The child failed, or its TensorFlow does not compute with oneDNN.
    """
    config.check()
    import_tensorflow_quietly()
    from benchmarks.timing.ceiling import matrix_flops

    ceiling = matrix_flops(config.precision)
    code = (
        "from benchmarks.timing.operations import *; "
        f"profiled(OperationsConfig({config.precision!r}, {config.size}, {config.repetitions}))"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ONEDNN_VERBOSE": "profile_exec"},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise DataError(f"the profiled process failed: {last}")
    # Once more: a ceiling that something disturbed would flatter everything.
    ceiling = max(ceiling, matrix_flops(config.precision))
    wall, operations = min(runs(child.stdout.splitlines()), key=lambda each: each[0])
    if not any(operation.flops for operation in operations):
        raise DataError(
            "oneDNN reports no convolution: TensorFlow takes others, as it does on processors "
            "without AVX512; TF_ENABLE_ONEDNN_OPTS=1 asks for oneDNN's"
        )
    head = (
        f"{machine()}; {config.size}x{config.size}, {config.precision}, the fastest of "
        f"{config.repetitions} runs: {wall * 1e3:.0f} ms. Ceiling, products of 4096x4096 matrices: "
        f"{ceiling / 1e9:.0f} GFLOP/s."
    )
    return "\n".join([head, "", *table(wall, operations, ceiling)])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
