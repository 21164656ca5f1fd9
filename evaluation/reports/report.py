"""What a run found, for people (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.reports.markdown import ABSENT, number, table
from evaluation.reports.published import BICUBIC_REMARK, TABLE_3, TABLE_4
from evaluation.scoring.evaluate import SetResult
from evaluation.scoring.protocol import MEASURES, OPTIONAL, Instruments, set_means
from sr_program.errors import in_one_line
from sr_program.files.atomic_write import atomic_file

HEADINGS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "psnr_border4": "PSNR, border 4",
    "rmse": "RMSE",
    "lr_consistency": "LR consistency",
    "niqe": "NIQE",
    "ma": "Ma",
    "perceptual_index": "PI",
    "structure_texture": "Structure, texture",
    "lpips": "LPIPS",
    "stlpips": "ST-LPIPS",
}
DIGITS = {
    "psnr": 2,
    "ssim": 4,
    "psnr_border4": 2,
    "rmse": 2,
    "lr_consistency": 2,
    "niqe": 3,
    "ma": 3,
    "perceptual_index": 3,
    "structure_texture": 4,
    "lpips": 4,
    "stlpips": 4,
}
PROTOCOL = (
    "PSNR, SSIM: Y channel (uint8), 6 border pixels left out. RMSE, NIQE, Ma, PI: Y channel, 4 "
    "border pixels shaved, as PIRM-SR 2018; PI = ((10 − Ma) + NIQE) / 2. LR consistency: PSNR "
    "between the LR image and the result shrunk again, RGB, dB. A gray image is its own Y. "
    "Structure, texture: distance of VGG19's features as DISTS compares them; it is not DISTS."
)


def summarize(
    results: Sequence[SetResult], instruments: Instruments, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The summary of a run, ready for JSON.

    Args:
        results: The scores of each set.
        instruments: What could be measured.
        settings: How the run was made.

    Returns:
        "settings", "absent" (measure → why it was not computed) and "sets": for each set its number
        of images, the failed ones, and for each variant the number of scored images, their
        means, and measure → image → problem where an image has no value.
    """
    sets = {}
    for result in results:
        variants = {}
        for variant in result.variants:
            rows = result.records.select(result.images, variant)
            scored = result.scores(variant)
            problems: dict[str, dict[str, str]] = {}
            for row in rows:
                for name, reason in row.scores.problems.items():
                    if name != "image":
                        problems.setdefault(name, {})[row.image] = reason
            means = {name: _finite(value) for name, value in set_means(scored).items()}
            variants[variant] = {"scored": len(scored), "means": means, "problems": problems}
        failed = result.failures()
        sets[result.name] = {"images": len(result.images), "failed": failed, "variants": variants}
    return {"settings": dict(settings), "absent": dict(instruments.absent), "sets": sets}


def markdown(summary: Mapping[str, Any], command: str) -> str:
    """The tables of a run: the paper's rows beside ours, then all measures.

    Args:
        summary: From `summarize`.
        command: The command line that made it, printed beside the numbers.
    """
    lines = ["# Evaluation", "", f"`{command}`", "", PROTOCOL, ""]
    lines += ["## PSNR / SSIM (paper: Table 3)", ""]
    lines += compared(summary, ("psnr", "ssim"), TABLE_3)
    lines += [BICUBIC_REMARK, ""]
    lines += ["## Perceptual index / RMSE (paper: Table 4)", ""]
    lines += compared(summary, ("perceptual_index", "rmse"), TABLE_4)
    lines += ["## All measures", ""]
    for name, one in summary["sets"].items():
        lines += [f"### {name}, {one['images']} images", "", *measures_of(one, summary["absent"])]
    return "\n".join([*lines, *notes(summary)])


def failures(summary: Mapping[str, Any]) -> list[str]:
    """A line for every image that could not be scored."""
    return [
        in_one_line(f"{name}/{image} was not scored: {why}")
        for name, one in summary["sets"].items()
        for image, why in one["failed"].items()
    ]


