"""What a run writes down of itself: a row a step, a row a validation, and TensorBoard events."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np
from tensorboardX import SummaryWriter

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
        self._columns = _cut_back(path, step)
        self._file: TextIO | None = None

    def write(self, step: int, values: dict[str, float]) -> None:
        if self._file is None:
            # Line by line, so that a run can be watched, and a kill leaves whole rows.
            self._file = self._path.open("a", newline="", buffering=1)
        rows = csv.writer(self._file)
        if not self._columns:
            self._columns = ["step", *values]
            rows.writerow(self._columns)
        rows.writerow([step, *(repr(float(values[name])) for name in self._columns[1:])])

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _cut_back(path: Path, step: int) -> list[str]:
    """Removes rows after `step`, torn ones too, and returns the columns, if there are any."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    with atomic_file(path) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file).writerows([header, *kept] if kept else [])
    return header if kept else []
