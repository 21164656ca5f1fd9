"""The ways of writing a training step that are timed against each other."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.timing.training_recipes import Recipe, Sizes
from sr_program.errors import DataError

# Keras takes seconds to import: a program's help does without it.
if TYPE_CHECKING:
    from benchmarks.timing.training_steps import Step

PRECISIONS = ("float32", "bfloat16")

# What outputs may differ by, relative to the largest one: sums in another order, and bfloat16's
# 8 bits through some 40 layers.
TOLERANCE = {"float32": 1e-4, "bfloat16": 0.1}


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to write a step.

    Attributes:
        author: "plain Keras", "ours", "ours, earlier" or "PyTorch".
        precision: "float32" or "bfloat16".
        steps_per_call: Updates in a call.
    """

    author: str
    precision: str
    steps_per_call: int = 1

    @property
    def title(self) -> str:
        """Heading of its column."""
        several = f", {self.steps_per_call} a call" if self.steps_per_call > 1 else ""
        return f"{self.author} {self.precision}{several}"


PLAIN = Variant("plain Keras", "float32")
OURS, OURS_16 = (Variant("ours", precision) for precision in PRECISIONS)
EARLIER = "ours, earlier"
TORCH, TORCH_16 = (Variant("PyTorch", precision) for precision in PRECISIONS)


def available_variants(
    backend: str, precisions: Sequence[str], steps_per_call: int, *, earlier: bool = False
) -> list[Variant]:
    """What can be timed.

    Args:
        backend: Keras'; on JAX it is ours alone.
        precisions: Of ours and of PyTorch's.
        steps_per_call: On JAX, updates in a call; timed beside 1.
        earlier: Our step in its earlier variant too, and not those of others.
    """
    if earlier:
        return [Variant(author, one) for one in precisions for author in (EARLIER, OURS.author)]
    ours = [Variant("ours", precision) for precision in precisions]
    if backend == "jax":
        several = [dataclasses.replace(variant, steps_per_call=steps_per_call) for variant in ours]
        return ours + (several if steps_per_call > 1 else [])
    torch = [Variant("PyTorch", precision) for precision in precisions]
    return [PLAIN, *ours, *(torch if torch_is_installed() else [])]


def torch_is_installed() -> bool:
    """Whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


def make_steps(
    variants: Sequence[Variant], recipe: Recipe, sizes: Sizes, vgg_weights: str
) -> tuple[dict[Variant, Step], dict[Variant, float]]:
    """Builds a recipe's step in several variants, all from the same weights.

    Args:
        variants: Which.
        recipe: What is trained.
        sizes: How large it is.
        vgg_weights: A file, or "random".

    Returns:
        The steps; and how far each one's outputs are from ours in float32, the largest difference
        over the largest output of the network where that is most.

    Raises:
        UsageError: The crop size does not suit the discriminator.
        DataError: The VGG weights cannot be had, or the outputs differ by too much.
    """
    from benchmarks.timing.training_networks import build_networks, random_batch
    from benchmarks.timing.training_steps import EarlierStep, OurStep, PlainStep

    batch = random_batch(sizes)
    first = build_networks(recipe, sizes, vgg_weights, "float32")
    steps: dict[Variant, Step] = {}
    for variant in variants:
        bfloat16 = variant.precision == "bfloat16"
        if variant.author == "PyTorch":
            from benchmarks.peers.torch_training import TorchStep

            steps[variant] = TorchStep(recipe, first, batch, bfloat16)
            continue
        dtype = "mixed_bfloat16" if bfloat16 else "float32"
        networks = build_networks(recipe, sizes, vgg_weights, dtype)
        networks.copy_weights(first)
        if variant.author == EARLIER:
            steps[variant] = EarlierStep(recipe, networks, batch)
        elif variant.author == OURS.author:
            steps[variant] = OurStep(recipe, networks, batch, variant.steps_per_call)
        else:
            steps[variant] = PlainStep(recipe, networks, batch)
    expected = first.outputs(batch)
    return steps, {variant: _difference(variant, step, expected) for variant, step in steps.items()}


def _difference(variant: Variant, step: Step, expected: dict[str, np.ndarray]) -> float:
    largest = 0.0
    for network, output in step.outputs().items():
        wanted = expected[network]
        difference = float(np.abs(output - wanted).max() / np.abs(wanted).max())
        # A NaN is not small either.
        if not difference <= TOLERANCE[variant.precision]:
            raise DataError(f"{variant.title}: what {network} computes differs by {difference:.1e}")
        largest = max(largest, difference)
    return largest
