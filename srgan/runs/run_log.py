"""What a run writes down of itself: a row a step, a row a validation, and TensorBoard events."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np
from tensorboardX import SummaryWriter

from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file

LOSSES = "losses.csv"
SCORES = "scores.csv"


class RunLog:
    """Appends to the logs of a run folder; a context manager.

    Args:
        run_dir: The run's folder.
        step: Updates done so far; rows of later steps, from a run that was cut off before its
            next checkpoint, are removed, so that no step is there twice.
    """

    def __init__(self, run_dir: Path, step: int) -> None:
        self._losses = _Rows(run_dir / LOSSES, step)
        self._scores = _Rows(run_dir / SCORES, step)
        self._events = SummaryWriter(str(run_dir / "events"), purge_step=step + 1)

    def losses(self, step: int, values: dict[str, float]) -> None:
        """Writes the row of a step, at full precision; the columns are those of the first row."""
        self._losses.write(step, values)
        for name, value in values.items():
            self._events.add_scalar(f"train/{name}", float(value), step)

    def scores(self, step: int, values: dict[str, float]) -> None:
        """Writes a validation's scores, as `losses` does."""
        self._scores.write(step, values)
        for name, value in values.items():
            self._events.add_scalar(f"validation/{name}", value, step)

    def scored(self, step: int) -> bool:
        """Whether the validation after a step was written down, when the log was opened."""
        return self._scores.last == step

    def images(self, step: int, images: dict[str, np.ndarray]) -> None:
        """Writes images, uint8 [H, W, 3], to the events."""
        for name, image in images.items():
            self._events.add_image(f"validation/{name}", image, step, dataformats="HWC")

    def flush(self) -> None:
        """Hands everything to the operating system."""
        self._losses.flush()
        self._scores.flush()
        self._events.flush()

    def __enter__(self) -> RunLog:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the files."""
        self._losses.close()
        self._scores.close()
        self._events.close()


class NoLog(RunLog):
    """The log of a process that is not the one to write."""

    def __init__(self) -> None:
        """Opens nothing."""

    def losses(self, step: int, values: dict[str, float]) -> None:
        """Writes nothing."""

    def flush(self) -> None:
        """Writes nothing."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes nothing."""


class _Rows:
    """A CSV file with a row a step, whose columns are those of its first row; made by that row."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        self._columns, self.last = _cut_back(path, step)
        self._file: TextIO | None = None

    def write(self, step: int, values: dict[str, float]) -> None:
        if self._file is None:
            # Line by line, so that a run can be watched, and a kill leaves whole rows.
            self._file = self._path.open("a", newline="", buffering=1)
        rows = csv.writer(self._file)
        if not self._columns:
            self._columns = ["step", *values]
            rows.writerow(self._columns)
        rows.writerow(
            [step, *(repr(float(values.get(name, float("nan")))) for name in self._columns[1:])]
        )

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _cut_back(path: Path, step: int) -> tuple[list[str], int | None]:
    """Removes rows after `step`, torn ones too.

    Returns:
        The columns, empty if there are none; and the step of the last row.

    Raises:
        DataError: There is something else in the file.
    """
    if not path.exists():
        return [], None
    with path.open(newline="", errors="replace") as file:
        # A power cut may leave zeros, which the reader does not take.
        header, *rows = list(csv.reader(line.replace("\0", "") for line in file)) or [[]]
    if header and header[0] != "step":
        raise DataError(
            f"{path}: not a log of this program; move the file elsewhere, the run continues "
            "without it"
        )
    steps = [_step(path, number, row, header) for number, row in enumerate(rows[:-1], 2)]
    steps += [_step(path, 0, row, header) for row in rows[-1:]]
    kept = [
        row for row, found in zip(rows, steps, strict=True) if found is not None and found <= step
    ]
    with atomic_file(path) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file).writerows([header, *kept] if kept else [])
    return (header, int(kept[-1][0])) if kept else ([], None)


def _step(path: Path, number: int, row: list[str], header: list[str]) -> int | None:
    """The step of a row; None of one that was torn, as the last one, number 0, may be anywhere."""
    if len(row) != len(header):
        return None
    try:
        [float(value) for value in row[1:]]
        return int(row[0])
    except ValueError as error:
        if not number:
            return None
        raise DataError(
            f"{path}: line {number} is no row of this log ({error}); remove that line, the run "
            "continues without it"
        ) from error
