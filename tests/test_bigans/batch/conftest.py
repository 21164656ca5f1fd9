"""Photos for batches, and workers that are threads of this process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sr_program.engines.engine import Engine, Make, Workers


def draw_photos(folder: Path, number: int) -> list[Path]:
    """Small pictures, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(number)
    paths = []
    for i in range(number):
        height, width = 8 + i % 5, 8 + i % 7
        path = folder / f"{i:04d}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(path)
        paths.append(path)
    return paths


def files_in(folder: Path) -> dict[str, bytes]:
    """All files, hidden ones included, by their paths; without the manifest."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if path.name != "manifest.parquet"
    }


class Threads(Engine):
    """Workers in this process, which see its `memory://`."""

    def __init__(self, make: Make, workers: Workers) -> None:
        self._pool = ThreadPoolExecutor(3)
        self._function = make()

    def room(self) -> int:
        return 3

    def submit(self, item: Any) -> Future[Any]:
        return self._pool.submit(self._function, item)

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Batches run in this process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("bigans.batch.running.open_engine", Threads)
    yield
