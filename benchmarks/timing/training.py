"""Times a training step of every recipe against Keras' and PyTorch's ways of writing it.

    python -m benchmarks.timing.training
    python -m benchmarks.timing.training --earlier
    KERAS_BACKEND=jax python -m benchmarks.timing.training --steps_per_call=8

The same networks, at the paper's sizes, with the same weights and batch; the outputs of all of
them are compared with ours before anything is timed. "Plain Keras": the output convolution after
the last pixel shuffle, Keras' PReLU, an optimizer for each network, and for GANs two phases, each
with its own forward passes. "PyTorch", where it is installed: benchmarks/peers/torch_training.py.
φ is VGG19 up to block3_conv4, as in configs/. Prints Markdown tables: medians of rounds in which
the candidates of a recipe run in turn, and, at the paper's sizes, ratios beside their targets. On
JAX, ours is timed with one and with several updates in a call; what one costs more is Python's
share.
"""

from __future__ import annotations

import dataclasses
import gc
import importlib
from typing import NoReturn

from absl import logging

from benchmarks.timing.interleaved import machine, medians
from benchmarks.timing.training_recipes import RECIPES, SCALE, Recipe, Sizes
from benchmarks.timing.training_variants import (
    OURS,
    OURS_16,
    PLAIN,
    PRECISIONS,
    TORCH,
    TORCH_16,
    Variant,
    available_variants,
    make_steps,
    torch_is_installed,
)
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class TimingConfig:
    """What is timed."""

    recipes: str = setting(",".join(RECIPES), "Which, separated by commas.")
    repetitions: int = setting(10, "Timed rounds.")
    steps_per_call: int = setting(8, "On JAX: updates in a call, beside 1; 1: 1 alone.")
    precisions: str = setting(",".join(PRECISIONS), "Of ours and of PyTorch's step.")
    vgg_weights: str = setting(
        "random",
        'A file of VGG19 weights, or "random", on which the times depend as little as on the '
        "pictures.",
    )
    batch_size: int = setting(16, "Crops in each update.")
    crop_size: int = setting(96, "Side of the HR crops, pixels.")
    earlier: bool = setting(
        False,
        "Time ours against its own earlier variant alone: PReLU in four passes, D in two calls.",
    )
    features: int = setting(0, "Channels of the generators; 0: the paper's.")
    blocks: int = setting(0, "WP's ResBlocks and MR's memory residual blocks; 0: the paper's.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name, known in (("recipes", RECIPES), ("precisions", PRECISIONS)):
            for value in getattr(self, name).split(","):
                if value not in known:
                    raise UsageError(f"--{name}: no {value!r}; choose from {', '.join(known)}")
        for name, least in (("repetitions", 1), ("steps_per_call", 1), ("batch_size", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"--{name} must be at least {least}")
        if self.crop_size < 16 or self.crop_size % 16:
            raise UsageError(f"--crop_size must be a multiple of 16, got {self.crop_size}")
        if self.features < 0 or self.blocks < 0:
            raise UsageError("--features and --blocks must not be negative")

    @property
    def sizes(self) -> Sizes:
        """The networks' and the batch's."""
        return Sizes(self.batch_size, self.crop_size, self.features, self.blocks)


DEFAULTS = TimingConfig()

# Recipe, slower variant, faster variant, the ratio of their times that is asked for on a CPU with
# AVX512_BF16.
TARGETS = (
    ("wp_pixel", PLAIN, OURS, 1.15),
    ("wp_pixel", PLAIN, OURS_16, 2.0),
    ("wp_pixel", TORCH, OURS, 1.2),
    ("wp_pixel", TORCH_16, OURS_16, 1.1),
    ("wp_stage2", PLAIN, OURS, 1.5),
    ("wp_stage2", PLAIN, OURS_16, 1.5),
)


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found of one recipe.

    Attributes:
        seconds: A step, for each variant.
        differences: Of the outputs, see `make_steps`.
    """

    seconds: dict[Variant, float]
    differences: dict[Variant, float]


def time_recipe(config: TimingConfig, variants: list[Variant], recipe: Recipe) -> Result:
    """Times a recipe's step in every variant."""
    import keras

    steps, differences = make_steps(variants, recipe, config.sizes, config.vgg_weights)
    times = medians({variant: step.run for variant, step in steps.items()}, config.repetitions)
    seconds = {variant: times[variant] / variant.steps_per_call for variant in variants}
    # A discriminator and its optimizer's slots are 280 MB.
    del steps
    keras.backend.clear_session()
    gc.collect()
    return Result(seconds, differences)


def times_table(results: dict[str, Result], variants: list[Variant]) -> list[str]:
    """Seconds a step: a row a recipe, a column a variant."""
    titles = [f"{variant.title}, s" for variant in variants]
    lines = [f"| recipe | {' | '.join(titles)} |", "|---" * (1 + len(variants)) + "|"]
    for name, result in results.items():
        cells = [f"{result.seconds[variant]:.3f}" for variant in variants]
        lines.append(f"| {RECIPES[name].title} | {' | '.join(cells)} |")
    return lines


def targets_table(results: dict[str, Result]) -> list[str]:
    """The ratios that are asked for, of what was timed."""
    lines = ["| recipe | ratio of times | measured | asked for | |", "|---|---|---|---|---|"]
    for name, slow, fast, target in TARGETS:
        seconds = results[name].seconds if name in results else {}
        if slow in seconds and fast in seconds:
            ratio = seconds[slow] / seconds[fast]
            verdict = "met" if ratio >= target else "missed"
            lines.append(
                f"| {RECIPES[name].title} | {slow.title} / {fast.title} | {ratio:.2f} | {target} "
                f"| {verdict} |"
            )
    return lines if len(lines) > 2 else []


def calls_table(results: dict[str, Result], variants: list[Variant]) -> list[str]:
    """Updates a second with one and with several in a call; what one costs more is Python's."""
    several = [variant for variant in variants if variant.steps_per_call > 1]
    if not several:
        return []
    count = several[0].steps_per_call
    lines = [
        f"| recipe | precision | steps/s, 1 a call | steps/s, {count} a call | Python's share |",
        "|---|---|---|---|---|",
    ]
    for name, result in results.items():
        for variant in several:
            alone = result.seconds[dataclasses.replace(variant, steps_per_call=1)]
            together = result.seconds[variant]
            share = (alone - together) / alone
            bound = f"{share:.1%}" if share > 0 else f"none, the scan is {-share:.0%} slower"
            lines.append(
                f"| {RECIPES[name].title} | {variant.precision} | {1 / alone:.2f} "
                f"| {1 / together:.2f} | {bound} |"
            )
    return lines


def heading(config: TimingConfig, variants: list[Variant]) -> str:
    """What was timed on what, and how the outputs were found to agree."""
    import keras

    backend = keras.backend.backend()
    engines = ["keras", backend] + (
        ["torch"] if TORCH.author in {f.author for f in variants} else []
    )
    names = [f"{name} {importlib.import_module(name).__version__}" for name in engines]
    if backend == "tensorflow" and not torch_is_installed():
        names.append("torch not installed")
    if PLAIN in variants:
        from benchmarks.peers.plain_training import keras_takes_xla

        names.append(f"plain Keras {'with' if keras_takes_xla() else 'without'} XLA, its default")
    low = config.crop_size // SCALE
    return (
        f"{machine()}, {', '.join(names)}; batch {config.batch_size} of {low}x{low} crops, VGG "
        f"weights {config.vgg_weights}, medians of {config.repetitions} interleaved rounds"
    )


def agreement(results: dict[str, Result]) -> str:
    """How far the outputs of all variants are from ours in float32."""
    largest: dict[Variant, float] = {}
    for result in results.values():
        for variant, difference in result.differences.items():
            largest[variant] = max(difference, largest.get(variant, 0.0))
    found = ", ".join(f"{variant.title} {value:.0e}" for variant, value in largest.items())
    return f"Largest differences of the networks' outputs from ours in float32, relative: {found}."


def report(config: TimingConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: The VGG weights cannot be had, or two variants do not compute the same.
    """
    config.check()
    import_keras_quietly()
    import keras

    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise UsageError(f"Keras runs on {backend}; set KERAS_BACKEND to tensorflow or jax")
    variants = available_variants(
        backend, config.precisions.split(","), config.steps_per_call, earlier=config.earlier
    )
    names = config.recipes.split(",")
    results = {name: time_recipe(config, variants, RECIPES[name]) for name in names}
    parts = [
        [heading(config, variants)],
        times_table(results, variants),
        calls_table(results, variants),
        [] if config.features or config.blocks else targets_table(results),
        [agreement(results)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    # TensorFlow takes the many models for one that is traced again and again.
    logging.set_verbosity(logging.ERROR)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
