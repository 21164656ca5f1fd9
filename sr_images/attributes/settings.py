"""What made a picture, written into its file and read from it."""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr, unescape

from sr_images.attributes import exif
from sr_images.picture import Attributes

KEYWORD = "bi-gans-st"  # of a PNG's text
_NAMESPACE = "https://arxiv.org/abs/1811.00367#"
_SOFTWARE = "Software"

_IN_XMP = re.compile(r"""bigans:settings\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DESCRIPTION = re.compile(rb"<rdf:Description[^>]*bigans:settings[^>]*/>")
_EMPTY_PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)
_END = b"</rdf:RDF>"


def added(attributes: Attributes, name: str, settings: Mapping[str, str]) -> Attributes:
    """The attributes with the settings: as texts of a PNG, else in XMP.

    The setting "Software" is written where programs look for it, too.

    Args:
        attributes: Of the file.
        name: Its format.
        settings: Names and values.
    """
    content = json.dumps(dict(settings), ensure_ascii=False, sort_keys=True)
    software = settings.get(_SOFTWARE)
    if name == "PNG":
        texts = {**attributes.texts, KEYWORD: content}
        if software:
            texts[_SOFTWARE] = software
        return dataclasses.replace(attributes, texts=texts)
    block = _with_software(attributes.exif, software) if software else attributes.exif
    return dataclasses.replace(
        attributes, exif=block, xmp=_with_settings(attributes.xmp or _EMPTY_PACKET, content)
    )


def settings_of(attributes: Attributes) -> dict[str, str]:
    """The settings that a file tells; empty if it tells none."""
    content = attributes.texts.get(KEYWORD)
    if content is None and attributes.xmp:
        found = _IN_XMP.search(attributes.xmp.decode("utf-8", "replace"))
        quotes = {"&quot;": '"', "&apos;": "'", "&#10;": "\n", "&#13;": "\r", "&#9;": "\t"}
        content = unescape(found[1] or found[2] or "", quotes) if found else None
    try:
        settings = json.loads(content) if content else {}
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in settings.items()} if settings else {}


def _with_settings(packet: bytes, content: str) -> bytes:
    packet = _DESCRIPTION.sub(b"", packet)
    if _END not in packet:
        return packet
    description = (
        f'<rdf:Description rdf:about="" xmlns:bigans="{_NAMESPACE}" '
        f"bigans:settings={quoteattr(content)}/>"
    )
    before, after = packet.rsplit(_END, 1)
    return before + description.encode() + _END + after


def _with_software(block: bytes | None, software: str) -> bytes:
    try:
        parts = exif.parse(block) if block else exif.ExifBlock()
    except (ValueError, struct.error):
        parts = exif.ExifBlock()
    parts.main[exif.SOFTWARE] = exif.text_entry(software)
    return exif.serialise(parts)
