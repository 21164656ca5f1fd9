"""ArrayRecord files: written whole, and read record by record in any order.

The package `array-record` (the extra `data`) is imported where a file is opened. It brings no
TensorFlow.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_file

# One record a chunk, so that reading a record touches nothing else.
_WRITER_OPTIONS = {"none": "group_size:1,uncompressed", "zstd": "group_size:1,zstd:3"}
# No reading ahead, for reading at random.
_READER_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
_BUFFER_BYTES = 1 << 15

# Characters of the package's own messages, which may be pages.
_MOST = 200


class RecordWriter:
    """Appends records to a file; `new_file` makes it."""

    def __init__(self, writer: Any, path: Path):
        self._writer = writer
        self._path = path

    def write(self, record: bytes) -> None:
        """Appends a record; `OSError` if that fails, though the disk's failures show up later."""
        self._call("write", record)

    def close(self) -> None:
        """Completes the file; `OSError` if it cannot be written: the disk is full, for one."""
        self._call("close")

    def _call(self, method: str, *arguments: bytes) -> None:
        try:
            getattr(self._writer, method)(*arguments)
        except RuntimeError as error:  # of the package, whatever is wrong with the file system
            problem = f"cannot be written ({reason(error, most=_MOST)})"
            raise OSError(None, problem, str(self._path)) from error


@contextmanager
def new_file(path: Path, compression: str) -> Iterator[RecordWriter]:
    """Yields a writer; the file appears at `path` when the block ends without an error.

    Args:
        path: its folder exists.
        compression: "none" or "zstd".

    Raises:
        DataError: the package is missing.
        OSError: the file cannot be written.
    """
    module = _array_record()
    with atomic_file(path) as temporary:
        options = _WRITER_OPTIONS[compression]
        writer = RecordWriter(module.ArrayRecordWriter(str(temporary), options), path)
        try:
            yield writer
        except BaseException:
            with suppress(OSError):  # else the package complains where the writer is destroyed
                writer.close()
            raise
        writer.close()


class RecordReader:
    """Reads records by their number from several files, of which it keeps some open.

    An open file costs about 0.1 MB; records are not kept. Threads may share a reader.
    """

    def __init__(self, most_open: int = 256):
        """Opens nothing yet.

        Args:
            most_open: files that stay open at most; the one used longest ago is closed.
        """
        self._most_open = most_open
        self._open: OrderedDict[Path, Any] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, number: int, records: int) -> bytes:
        """One record.

        Args:
            path: the file.
            number: of the record, 0 <= number < records.
            records: how many the file must hold.

        Raises:
            DataError: the package is missing.
            OSError: the file cannot be read, is damaged, or holds another number of records.
        """
        with self._lock:
            try:
                return self._opened(path, records).read([number])[0]
            except RuntimeError as error:
                raise OSError(
                    None, f"is damaged ({reason(error, most=_MOST)})", str(path)
                ) from error

    def _opened(self, path: Path, records: int) -> Any:
        if path not in self._open:
            reader = _array_record().ArrayRecordReader(
                str(path), _READER_OPTIONS, file_reader_buffer_size=_BUFFER_BYTES
            )
            # a file cut off opens without an error, and has no records
            if not reader.ok() or reader.num_records() != records:
                found = reader.num_records()
                problem = f"is damaged (it has {found} records, not {records})"
                raise OSError(None, problem, str(path))
            self._open[path] = reader
            if len(self._open) > self._most_open:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(path)
        return self._open[path]


def _array_record() -> ModuleType:
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise DataError(
            "prepared photos need the package array-record: pip install 'bi-gans-st[data]'"
        ) from error
    return array_record_module
