"""Files that others publish: downloaded once into the user's cache.

A file is known by its hash: its git blob id, the name of its content in the repository that
publishes it, or the MD5 that its publisher states. Its address need not be trusted, then, and a
cached copy that was damaged is noticed and replaced.
"""

import http.client
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import filelock
from tqdm import tqdm

from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_file
from sr_program.files.cache import CACHE_VARIABLE, cache_folder
from sr_program.files.hashes import hash_like

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16
_NETWORK_ERRORS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)


@dataclass(frozen=True)
class PublishedFile:
    """A published file.

    Attributes:
        name: of the file in the cache folder.
        title: what it is, for messages.
        url: where it is published.
        content: SHA-1 of its content as git computes it, in hexadecimal; or "md5:" and the MD5
            of its content, where no more is published.
        flag: the flag with which a person names a copy of it.
    """

    name: str
    title: str
    url: str
    content: str
    flag: str


def fetch(file: PublishedFile, cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns the path of a published file; the first call downloads it.

    Processes may call this at once: one downloads and the others wait. A file appears under its
    name only when it is complete and its content is the expected one.

    Args:
        file: which file.
        cache_dir: where it is kept; by default the folder that the environment variable
            BIGANS_CACHE names, else the user's cache folder of this system.

    Raises:
        DataError: it cannot be downloaded, what arrives is another file, or the cache folder cannot
            be written.
    """
    # A file directly in the cache: `bigans.pretrained` takes the folders there for its own.
    target = cache_folder(cache_dir) / file.name
    if _is_genuine(target, file):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f".{target.name}.lock")):
            if not _is_genuine(target, file):  # nor did another process bring it meanwhile
                _remove_leftovers(target)
                _download(file, target)
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written ({reason(error)}); name another folder in the "
            f"environment variable {CACHE_VARIABLE}, or name a copy of the file by "
            f"{file.flag}=PATH"
        ) from error
    return target


def cached(file: PublishedFile, cache_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The path of a published file that was downloaded before, else None; no network is asked.

    Args:
        file: as for `fetch`.
        cache_dir: as for `fetch`.
    """
    target = cache_folder(cache_dir) / file.name
    return target if _is_genuine(target, file) else None


def _is_genuine(path: Path, file: PublishedFile) -> bool:
    try:
        return hash_like(file.content, path) == file.content
    except OSError:
        return False


def _remove_leftovers(target: Path) -> None:
    """Removes what downloads that were killed have left; the caller holds the lock."""
    for path in target.parent.glob(f".tmp-*-{target.name}"):
        path.unlink(missing_ok=True)


def _download(file: PublishedFile, target: Path) -> None:
    copy = f"name a copy of the file by {file.flag}=PATH"
    with atomic_file(target) as temporary:
        try:
            _save(file, temporary)
        except _NETWORK_ERRORS as error:
            raise DataError(
                f"{target}: {file.title} cannot be downloaded from {file.url} "
                f"({getattr(error, 'reason', error)}); try again, or {copy}"
            ) from error
        found = hash_like(file.content, temporary)
        if found != file.content:
            raise DataError(
                f"{target}: what {file.url} serves is not {file.title} "
                f"(hash {found}, expected {file.content}); {copy}"
            )


def _save(file: PublishedFile, path: Path) -> None:
    with urllib.request.urlopen(file.url, timeout=_TIMEOUT) as response:
        length = response.headers.get("Content-Length")
        expected = int(length) if length else None
        progress = tqdm(total=expected, unit="B", unit_scale=True, desc=file.name, disable=None)
        with path.open("wb") as output, progress:
            while chunk := response.read(_CHUNK):
                progress.update(output.write(chunk))
            size = output.tell()
    if expected is not None and size != expected:
        raise ConnectionError(f"it ended after {size} of {expected} bytes")
