"""The ways of running the fused graph that are timed, and the targets for them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

PRECISIONS = ("float32", "bfloat16")
# In OpenVINO, with bfloat16 for what does not compute in int8.
INT8 = "int8"


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to run the network.

    Attributes:
        runtime: What computes.
        graph: "ours" or "plain".
        precision: "float32", "bfloat16" or "int8".
    """

    runtime: str
    graph: str
    precision: str

    @property
    def title(self) -> str:
        """Its row's name."""
        return f"{self.runtime}, {self.graph} {self.precision}"


OURS = Variant("TensorFlow", "ours", "float32")
OURS_16 = Variant("TensorFlow", "ours", "bfloat16")
PLAIN = Variant("TensorFlow", "plain", "float32")

# Name, ours, the others, the most that the fastest of ours may take of the fastest of the others.
Target = tuple[str, Callable[[Variant], bool], Callable[[Variant], bool], float]


def _is(graph: str, precision: str, runtime: str = "") -> Callable[[Variant], bool]:
    return lambda variant: (
        (variant.graph, variant.precision) == (graph, precision)
        and variant.runtime.startswith(runtime)
    )


_TENSORFLOW = "TensorFlow"
TARGETS: tuple[Target, ...] = (
    (
        "TensorFlow: ours float32 / plain float32",
        _is("ours", "float32", _TENSORFLOW),
        _is("plain", "float32", _TENSORFLOW),
        0.80,
    ),
    (
        "TensorFlow: ours bfloat16 / plain float32",
        _is("ours", "bfloat16", _TENSORFLOW),
        _is("plain", "float32", _TENSORFLOW),
        0.42,
    ),
    *(
        (
            f"best runtime: ours / fastest peer, {precision}",
            _is("ours", precision),
            _is("plain", precision),
            0.85,
        )
        for precision in PRECISIONS
    ),
)
# The least share of the matrix products' rate.
CEILING_TARGETS = {"float32": 0.9, "bfloat16": 1.0}


def times_table(
    seconds: Mapping[Variant, float],
    apart: Mapping[Variant, float],
    operations: float,
    ceilings: Mapping[str, float],
) -> list[str]:
    """A row a variant."""
    lines = [
        "| runtime, graph, precision | s | / plain TensorFlow float32 | GFLOP/s | of the ceiling "
        "| PSNR from ours float32, dB |",
        "|---" * 6 + "|",
    ]
    for variant, value in seconds.items():
        ratio = f"{value / seconds[PLAIN]:.2f}" if PLAIN in seconds else ""
        rate = operations / value
        ceiling = ceilings.get(variant.precision)
        share = f"{rate / ceiling:.2f}" if ceiling else ""
        lines.append(
            f"| {variant.title} | {value:.3f} | {ratio} | {rate / 1e9:.0f} | {share} "
            f"| {apart[variant]:.1f} |"
        )
    return lines


def targets_table(
    seconds: Mapping[Variant, float], operations: float, ceilings: Mapping[str, float]
) -> list[str]:
    """What is asked for beside what was measured."""
    lines = ["| target | measured | asked for | |", "|---|---|---|---|"]
    for name, ours, others, most in TARGETS:
        first = [value for variant, value in seconds.items() if ours(variant)]
        second = [value for variant, value in seconds.items() if others(variant)]
        if first and second:
            ratio = min(first) / min(second)
            verdict = "met" if ratio <= most else "missed"
            lines.append(f"| {name} | {ratio:.2f} | ≤ {most:.2f} | {verdict} |")
    for precision, least in CEILING_TARGETS.items():
        mine = [value for variant, value in seconds.items() if _is("ours", precision)(variant)]
        if mine:
            share = operations / min(mine) / ceilings[precision]
            verdict = "met" if share >= least else "missed"
            name = f"best runtime: share of the ceiling, {precision}"
            lines.append(f"| {name} | {share:.2f} | ≥ {least:.2f} | {verdict} |")
    return lines


def section(
    size: str,
    seconds: Mapping[Variant, float],
    apart: Mapping[Variant, float],
    operations: float,
    ceilings: Mapping[str, float],
    side: int = 4096,
) -> list[str]:
    """Both tables of one size; the ceilings' matrices have `side` rows."""
    ended = [variant.title for variant, value in seconds.items() if value == math.inf]
    seconds = {variant: value for variant, value in seconds.items() if value < math.inf}
    rates = [f"{ceilings[precision] / 1e9:.0f} in {precision}" for precision in PRECISIONS]
    return [
        f"### {size}",
        f"Ceiling, products of {side}x{side} matrices, GFLOP/s: {', '.join(rates)}."
        + (f" Memory ran out with {'; '.join(ended)}." if ended else ""),
        "\n".join(times_table(seconds, apart, operations, ceilings)),
        "\n".join(targets_table(seconds, operations, ceilings)),
    ]
