"""What the paper's four tables compare, and how they are laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bigans.models.runtime import IN_TENSORFLOW, Computing
from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.method import Bicubic, Fused, Generator, Method, Together
from evaluation.reports.markdown import table
from evaluation.reports.published import (
    BENCHMARKS,
    BICUBIC_REMARK,
    MODELS,
    PIRM,
    STAGES,
    TABLE_3,
    TABLE_4,
    Perception,
)
from evaluation.reports.report import PROTOCOL, compared, notes, of_variants, pair, published_pair
from sr_program.errors import UsageError

FIRST_STAGE, SECOND_STAGE = STAGES
TABLES = (1, 2, 3, 4)
_PERCEPTION = ("perceptual_index", "rmse")
_MODELS_OF_3_AND_4 = ("Bicubic", *MODELS)
# Shown below a table whose perceptual index could not be computed.
_WITHOUT_INDEX = ("niqe", "rmse")


def chosen_tables(numbers: str) -> tuple[int, ...]:
    """The tables that a flag names, as in "1,3".

    Raises:
        UsageError: Something else.
    """
    found = [text.strip() for text in numbers.split(",")]
    if not set(found) <= set(map(str, TABLES)):
        raise UsageError(f"--table={numbers}: the paper has tables 1, 2, 3 and 4; write --table=3")
    return tuple(sorted({int(text) for text in found}))


def default_benchmarks(tables: Sequence[int]) -> tuple[str, ...]:
    """The sets on which the paper reports the tables."""
    pirm = (PIRM,) if {1, 2} & set(tables) else ()
    return (*pirm, *(BENCHMARKS if {3, 4} & set(tables) else ()))


def methods(
    fused: str,
    stage1: str,
    xi: float,
    *,
    computing: Computing = IN_TENSORFLOW,
) -> Method:
    """All methods of ours that the tables compare, as one method.

    Args:
        fused: Name of a fused model; see `bigans.models.names`.
        stage1: Name of WP-SRGAN after its first stage, always in TensorFlow.
        xi: ξ of Bi-GANs-ST.
        computing: What computes the fused model.

    Raises:
        DataError: A model is missing or unfit.
    """
    points = [
        FusionPoint("MR-SRGAN", "quantile", 0.0),
        FusionPoint("WP-SRGAN", "quantile", 1.0),
        FusionPoint("Bi-GANs-ST", "quantile", xi),
    ]
    first = Generator(IN_TENSORFLOW.load(stage1), FIRST_STAGE)
    model = computing.load(fused)
    return Together([Bicubic("Bicubic"), first, Fused(model, points)])


def page(summary: Mapping[str, Any], tables: Sequence[int], command: str) -> str:
    """The text of tables.md."""
    lines = ["# The paper's tables", "", f"`{command}`", "", PROTOCOL, ""]
    if 1 in tables:
        lines += ["## Table 1: WP-SRGAN's two stages, perceptual index / RMSE", ""]
        ours = {FIRST_STAGE: FIRST_STAGE, SECOND_STAGE: "WP-SRGAN"}
        lines += _beside(summary, STAGES, ours)
    if 2 in tables:
        lines += ["## Table 2: the three models, perceptual index / RMSE", ""]
        lines += _beside(summary, MODELS, {name: name for name in MODELS})
    chosen = of_variants(summary, _MODELS_OF_3_AND_4)
    if 3 in tables:
        lines += ["## Table 3: PSNR / SSIM", ""]
        lines += [*compared(chosen, ("psnr", "ssim"), TABLE_3), BICUBIC_REMARK, ""]
    if 4 in tables:
        lines += ["## Table 4: perceptual index / RMSE", ""]
        lines += compared(chosen, _PERCEPTION, TABLE_4)
        if "perceptual_index" in summary["absent"]:
            lines += ["The same with NIQE in place of the index:", ""]
            lines += compared(chosen, _WITHOUT_INDEX, {})
    return "\n".join([*lines, *notes(summary)])


def _beside(
    summary: Mapping[str, Any], published: Mapping[str, Perception], ours: Mapping[str, str]
) -> list[str]:
    """A row a model: the published figures of the PIRM set, then ours of each set."""
    measures: list[tuple[str, str]] = [_PERCEPTION]
    if "perceptual_index" in summary["absent"]:
        measures.append(_WITHOUT_INDEX)
    lines = []
    for kind in measures:
        rows = []
        for name, figures in published.items():
            found = [one["variants"][ours[name]]["means"] for one in summary["sets"].values()]
            paper = [published_pair(_PERCEPTION, figures)] if kind == _PERCEPTION else []
            rows.append([name, *paper, *(pair(kind, [m.get(k) for k in kind]) for m in found)])
        paper = ["paper, PIRM"] if kind == _PERCEPTION else []
        heading = "" if kind == _PERCEPTION else "NIQE / RMSE"
        lines += table([heading, *paper, *(f"ours, {name}" for name in summary["sets"])], rows)
    return lines
