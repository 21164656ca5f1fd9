"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sr_program.errors import in_one_line

ABSENT = "—"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table: the first column to the left, numbers to the right."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return [_line(header), _line(marks), *(_line(row) for row in rows), ""]


def number(value: float | str | None, digits: int) -> str:
    """A number, or a dash where there is none; JSON's text for infinity counts as a number."""
    return ABSENT if value is None else f"{float(value):.{digits}f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(in_one_line(cell).replace("|", "\\|") for cell in cells) + " |"
