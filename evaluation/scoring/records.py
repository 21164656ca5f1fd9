"""The scores of every image, in a CSV file that a run can be taken up from.

One row for each image and variant. The file is rewritten as a whole after each new row, by a
rename, so that it is complete whenever the program ends. A name that is not UTF-8 keeps its bytes.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from pathlib import Path

from evaluation.scoring.protocol import MEASURES, OPTIONAL, Scores
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file

COLUMNS = ("image", "variant", *MEASURES, "problems", "digest")

_BETWEEN_PROBLEMS = "; "
_AFTER_NAME = ": "
# What Python gives and takes for the bytes of a file's name that are not UTF-8.
_ANY_NAME = "surrogateescape"


@dataclasses.dataclass(frozen=True)
class Record:
    """One row.

    Attributes:
        image: Name of the benchmark image.
        variant: Name of what was made of it.
        scores: Its measures.
        digest: Hash of what the scores were computed from; another digest makes them stale.
    """

    image: str
    variant: str
    scores: Scores
    digest: str

    def has(self, measures: Iterable[str]) -> bool:
        """Whether each measure is there, or known to be impossible for this image."""
        if "image" in self.scores.problems:
            return False  # tried again: the person may have mended it
        return {*self.scores.values, *self.scores.problems}.issuperset(measures)


class Records:
    """The rows of one benchmark set."""

    def __init__(self, path: Path) -> None:
        """Reads the rows of an earlier run, if there was one.

        Raises:
            DataError: The file was not written by this program.
        """
        self.path = path
        self._rows: dict[tuple[str, str], Record] = {}
        if path.exists():
            self._rows = {(row.image, row.variant): row for row in _read(path)}

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._rows)

    def get(self, image: str, variant: str) -> Record | None:
        """The row of an image and variant, or None."""
        return self._rows.get((image, variant))

    def add(self, records: Iterable[Record]) -> None:
        """Puts rows in, in place of older ones, and writes the file."""
        self._rows.update({(row.image, row.variant): row for row in records})
        self._write()

    def select(self, images: Iterable[str], variant: str) -> list[Record]:
        """The rows of a variant, in the order of `images`."""
        rows = (self.get(image, variant) for image in images)
        return [row for row in rows if row is not None]

    def _write(self) -> None:
        with (
            atomic_file(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8", errors=_ANY_NAME) as file,
        ):
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(_cells(self._rows[key]) for key in sorted(self._rows))


def _cells(record: Record) -> list[str]:
    values = record.scores.values
    problems = (f"{name}{_AFTER_NAME}{text}" for name, text in record.scores.problems.items())
    return [
        record.image,
        record.variant,
        # repr: reading gives the same number again
        *(repr(float(values[name])) if name in values else "" for name in MEASURES),
        _BETWEEN_PROBLEMS.join(text.replace(_BETWEEN_PROBLEMS, ", ") for text in problems),
        record.digest,
    ]


def _read(path: Path) -> list[Record]:
    try:
        with path.open(newline="", encoding="utf-8", errors=_ANY_NAME) as file:
            reader = csv.DictReader(file)
            # Measures may have come since the file was written.
            names = tuple(reader.fieldnames or ())
            needed = [name for name in COLUMNS if name in names or name not in OPTIONAL]
            if names != tuple(needed):
                raise ValueError("other columns")
            return [_record(row) for row in reader]
    except (ValueError, AttributeError, csv.Error) as error:
        raise DataError(
            f"{path}: is not a file of scores of this program ({error}); "
            "remove it or name another --output"
        ) from error


def _record(row: dict[str, str]) -> Record:
    values = {name: float(row[name]) for name in MEASURES if row.get(name)}
    problems = {}
    for text in filter(None, row["problems"].split(_BETWEEN_PROBLEMS)):
        name, _, reason = text.partition(_AFTER_NAME)
        problems[name] = reason
    return Record(row["image"], row["variant"], Scores(values, problems), row["digest"])
