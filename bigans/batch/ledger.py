"""What is to be done and what is, in a temporary database on disk: a million photos take no memory.

The database has no name: it is gone with the process, however that ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bigans.batch.entries import Entry
from bigans.batch.photo import Known, Outcome, Photo

_TABLES = """
CREATE TABLE photos (
    number INTEGER PRIMARY KEY, input TEXT, output TEXT UNIQUE, xi REAL, status TEXT, problem TEXT
);
CREATE TABLE records (output TEXT PRIMARY KEY, input TEXT, record TEXT) WITHOUT ROWID;
"""
_ROWS_AT_ONCE = 500

# Of the database 32 MB are in memory.
_SETTINGS = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;"

# Names of a result, the best first.
Names = Callable[[Entry], Iterator[str]]


class Ledger:
    """The photos of a batch, and the records of results. For one thread."""

    def __init__(self) -> None:
        """Makes an empty one."""
        # An empty name: on disk, unlinked. No journal: nothing has to survive.
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._base.executescript(f"{_SETTINGS} {_TABLES}")
        self._base.execute("BEGIN")  # one for ever: each end of one writes to the disk

    def close(self) -> None:
        """Removes it."""
        self._base.close()

    def note(self, output: str, source: str, record: Mapping[str, Any]) -> None:
        """Puts the record of a result in, in place of an earlier one.

        Args:
            output: Name of the result.
            source: Path or address of its photo.
            record: Of `Outcome.record`.
        """
        self._base.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (output, source, json.dumps(record))
        )

    def add(self, entries: Iterable[Entry], names: Names) -> int:
        """Takes photos up, each once, and names their results, none twice.

        Args:
            entries: The photos.
            names: Of a photo's result.

        Returns:
            How many were listed more than once.
        """
        twice = 0
        for entry in entries:
            if entry.problem:
                self._insert(entry, None)
                continue
            for name in names(entry):
                other = self._base.execute(
                    "SELECT input, xi FROM photos WHERE output = ?", (name,)
                ).fetchone()
                if other == (entry.address, entry.xi):
                    twice += 1
                    break
                if other is None:
                    self._insert(entry, name)
                    break
        return twice

    def _insert(self, entry: Entry, name: str | None) -> None:
        status = "failed" if entry.problem else "open"
        self._base.execute(
            "INSERT INTO photos (input, output, xi, status, problem) VALUES (?, ?, ?, ?, ?)",
            (entry.address, name, entry.xi, status, entry.problem),
        )

    def open_photos(self) -> Iterator[Photo]:
        """Photos that are not done, in their order, read a few at a time."""
        last = 0
        while True:
            rows = self._base.execute(
                "SELECT number, photos.input, photos.output, xi, record FROM photos "
                "LEFT JOIN records ON records.output = photos.output "
                "WHERE number > ? AND status = 'open' ORDER BY number LIMIT ?",
                (last, _ROWS_AT_ONCE),
            ).fetchall()
            if not rows:
                return
            for number, source, output, xi, text in rows:
                yield Photo(number, source, output, xi, _known(text))
            last = rows[-1][0]

    def close_photo(self, photo: Photo, outcome: Outcome) -> dict[str, Any] | None:
        """Notes what became of a photo; returns the record of a new result."""
        self._base.execute(
            "UPDATE photos SET status = ?, problem = ? WHERE number = ?",
            (outcome.status, outcome.problem, photo.number),
        )
        if outcome.status != "done":
            return None
        record = outcome.record()
        self.note(photo.output, photo.input, record)
        return record

    def count(self, status: str | None = None) -> int:
        """How many photos there are, or how many of a status."""
        where = "WHERE status = ?" if status else ""
        values = (status,) if status else ()
        return self._base.execute(f"SELECT COUNT(*) FROM photos {where}", values).fetchone()[0]

    def failures(self) -> Iterator[tuple[str, str]]:
        """Photos that failed, and why, in their order."""
        yield from self._base.execute(
            "SELECT input, problem FROM photos WHERE status = 'failed' ORDER BY number"
        )

    def records(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Name, photo and record of every result that is there, by name."""
        for output, source, text in self._base.execute("SELECT * FROM records ORDER BY output"):
            yield output, source, json.loads(text)


def _known(text: str | None) -> Known | None:
    if text is None:
        return None
    record = json.loads(text)
    return Known(record["key"], record["bytes"], frozenset(record["values"]))
