"""The files that metrics need and that others publish: downloaded once into the user's cache.

A file is known by its hash: its git blob id, the name of its content in the repository that
publishes it, or the MD5 that its publisher states. Its address need not be trusted, then, and a
cached copy that was damaged is noticed and replaced.
"""

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import filelock
from tqdm import tqdm

from bigans.pretrained.saved_models import CACHE_VARIABLE, cache_folder
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 16
_MD5 = "md5:"
_NETWORK_ERRORS = (
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)


@dataclass(frozen=True)
class ModelFile:
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


MA_MODEL = ModelFile(
    name="ma_model.mat",
    title="the model of the metric of Ma et al.",
    url="https://raw.githubusercontent.com/chaoma99/sr-metric/HEAD/model.mat",
    content="a852aefb6a49e52703044fee4fa60c3f5b8d5adc",
    flag="--ma_model",
)

NIQE_PARAMETERS = ModelFile(
    name="niqe_modelparameters.mat",
    title="the parameters of NIQE",
    url="https://raw.githubusercontent.com/roimehrez/PIRM2018/HEAD/utils/niqe_release/"
    "modelparameters.mat",
    content="3b212e8643102209c2354f4c8b74ecc8359f8e3c",
    flag="--niqe_parameters",
)

VGG19_WEIGHTS = ModelFile(
    name="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    title="VGG19's ImageNet weights",
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    # As keras.applications states it.
    content="md5:253f8cb515780f3b799900260a226db6",
    flag="--vgg_weights",
)


def fetch(model_file: ModelFile, cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns the path of a published file; the first call downloads it.

    Processes may call this at once: one downloads and the others wait. A file appears under its
    name only when it is complete and its content is the expected one.

    Args:
      model_file: which file.
      cache_dir: where it is kept; by default the folder that the environment variable BIGANS_CACHE
        names, else the user's cache folder of this system.

    Raises:
      DataError: it cannot be downloaded, what arrives is another file, or the cache folder cannot
        be written.
    """
    # A file directly in the cache: `pretrained` takes the folders there for its own.
    target = cache_folder(cache_dir) / model_file.name
    if _is_genuine(target, model_file):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f".{target.name}.lock")):
            if not _is_genuine(target, model_file):  # nor did another process bring it meanwhile
                _remove_leftovers(target)
                _download(model_file, target)
    except OSError as error:
        raise DataError(
            f"{target}: cannot be written ({error.strerror or error}); name another folder in the "
            f"environment variable {CACHE_VARIABLE}, or name a copy of the file by "
            f"{model_file.flag}=PATH"
        ) from error
    return target


def git_blob_id(path: Path) -> str:
    """The name that git gives to a file's content: SHA-1 of a header and the content."""
    with path.open("rb") as file:
        header = b"blob %d\0" % os.fstat(file.fileno()).st_size
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(header, usedforsecurity=False))
    return digest.hexdigest()


def _hash_like(expected: str, path: Path) -> str:
    """A file's hash, of the kind of an expected one."""
    if not expected.startswith(_MD5):
        return git_blob_id(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return _MD5 + digest.hexdigest()


def _is_genuine(path: Path, model_file: ModelFile) -> bool:
    try:
        return _hash_like(model_file.content, path) == model_file.content
    except OSError:
        return False


def _remove_leftovers(target: Path) -> None:
    """Removes what downloads that were killed have left; the caller holds the lock."""
    for path in target.parent.glob(f".tmp-*-{target.name}"):
        path.unlink(missing_ok=True)


def _download(model_file: ModelFile, target: Path) -> None:
    copy = f"name a copy of the file by {model_file.flag}=PATH"
    with atomic_file(target) as temporary:
        try:
            _save(model_file, temporary)
        except _NETWORK_ERRORS as error:
            raise DataError(
                f"{target}: {model_file.title} cannot be downloaded from {model_file.url} "
                f"({getattr(error, 'reason', error)}); try again, or {copy}"
            ) from error
        found = _hash_like(model_file.content, temporary)
        if found != model_file.content:
            raise DataError(
                f"{target}: what {model_file.url} serves is not {model_file.title} "
                f"(hash {found}, expected {model_file.content}); {copy}"
            )


def _save(model_file: ModelFile, path: Path) -> None:
    with urllib.request.urlopen(model_file.url, timeout=_TIMEOUT) as response:
        length = response.headers.get("Content-Length")
        expected = int(length) if length else None
        name = model_file.name
        progress = tqdm(total=expected, unit="B", unit_scale=True, desc=name, disable=None)
        with path.open("wb") as file, progress:
            while chunk := response.read(_CHUNK):
                progress.update(file.write(chunk))
            size = file.tell()
    if expected is not None and size != expected:
        raise ConnectionError(f"it ended after {size} of {expected} bytes")
