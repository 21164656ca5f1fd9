"""Draws validation PSNR against the time that trainings took.

    python -m benchmarks.studies.training_hours --table=docs/results/hours/hours.csv \
        --output=docs/results/hours/hours.png

The table has a row a validation: training, minutes, updates, psnr. Rows of one training make one
curve. Minutes and updates count from random weights on.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from matplotlib.figure import Figure

from sr_program import dataclass_flags, entry_point
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from sr_program.settings import setting

_COLUMNS = ("training", "minutes", "updates", "psnr")


@dataclasses.dataclass(frozen=True)
class HoursConfig:
    """What is drawn where to."""

    table: str = setting(
        "", "A CSV file with the columns training, minutes, updates, psnr. Required."
    )
    output: str = setting("", "The picture, .png or .svg. Required.")


DEFAULTS = HoursConfig()


class Validation(NamedTuple):
    """One validation: hours on the clock, and PSNR in dB."""

    hours: float
    psnr: float


def read_curves(table: Path) -> dict[str, list[Validation]]:
    """The curves of a table, in its order.

    Raises:
        DataError: A column is missing, or a cell is no number.
    """
    curves: dict[str, list[Validation]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            raise DataError(f"{table}: its first line must be {','.join(_COLUMNS)}")
        for row in rows:
            try:
                found = Validation(float(row["minutes"]) / 60, float(row["psnr"]))
            except (TypeError, ValueError):
                raise DataError(f"{table}: line {rows.line_num} has no numbers") from None
            curves.setdefault(row["training"], []).append(found)
    return curves


def draw(curves: Mapping[str, Sequence[Validation]], path: Path) -> None:
    """Writes the picture, complete or not at all.

    Args:
        curves: By the name of the training.
        path: With the suffix .png or .svg.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, validations in curves.items():
        axes.plot(*zip(*validations, strict=True), marker="o", markersize=3, label=name)
    axes.set(xlabel="hours on the clock, from random weights on", ylabel="validation PSNR, dB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=120)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    entry_point.refuse_positional(positional)
    config = dataclass_flags.read(DEFAULTS)
    for name in vars(config):
        if not getattr(config, name):
            raise UsageError(f"--{name} is required")
    path = Path(config.output)
    if path.suffix not in (".png", ".svg"):
        raise UsageError(f"--output={path}: choose a name that ends in .png or .svg")
    draw(read_curves(Path(config.table)), path)


if __name__ == "__main__":
    cli_main()
