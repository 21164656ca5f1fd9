"""What is done, written down beside the results while it is done.

    OUT/.bigans/manifest/*.jsonl    a line a result, while a run goes on; never changed afterwards
    OUT/manifest.parquet            a row a result, at the end of a run
    OUT/failed.jsonl                a line a photo that failed, at the end of a run

On a disk a line is there as soon as its result is; in an object store, which cannot append, some
seconds of lines are an object.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from bigans.batch.ledger import Ledger
from bigans.batch.scratch import OWN
from bigans.batch.store import Place
from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_file

MANIFEST = "manifest.parquet"
FAILED = "failed.jsonl"

_SHARDS = f"{OWN}/manifest"
_SECONDS = 5.0
_LINES = 1_000
_ROWS_AT_ONCE = 1_000

# The columns of the manifest, beside seconds and what was measured.
_TEXTS = ("input", "output", "key", "source", "worker")
_WHOLE_NUMBERS = ("bytes", "width", "height", "tiles")


class Shards:
    """Takes the lines of a run; a context manager."""

    def __init__(self, output: Place) -> None:
        """Opens a new shard.

        Args:
            output: Of the results.
        """
        self._folder = output / _SHARDS
        self._name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        self._lines: list[str] = []
        self._number, self._since = 0, time.monotonic()
        self._file: IO[str] | None = None
        if self._folder.is_local:
            Path(self._folder.path).mkdir(parents=True, exist_ok=True)
            path = Path(self._folder.path) / f"{self._name}.jsonl"
            self._file = path.open("a", encoding="utf-8")

    def add(self, output: str, source: str, record: dict[str, Any]) -> None:
        """Writes a line."""
        line = json.dumps({"output": output, "input": source, **record}) + "\n"
        if self._file is not None:
            self._file.write(line)
            self._file.flush()
            return
        self._lines.append(line)
        if len(self._lines) >= _LINES:
            self.flush()

    def tick(self) -> None:
        """Writes what has waited long enough."""
        if time.monotonic() - self._since > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what has not been written yet."""
        self._since = time.monotonic()
        if self._lines:
            self._number += 1
            shard = self._folder / f"{self._name}-{self._number:06d}.jsonl"
            shard.write("".join(self._lines).encode())
            self._lines = []

    def __enter__(self) -> Shards:
        """The run begins."""
        return self

    def __exit__(self, *error: object) -> None:
        """The run ends, or is broken off."""
        self.flush()
        if self._file is not None:
            path = Path(self._file.name)
            self._file.close()
            if not path.stat().st_size:
                path.unlink()
                _remove_empty(self._folder)


def read_manifest(output: Place, ledger: Ledger) -> None:
    """Puts what earlier runs have noted into a ledger.

    Raises:
        DataError: A file was not written by this program, or is damaged.
    """
    for row in rows_of(output):
        ledger.note(row.pop("output"), row.pop("input"), row)
    for shard in (output / _SHARDS).list():
        for line in shard.read().decode(errors="replace").splitlines():
            # The last line of a run that was killed may be cut off.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                row = json.loads(line)
                ledger.note(row.pop("output"), row.pop("input"), row)


def write_manifest(output: Place, ledger: Ledger) -> None:
    """Writes manifest.parquet and failed.jsonl; the shards are not needed any more then."""
    failures = ledger.failures()
    lines = [json.dumps({"input": source, "reason": why}) + "\n" for source, why in failures]
    if lines:
        (output / FAILED).write("".join(lines).encode())
    else:
        (output / FAILED).remove()
    _write_table(output, ledger)
    for shard in (output / _SHARDS).list():
        shard.remove()
    _remove_empty(output / _SHARDS)


def _remove_empty(shards: Place) -> None:
    """Removes the folder of shards, and the one around it, if they are on a disk and empty."""
    if shards.is_local:
        for folder in (shards, shards.parent):
            with contextlib.suppress(OSError):
                Path(folder.path).rmdir()


def _write_table(output: Place, ledger: Ledger) -> None:
    import tempfile

    place = output / MANIFEST
    if place.is_local:
        with atomic_file(place.path) as temporary:
            _write_rows(temporary, ledger)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MANIFEST
        _write_rows(file, ledger)
        place.publish(file, is_new=False)


def _write_rows(file: Path, ledger: Ledger) -> None:
    import pyarrow
    from pyarrow import parquet

    names = sorted({name for _, _, record in ledger.records() for name in record["values"]})
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in _TEXTS),
            *((name, pyarrow.int64()) for name in _WHOLE_NUMBERS),
            ("seconds", pyarrow.float64()),
            *((name, pyarrow.float64()) for name in names),
        ]
    )
    with parquet.ParquetWriter(file, schema) as writer:
        for rows in _in_batches(ledger):
            writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))


def _in_batches(ledger: Ledger) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    for output, source, record in ledger.records():
        values = record.pop("values")
        rows.append({**values, **record, "output": output, "input": source})
        if len(rows) == _ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def rows_of(output: Place) -> Iterator[dict[str, Any]]:
    """The rows of manifest.parquet, if there is one; what was measured is in "values".

    Raises:
        DataError: It was not written by this program, or is damaged.
    """
    import pyarrow
    from pyarrow import parquet

    place = output / MANIFEST
    if not place.exists():
        return
    fixed = {*_TEXTS, *_WHOLE_NUMBERS, "seconds"}
    try:
        with place.call(place.system.open, place.path, "rb") as file:
            for batch in parquet.ParquetFile(file).iter_batches(_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    values = {name: row.pop(name) for name in set(row) - fixed}
                    found = {name: row[name] for name in fixed}
                    found["values"] = {n: v for n, v in values.items() if v is not None}
                    yield found
    except (pyarrow.ArrowException, KeyError) as error:
        raise DataError(
            f"{place}: is not a manifest of this program, or damaged ({reason(error)}); "
            "remove it, or name another output"
        ) from error