def write(output: Path, summary: Mapping[str, Any], text: str, name: str = "summary") -> None:
    """Writes `name`.json and `name`.md."""
    for suffix, content in (
        ("json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n"),
        ("md", text),
    ):
        with atomic_file(output / f"{name}.{suffix}") as temporary:
            # A file's name need not be UTF-8; what stands for its bytes is JSON, too.
            temporary.write_bytes(content.encode("utf-8", "backslashreplace"))


def compared(
    summary: Mapping[str, Any],
    measures: tuple[str, str],
    published: Mapping[str, Mapping[str, Sequence[float]]],
) -> list[str]:
    """A table of two measures a cell, a column a set: the paper's methods, then ours."""
    sets = summary["sets"]
    rows = [
        [f"{method} (paper)", *(published_pair(measures, by_set.get(name)) for name in sets)]
        for method, by_set in published.items()
    ]
    for variant in _variants(summary):
        means = (sets[name]["variants"][variant]["means"] for name in sets)
        cells = [pair(measures, [found.get(name) for name in measures]) for found in means]
        rows.append([f"**{variant}**", *cells])
    return table(["", *sets], rows)


def of_variants(summary: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The summary with these variants alone, in this order."""
    sets = {
        name: {**one, "variants": {variant: one["variants"][variant] for variant in names}}
        for name, one in summary["sets"].items()
    }
    return {**summary, "sets": sets}


def measures_of(one: Mapping[str, Any], absent: Mapping[str, str]) -> list[str]:
    """A table of all measures of a set, a row a variant.

    Measures of the protocols stay visible without numbers; the optional ones do not.
    """
    numbers = {name for found in one["variants"].values() for name in found["means"]}
    shown = [name for name in MEASURES if name in numbers or name not in OPTIONAL]
    rows = []
    for variant, found in one["variants"].items():
        cells = [_cell(name, found, absent) for name in shown]
        rows.append([variant, *cells])
    return table(["", *(HEADINGS[name] for name in shown)], rows)


def notes(summary: Mapping[str, Any]) -> list[str]:
    """One line for everything that is missing from the tables."""
    lines = [f"- Not computed: {HEADINGS[m]}: {why}" for m, why in summary["absent"].items()]
    lines += [f"- {line}" for line in failures(summary)]
    for name, one in summary["sets"].items():
        seen = set()
        for found in one["variants"].values():
            for measure, images in found["problems"].items():
                for image, why in images.items():
                    if (measure, image) not in seen:
                        told = f"{name}/{image} has no {HEADINGS[measure]}: {why}"
                        lines.append(f"- {in_one_line(told)}")
                    seen.add((measure, image))
    return ["## Missing", "", *lines, ""] if lines else []


def _variants(summary: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(v for one in summary["sets"].values() for v in one["variants"]))


def _cell(measure: str, found: Mapping[str, Any], absent: Mapping[str, str]) -> str:
    value = found["means"].get(measure)
    if value is not None:
        missing = len(found["problems"].get(measure, ()))
        counted = f" ({found['scored'] - missing} images)" if missing else ""
        return number(value, DIGITS[measure]) + counted
    return "not computed" if measure in absent else ABSENT


def pair(measures: tuple[str, str], values: Sequence[float | str | None]) -> str:
    """A cell of two measures; a dash for one that is missing."""
    return " / ".join(map(number, values, map(_digits_in_pairs, measures)))


def published_pair(measures: tuple[str, str], figures: Sequence[float] | None) -> str:
    """A cell of two figures of the paper, with every digit that it prints; a dash without them."""
    if figures is None:
        return ABSENT
    # Zeros at the end, as in 27.30, are lost in a float; more digits than ours are not.
    digits = [
        max(_digits_in_pairs(name), len(repr(figure).partition(".")[2]))
        for name, figure in zip(measures, figures, strict=True)
    ]
    return " / ".join(map(number, figures, digits))


def _digits_in_pairs(measure: str) -> int:
    # The paper prints three digits of SSIM.
    return 3 if measure == "ssim" else DIGITS[measure]


def _finite(value: float) -> float | str:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else str(value)
