"""A table of a million paths and a worker that does nothing: time and memory of the driver.

    python -m benchmarks.batch.many --entries=1000000 --engine=local

The worker is a stub, so that what is timed is listing, handing out and writing down. Shared memory
in use tells of Ray's object store, which lies there.
"""

from __future__ import annotations

import functools
import os
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow
from absl import flags
from pyarrow import parquet

from bigans.batch.photo import Outcome, Photo
from bigans.batch.running import Batch, result_names, run
from sr_program import entry_point
from sr_program.engines.engine import Workers

_ROWS = 50_000


def cli_main() -> None:
    """Runs the command."""
    flags.DEFINE_integer("entries", 1_000_000, "Rows of the table.")
    flags.DEFINE_string("engine", "local", "local, dask or ray.")
    flags.DEFINE_integer("workers", 2, "Of it.")
    flags.DEFINE_bool("rerun", True, "Whether the same command is given again.")
    entry_point.run(_main)


def _main(arguments: list[str]) -> int:
    entry_point.refuse_positional(arguments)
    values: Any = flags.FLAGS
    with tempfile.TemporaryDirectory() as name:
        table = write_table(Path(name) / "table.parquet", values.entries)
        before, shared = _rss(), _shared()
        for part in ("first run", "rerun")[: 1 + values.rerun]:
            began = time.monotonic()
            with _Peak() as peak:
                summary = run(
                    Batch(
                        input=str(table),
                        output=f"{name}/out",
                        make=functools.partial(stub),
                        names=result_names("_x4", ".png"),
                        workers=Workers(engine=values.engine, number=values.workers, calls=16),
                        log_seconds=1e9,
                    ),
                    print,
                )
            seconds = time.monotonic() - began
            print(
                f"{part}: {summary}, {seconds:.0f} s, {values.entries / seconds:.0f}/s, driver "
                f"{before / 1e6:.0f} MB before, at most {peak.most / 1e6:.0f} MB, "
                f"shared memory at most {(peak.shared - shared) / 1e6:.1f} MB more, "
                f"its manifest {os.path.getsize(f'{name}/out/manifest.parquet') / 1e6:.0f} MB",
                flush=True,
            )
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"driver at most {most / 1e6:.0f} MB")
    return 0


def write_table(path: Path, number: int) -> Path:
    """A Parquet table with a column `path`."""
    schema = pyarrow.schema([("path", pyarrow.string())])
    with parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, number, _ROWS):
            rows = range(first, min(first + _ROWS, number))
            names = [f"/photos/{i // 1000:04d}/{i:07d}.jpg" for i in rows]
            writer.write_table(pyarrow.table({"path": names}))
    return path


def stub() -> Callable[[Photo], Outcome]:
    """A worker that takes every photo for done, or for as it was."""
    worker = f"{socket.gethostname()}:{os.getpid()}"

    def work(photo: Photo) -> Outcome:
        key = f"{photo.number:032x}"
        status = "skipped" if photo.known and photo.known.key == key else "done"
        return Outcome(
            number=photo.number, status=status, key=key, source=key * 2, worker=worker, bytes=1
        )

    return work


class _Peak:
    """The most memory within the block, bytes: of this process, and shared memory in use."""

    def __enter__(self) -> _Peak:
        self.most, self.shared, self._ended = 0, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            self.most, self.shared = max(self.most, _rss()), max(self.shared, _shared())


def _rss() -> int:
    return psutil.Process().memory_info().rss


def _shared() -> int:
    """Bytes in use of where Ray's object store lies; 0 where there is no such place."""
    return psutil.disk_usage("/dev/shm").used if Path("/dev/shm").is_dir() else 0


if __name__ == "__main__":
    from benchmarks.batch import many  # under this name workers find the stub

    many.cli_main()
