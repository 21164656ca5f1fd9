"""Files on this machine's disks and in object stores, by fsspec; a call that fails is tried again.

A result appears whole or not at all: in an object store because an object is there when its upload
is complete, and elsewhere by a rename. Where the store can, a new object is put on the condition
that none is there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import tenacity
from fsspec.implementations.local import LocalFileSystem

from sr_program.errors import DataError, UsageError, reason

Result = TypeVar("Result")

_TRIES = 10
_MOST_SECONDS = 20.0
# Where an object is there when its upload is complete, and a rename is a copy.
_OBJECT_STORES = frozenset(
    [
        "s3",
        "s3a",
        "gs",
        "gcs",
        "abfs",
        "abfss",
        "az",
        "adl",
        "oss",
        "r2",
        "oci",
        "tos",
        "swift",
        "memory",
    ]
)
# What trying again does not help against.
_FINAL = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    DataError,
    UsageError,
    TypeError,
)


@dataclasses.dataclass(frozen=True)
class Place:
    """A file or folder.

    Attributes:
        system: The file system.
        path: In it.
        tries: How often a call of an object store is tried.
    """

    system: Any
    path: str
    tries: int = _TRIES

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk of this machine, as far as this machine knows."""
        return isinstance(self.system, LocalFileSystem)

    def __str__(self) -> str:
        """As a person writes it."""
        return self.path if self.is_local else str(self.system.unstrip_protocol(self.path))

    def __truediv__(self, name: str) -> Place:
        """A file inside of a folder."""
        path = f"{self.path.rstrip('/')}/{name}" if name else self.path
        return dataclasses.replace(self, path=path)

    @property
    def parent(self) -> Place:
        """The folder that it lies in."""
        return dataclasses.replace(self, path=self.path.rpartition("/")[0] or "/")

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        return self._info() is not None

    def is_folder(self) -> bool:
        """Whether it is a folder, or the beginning of objects' names."""
        found = self._info()
        return found is not None and found["type"] == "directory"

    def size(self) -> int | None:
        """Bytes of the file; None if there is none."""
        found = self._info()
        return None if found is None else int(found["size"])

    def _info(self) -> dict[str, Any] | None:
        # Not `exists` and `isdir`: they take a store that fails for one that holds nothing.
        try:
            return self.call(self.system.info, self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self) -> bytes:
        """The content of a file."""
        return self.call(self.system.cat_file, self.path)

    def write(self, content: bytes) -> None:
        """Makes a file, whole or not at all, in place of one that is there."""
        if self.is_local:
            from sr_program.files.atomic_write import atomic_file

            with atomic_file(self.path) as temporary:
                temporary.write_bytes(content)
        else:
            self.call(self.system.pipe_file, self.path, content)

    def remove(self) -> None:
        """Removes a file, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            self.call(self.system.rm_file, self.path)

    def make_folder(self) -> None:
        """Makes a folder on a disk; an object store has none.

        Raises:
            UsageError: It is a file.
        """
        if self.is_local:
            try:
                os.makedirs(self.path, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise UsageError(f"output={self} is a file; name a folder") from None

    def list(self) -> list[Place]:
        """The files directly in a folder, sorted; none if there is no such folder."""
        if not self.is_local:
            self.system.invalidate_cache(self.path)
        try:
            found = self.call(self.system.ls, self.path, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [dataclasses.replace(self, path=path) for path in sorted(found)]

    def fetched(self, folder: Path) -> Path:
        """The file on a disk of this machine: itself, or a copy in a folder.

        Raises:
            OSError: It cannot be read.
        """
        if self.is_local:
            return Path(self.path)
        copy = folder / f"photo{Path(self.path).suffix}"
        self.call(self.system.get_file, self.path, str(copy))
        return copy

    def publish(self, file: Path, *, is_new: bool) -> None:
        """Gives a finished file its place.

        Args:
            file: On the same disk, where the place is on one; it is gone then.
            is_new: Whether nothing was there. In a store that knows conditions, what has come
                meanwhile stays: another worker's result of the same photo.

        Raises:
            OSError: It cannot be written.
        """
        if self.is_local:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            os.replace(file, self.path)
            return
        if not _OBJECT_STORES.intersection(_protocols(self.system)):
            self._put_and_rename(file)
            return
        if is_new:
            with contextlib.suppress(FileExistsError):
                try:
                    self.call(self.system.put_file, str(file), self.path, mode="create")
                except (NotImplementedError, TypeError, ValueError):  # it knows no conditions
                    pass
                else:
                    return
            if self.size() == file.stat().st_size:
                return
        self.call(self.system.put_file, str(file), self.path)

    def _put_and_rename(self, file: Path) -> None:
        temporary = f"{self.parent.path}/.tmp-{uuid.uuid4().hex[:12]}"
        try:
            self.call(self.system.makedirs, self.parent.path, exist_ok=True)
            self.call(self.system.put_file, str(file), temporary)
            try:
                self.call(self.system.mv, temporary, self.path)
            except FileNotFoundError:  # it was renamed, and the answer did not come
                if self.size() != file.stat().st_size:
                    raise
        except BaseException:
            with contextlib.suppress(Exception):
                self.system.rm_file(temporary)
            raise

    def call(self, function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        """Calls a function of the file system, again if an object store fails.

        Raises:
            OSError: It fails each time.
        """
        if self.is_local:
            return function(*arguments, **named)
        return tenacity.Retrying(
            retry=tenacity.retry_if_not_exception_type(_FINAL),
            stop=tenacity.stop_after_attempt(self.tries),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=_MOST_SECONDS),
            reraise=True,
        )(function, *arguments, **named)


def open_place(address: str, what: str = "input") -> Place:
    """The place that a path or an address stands for; nothing is asked of it.

    Args:
        address: A path, or "s3://…", "gs://…", "memory://…" and what else fsspec knows.
        what: The argument that it was given as, for messages.

    Raises:
        UsageError: No file system is called that, or its package is missing.
    """
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise UsageError(f"{what}={address}: {reason(error)}") from error
    except ValueError as error:
        raise UsageError(f"{what}={address}: {reason(error)}") from error
    return Place(system, path)


def _protocols(system: Any) -> tuple[str, ...]:
    found = system.protocol
    return (found,) if isinstance(found, str) else tuple(found)
