"""Files and directories that appear complete or not at all."""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sr_program.errors import DataError, UsageError
from sr_program.files import leftovers

_PREFIX = ".tmp-"
# What TensorFlow tells in the text of errors of its own.
_STORAGE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
# Characters of a name that its temporary file keeps: a name may be as long as a file system admits.
_KEPT_OF_NAME = 50


@contextmanager
def atomic_file(path: str | os.PathLike[str], locked: bool = False) -> Iterator[Path]:
    """Yields a temporary path to write; it becomes `path` when the block ends without an error.

    The temporary file lies beside the target (a rename does not cross file systems), is hidden and
    keeps the file name's end, so that writers that look at the suffix are content. On an error,
    Ctrl-C included, it is removed and an existing target stays as it was. A link stays: what it
    leads to is replaced. A device or a pipe stays, too: it is refused.

    An OSError that names no file, or the temporary one, leaves the block with the name of `path`.

    Args:
        path: the file.
        locked: the temporary file exists from the start and is locked, so that
            `leftovers.remove_leftovers` can remove it if its writer was killed. Not for HDF5, which
            locks its files itself.

    Raises:
        FileNotFoundError: the target's directory does not exist, or the block wrote nothing.
        OSError: the target is a device or a pipe.
    """
    target = _regular(path)
    temporary = _temporary_beside(target, leftovers.PREFIX if locked else _PREFIX)
    lock = leftovers.locked_file(temporary) if locked else contextlib.nullcontext()
    with _naming(Path(path), temporary), lock:
        try:
            yield temporary
            _flush_to_disk(temporary)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):  # what happened first is what is told
                temporary.unlink()
            raise


@contextmanager
def atomic_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a new empty directory; it becomes `path` when the block ends without an error.

    An existing directory at `path` is replaced as a whole. On an error, Ctrl-C included, the new
    directory is removed and an existing target stays as it was.

    An OSError that names no file, or one in the new directory, leaves the block with the name of
    `path`; so does an error of TensorFlow's that tells of a full or read-only disk.

    Raises:
        FileNotFoundError: the directory that shall hold `path` does not exist.
        NotADirectoryError: `path` is a file.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    temporary = _temporary_beside(target)
    with _naming(target, temporary):
        temporary.mkdir()
        try:
            yield temporary
            _replace_directory(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises what `atomic_file` would raise now, for work that takes long before it writes.

    It tries: permissions tell little, of a disk that is mounted read-only for one.

    Raises:
        IsADirectoryError: the path is a directory.
        FileNotFoundError: the file's directory does not exist.
        OSError: no file can be made there.
    """
    target = _regular(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = _temporary_beside(target)
    with _naming(Path(path), temporary):
        temporary.touch(exist_ok=False)
        temporary.unlink()


def _regular(path: str | os.PathLike[str]) -> Path:
    """The file that a name leads to: by way of links, and there or not."""
    target = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise OSError(errno.EINVAL, "is a device or a pipe; name a file", str(path))
    return target


def _temporary_beside(target: Path, prefix: str = _PREFIX) -> Path:
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such directory", str(target.parent))
    return target.parent / f"{prefix}{uuid.uuid4().hex[:12]}-{target.name[-_KEPT_OF_NAME:]}"


@contextmanager
def _naming(target: Path, temporary: Path) -> Iterator[None]:
    """Lets errors tell of the file that a person asked for."""
    try:
        yield
    except OSError as error:
        named = error.filename
        if named is not None and not Path(os.fsdecode(named)).is_relative_to(temporary):
            raise
        if error.strerror is not None:
            error.filename = str(target)
            del error.filename2
            raise
        if type(error) is not OSError:  # of a network, for example
            raise
        raise OSError(f"{target}: {error}") from error
    except (DataError, UsageError) as error:
        if str(temporary) not in str(error):
            raise
        # What was written and found wrong is removed with its name.
        raise type(error)(str(error).replace(str(temporary), str(target))) from error
    except Exception as error:
        for number in _STORAGE_ERRORS:
            if os.strerror(number) in str(error):
                raise OSError(number, os.strerror(number), str(target)) from error
        raise


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
