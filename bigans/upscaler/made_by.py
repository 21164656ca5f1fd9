"""What made a result: the settings in its metadata, or in a hidden file beside it.

The settings are found without decoding a picture. Where none can stand (BMP, NumPy, stripped
metadata), `write_beside` keeps them.
"""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path

from bigans.upscaler.task import Task
from sr_images.attributes.png_chunks import SIGNATURE, read_chunks, texts_of
from sr_images.attributes.settings import settings_of
from sr_images.picture import Attributes
from sr_program.files.atomic_write import atomic_file
from sr_program.files.hashes import file_sha256

# Among the settings: SHA-256 of the photo's file. In the file beside a result: that of the result.
SOURCE = "source"
_RESULT = "result"

# XMP stands uncompressed in every format that holds it; so many bytes of it are looked at.
_IN_XMP = b'<rdf:Description rdf:about="" xmlns:bigans='
_LONGEST = 16_384


def with_source(task: Task) -> Task:
    """A task whose result shall tell what made it, with the hash of its photo among the settings.

    Raises:
        OSError: The photo cannot be read.
    """
    if not task.encoding.settings:
        return task
    settings = {**task.encoding.settings, SOURCE: file_sha256(task.photo)}
    return task._replace(encoding=dataclasses.replace(task.encoding, settings=settings))


def read_record(path: Path) -> dict[str, str] | None:
    """The settings that made a result; None if the file is not known to be one.

    A file that was changed after its settings were written beside it is not known any more.
    """
    try:
        return _inside(path) or _beside(path)
    except (OSError, ValueError):
        return None


def write_beside(path: Path, record: Mapping[str, str]) -> None:
    """Writes what made a result into a hidden file beside it, unless the result tells.

    Args:
        path: The result, which is there.
        record: Names and values.

    Raises:
        OSError: It cannot be written.
    """
    beside = _place_beside(path)
    if _inside(path) is not None:
        beside.unlink(missing_ok=True)
        return
    with atomic_file(beside) as temporary:
        text = json.dumps({**record, _RESULT: file_sha256(path)}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def _inside(path: Path) -> dict[str, str] | None:
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) == SIGNATURE:
            texts: dict[str, str] = {}
            for name, content in read_chunks(file):
                if name == "IDAT":
                    break
                texts.update(texts_of(name, content))
            return settings_of(Attributes(texts=texts)) or None
        if not os.fstat(file.fileno()).st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = content.find(_IN_XMP)
            found = content[start : start + _LONGEST] if start >= 0 else b""
    return settings_of(Attributes(xmp=found)) or None


def _place_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.bigans.json")


def _beside(path: Path) -> dict[str, str] | None:
    beside = _place_beside(path)
    if not beside.is_file():
        return None
    record = json.loads(beside.read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.pop(_RESULT, None) != file_sha256(path):
        return None
    return {str(name): str(value) for name, value in record.items()}
