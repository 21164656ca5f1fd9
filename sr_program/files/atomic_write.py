"""Files and directories that appear complete or not at all."""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path to write; it becomes `path` when the block ends without an error.

    The temporary file lies beside the target (a rename does not cross file systems), is hidden and
    keeps the whole file name at its end, so that writers that look at the suffix are content. On an
    error, Ctrl-C included, it is removed and an existing target stays as it was.

    Raises:
      FileNotFoundError: the target's directory does not exist, or the block wrote nothing.
    """
    target = Path(path)
    temporary = _temporary_beside(target)
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a new empty directory; it becomes `path` when the block ends without an error.

    An existing directory at `path` is replaced as a whole. On an error, Ctrl-C included, the new
    directory is removed and an existing target stays as it was.

    Raises:
      FileNotFoundError: the directory that shall hold `path` does not exist.
      NotADirectoryError: `path` is a file.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    temporary = _temporary_beside(target)
    temporary.mkdir()
    try:
        yield temporary
        _replace_directory(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _temporary_beside(target: Path) -> Path:
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such directory", str(target.parent))
    return target.parent / f".tmp-{uuid.uuid4().hex[:12]}-{target.name}"


def _replace_directory(new: Path, target: Path) -> None:
    if not target.exists():
        os.rename(new, target)
        return
    # no portable call exchanges two directories: set the old one aside, and back on failure
    old = _temporary_beside(target)
    os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(path: Path) -> None:
    # without it a power cut can leave the new name with no content
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
