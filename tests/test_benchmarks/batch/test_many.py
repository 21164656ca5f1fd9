"""The driver's memory does not grow with the number of photos."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from benchmarks.batch.many import stub, write_table
from bigans.batch.running import Batch, Summary, result_names, run
from sr_program.engines.engine import Workers
from tests.test_bigans.batch.conftest import Threads


def peak(folder: Path, number: int) -> int:
    """Bytes, the database on disk left aside."""
    folder.mkdir()
    batch = Batch(
        input=str(write_table(folder / "table.parquet", number)),
        output=str(folder / "out"),
        make=stub,
        names=result_names("_x4", ".png"),
        workers=Workers(number=1),
    )
    tracemalloc.start()
    assert run(batch, print) == Summary(number, 0, 0, 0, 0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run(batch, print) == Summary(0, number, 0, 0, 0)
    return most


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigans.batch.running.open_engine", Threads)
    peak(tmp_path / "warm", 100)
    small = peak(tmp_path / "small", 1_500)
    large = peak(tmp_path / "large", 6_000)
    # A list of so many photos would take a kilobyte for each.
    assert large - small < 300 * 4_500
