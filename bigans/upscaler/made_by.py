"""What made a result: a record in its XMP metadata, or in a hidden file beside it.

    <rdf:Description xmlns:bigans="…" bigans:version="0.1.0" bigans:model="9f2c…" bigans:xi="0.73"
        bigans:source="5e88…"/>

XMP stands uncompressed in every format that holds it, so that the record is found without decoding
a picture. Where it cannot stand (BMP, NumPy, stripped metadata), `write_beside` keeps it.
"""

from __future__ import annotations

import html
import json
import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path

from sr_program.files.atomic_write import atomic_file
from sr_program.files.hashes import file_sha256

# Names of what stands in a record: the settings, and the SHA-256 of the photo's file.
SOURCE = "source"
_RESULT = "result"

_NAMESPACE = "https://arxiv.org/abs/1811.00367#bigans"
_HEAD = f'<rdf:Description rdf:about="" xmlns:bigans="{_NAMESPACE}"'
_RECORD = re.compile(re.escape(_HEAD).encode() + rb"((?:\s+bigans:\w+=\"[^\"<>]*\")*)\s*/>")
_FIELD = re.compile(r"bigans:(\w+)=\"([^\"]*)\"")
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_END = re.compile(rb"</rdf:RDF\s*>")
_EMPTY = re.compile(rb"<rdf:RDF([^<>]*)/>")

# Bytes of a record at most: what is read behind the place where one begins.
_LONGEST = 4096


def add_record(xmp: bytes | None, record: Mapping[str, str]) -> bytes:
    """Puts a record into an XMP packet; one that is there already is replaced.

    Args:
        xmp: The packet of the photo, which stays byte for byte otherwise; None: there is none. One
            that cannot be understood is kept as it is, without a record.
        record: Names, of letters and digits, and values.
    """
    packet = _EMPTY.sub(rb"<rdf:RDF\1></rdf:RDF>", _RECORD.sub(b"", xmp or _PACKET.encode()))
    fields = "".join(f' bigans:{name}="{html.escape(value)}"' for name, value in record.items())
    text = f"{_HEAD}{fields}/>".encode()
    ends = list(_END.finditer(packet))
    if not ends:
        return packet
    end = ends[-1].start()
    return packet[:end] + text + packet[end:]


def read_record(path: Path) -> dict[str, str] | None:
    """The record of a result; None if the file is not known to be one.

    A file that was changed after its record was written beside it is not known any more.
    """
    try:
        return _inside(path) or _beside(path)
    except (OSError, ValueError):
        return None


def write_beside(path: Path, record: Mapping[str, str]) -> None:
    """Writes the record of a result into a hidden file beside it, unless the result holds it.

    Args:
        path: The result, which is there.
        record: As for `add_record`.

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
        if not os.fstat(file.fileno()).st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            start = content.find(_HEAD.encode())
            found = None if start < 0 else _RECORD.match(content[start : start + _LONGEST])
    if found is None:
        return None
    fields = _FIELD.findall(found[1].decode("utf-8"))
    return {name: html.unescape(value) for name, value in fields}


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
