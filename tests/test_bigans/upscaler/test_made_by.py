"""Records are found by other readers of XMP and EXIF, and leave the rest of a packet alone."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bigans.upscaler.made_by import add_record, read_record, write_beside

RECORD = {"version": "0.1.0", "model": "9f2c", "xi": "0.73", "strip": '<&"'}
OTHERS = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b"<dc:title>T\xc3\xbcr</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>   "
    b'<?xpacket end="w"?>'
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def fields(packet: bytes) -> list[dict[str, str]]:
    """What a reader of XML finds of this program, a dictionary a record."""
    found = []
    for description in ElementTree.fromstring(packet).iter(f"{RDF}Description"):
        own = {key.split("}")[1]: value for key, value in description.items() if "#bigans" in key}
        found += [own] if own else []
    return found


@pytest.mark.parametrize("packet", [None, OTHERS, OTHERS.replace(b"0/22", b"0/22")])
def test_it_is_in_the_packet(packet: bytes | None) -> None:
    assert fields(add_record(packet, RECORD)) == [RECORD]


def test_the_rest_stays(tmp_path: Path) -> None:
    packet = add_record(OTHERS, RECORD)
    head, tail = OTHERS.split(b"</rdf:RDF>")
    assert packet.startswith(head) and packet.endswith(b"</rdf:RDF>" + tail)


def test_a_new_record_replaces_the_old_one() -> None:
    packet = add_record(add_record(OTHERS, {"xi": "0.1", "version": "0"}), RECORD)
    assert packet == add_record(OTHERS, RECORD)


def test_an_empty_rdf_is_opened() -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
    )
    assert fields(add_record(packet, RECORD)) == [RECORD]


@pytest.mark.parametrize("packet", [b"no XML at all", OTHERS.decode().encode("utf-16")])
def test_what_cannot_be_understood_stays(packet: bytes) -> None:
    assert add_record(packet, RECORD) == packet


def test_it_is_read_from_any_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"\0" * 5000 + add_record(OTHERS, RECORD) + b"\0" * 5000)
    assert read_record(path) == RECORD


@pytest.mark.parametrize("content", [b"", b"no record", add_record(None, RECORD)[:300]])
def test_none_is_found(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert read_record(tmp_path / "a.png") is None
    assert read_record(tmp_path / "missing.png") is None


def test_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(b"pixels")
    write_beside(path, RECORD)
    assert {one.name for one in tmp_path.iterdir()} == {"a.bmp", ".a.bmp.bigans.json"}
    assert read_record(path) == RECORD
    path.write_bytes(b"other pixels")  # by another program
    assert read_record(path) is None
    path.write_bytes(add_record(None, RECORD))
    write_beside(path, RECORD)
    assert [one.name for one in tmp_path.iterdir()] == ["a.bmp"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"xi": "1"}', "\0"])
def test_a_damaged_file_beside(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.bmp").write_bytes(b"pixels")
    (tmp_path / ".a.bmp.bigans.json").write_text(text)
    assert read_record(tmp_path / "a.bmp") is None
