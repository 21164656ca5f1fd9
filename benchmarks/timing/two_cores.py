"""What a training step gains from a second core, operation by operation.

    python -m benchmarks.timing.two_cores

Times one convolution, 3x3 from 64 to 256 channels, forward and its two gradients, and whole updates
of WP-SRGAN's generator, in processes with one and with two threads for each operation. Prints a
Markdown table of medians. Where two threads are no faster, two trainings side by side, one core
each (`taskset -c 0`), do more than one training on both.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any, NoReturn

from benchmarks.timing.interleaved import machine
from benchmarks.timing.own_process import in_own_process
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting

PRECISIONS = ("float32", "bfloat16")
THREADS = (1, 2)


@dataclasses.dataclass(frozen=True)
class CoresConfig:
    """What is timed."""

    precision: str = setting("bfloat16", "Of the convolution and of the updates.", PRECISIONS)
    size: int = setting(48, "Side of the convolution's image.")
    batch_size: int = setting(16, "Images of the convolution, and 24x24 LR crops of an update.")
    repetitions: int = setting(7, "Timed runs of each.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("size", "batch_size", "repetitions"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, got {getattr(self, name)}")


DEFAULTS = CoresConfig()


def timed(threads: int, config: CoresConfig) -> dict[str, float]:
    """Name → milliseconds; the number of threads holds for a process from its start."""
    import_keras_quietly()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return {**_convolution(config), "an update": _median(_update(config), config.repetitions)}


def _convolution(config: CoresConfig) -> dict[str, float]:
    import tensorflow as tf

    dtype = tf.as_dtype(config.precision)
    shape = (config.batch_size, config.size, config.size)
    image = tf.cast(tf.random.normal((*shape, 64)), dtype)
    kernel = tf.cast(tf.random.normal((3, 3, 64, 256)), dtype)
    result = tf.cast(tf.random.normal((*shape, 256)), dtype)
    sizes = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    raw: Any = tf.raw_ops
    operations: dict[str, Callable[[], Any]] = {
        "forward": lambda: raw.Conv2D(input=image, filter=kernel, **sizes),
        "gradient of the input": lambda: raw.Conv2DBackpropInput(
            input_sizes=image.shape, filter=kernel, out_backprop=result, **sizes
        ),
        "gradient of the weights": lambda: raw.Conv2DBackpropFilter(
            input=image, filter_sizes=kernel.shape, out_backprop=result, **sizes
        ),
    }
    return {
        f"3x3, 64 → 256: {name}": _median(tf.function(operation), config.repetitions)
        for name, operation in operations.items()
    }


def _update(config: CoresConfig) -> Callable[[], Any]:
    from benchmarks.timing.training_recipes import RECIPES, Sizes
    from benchmarks.timing.training_variants import OURS, OURS_16, make_steps

    variant = OURS_16 if config.precision == "bfloat16" else OURS
    sizes = Sizes(batch_size=config.batch_size)
    steps, _ = make_steps([variant], RECIPES["wp_pixel"], sizes, "random")
    return steps[variant].run


def _median(call: Callable[[], Any], repetitions: int) -> float:
    for _ in range(2):
        call()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def report(config: CoresConfig) -> str:
    """Times everything with one thread and with two.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: A timed process was ended from outside.
    """
    config.check()
    columns = [in_own_process(timed, threads, config) for threads in THREADS]
    lines = [
        f"{machine()}; {config.precision}, {config.batch_size} images of "
        f"{config.size}x{config.size}.",
        "",
        "| | 1 thread, ms | 2 threads, ms | ratio |",
        "|---|---|---|---|",
    ]
    for name, one in columns[0].items():
        two = columns[1][name]
        lines.append(f"| {name} | {one:.1f} | {two:.1f} | {one / two:.2f} |")
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
