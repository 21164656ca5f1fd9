"""SavedModels in OpenVINO's format in the user's cache, converted on first use.

    CACHE/openvino/KEY/generators.xml

KEY is a hash of the SavedModel's files and of the code that converts them. Only the conversion
needs TensorFlow. The hashes of a model's files lie beside it, and one that was damaged is converted
again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

from absl import logging
from tqdm import tqdm

from bigans.pretrained.saved_models import OPENVINO
from sr_program.files.cache import (
    cache_folder,
    keep_newest,
    mark_as_used,
    remove_leftovers,
    replacing,
    writing,
)
from sr_program.files.sealed import is_intact
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.model_facts import FACTS_FILE

# About 17 MB each.
_KEPT = 6


def openvino_model(saved_model_dir: Path, cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Returns a directory with a SavedModel's generators; the first call converts them (seconds).

    Args:
        saved_model_dir: Holds saved_model.pb.
        cache_dir: As for `bigans.pretrained.saved_models.saved_models`.

    Returns:
        A directory that holds generators.xml.

    Raises:
        UsageError: OpenVINO is not installed.
        DataError: The SavedModel cannot be converted (NoGeneratorsError) or loaded, or the cache
            folder cannot be written.
    """
    require_extra("openvino")
    cache = cache_folder(cache_dir) / OPENVINO
    target = cache / _key(saved_model_dir)
    if not is_intact(target):
        with writing(cache):
            if not is_intact(target):  # made by another process, while this one waited
                remove_leftovers(cache)
                with replacing(target) as temporary:
                    _convert(saved_model_dir, temporary)
                _forget_old(cache, newest=target)
    mark_as_used(target)
    return target


def _key(saved_model_dir: Path) -> str:
    digest = hashlib.sha256()
    for folder in (saved_model_dir, _converter()):
        for path in sorted(folder.rglob("*")):
            # Other files of a SavedModel (assets, a fingerprint) do not change what it computes.
            is_code = path.suffix in (".pb", ".index", ".py")
            if is_code or ".data-" in path.name or path.name == FACTS_FILE:
                content = path.read_bytes()
                digest.update(f"\n{path.relative_to(folder)} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()[:20]


def _converter() -> Path:
    spec = importlib.util.find_spec("fusion")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def _convert(saved_model_dir: Path, directory: Path) -> None:
    logging.info("converting %s for OpenVINO", saved_model_dir)
    with tqdm(total=1, desc="first run: preparing for OpenVINO", disable=None) as progress:
        import_tensorflow_quietly()
        from fusion.formats.saved_generators import write_generators

        write_generators(saved_model_dir, directory)
        progress.update()


def _forget_old(cache: Path, newest: Path) -> None:
    keep_newest([path for path in cache.iterdir() if path.is_dir() and path != newest], _KEPT - 1)
