"""With strip="gps" no name and no coordinate of the place stays, and all else does."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from sr_images.picture import Attributes, Picture
from sr_images.pictures_in import read_picture
from sr_images.pictures_out import Encoding, write_picture

NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mygps": "http://example.org/",
}
PLACES = {
    "exif:GPSLatitude": "PLACE 48,8N",
    "exif:GPSVersionID": "PLACE 2.2",
    "drone-dji:GpsLatitude": "PLACE +48.1",
    "drone-dji:GpsLongtitude": "PLACE +11.5",
    "drone-dji:Longitude": "PLACE +11.5",
    "mygps:Where": "PLACE here",
    "photoshop:City": "PLACE Munich",
    "photoshop:State": "PLACE Bavaria",
    "photoshop:Country": "PLACE Germany",
    "Iptc4xmpCore:Location": "PLACE a house",
    "Iptc4xmpCore:CountryCode": "PLACE DE",
}
OTHERS = {
    "drone-dji:FlightXSpeed": "+0.1",
    "photoshop:Credit": "somebody",
    "photoshop:CityLights": "are no city",
    "Iptc4xmpCore:Scene": "011900",
    "exif:FNumber": "28/10",
}
INSIDE = (
    '<Iptc4xmpExt:{0}><rdf:Bag><rdf:li rdf:parseType="Resource">'
    "<Iptc4xmpExt:City>PLACE</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:{0}>"
)


def packet(as_elements: bool, tail: str = "") -> bytes:
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
    said = {**PLACES, **OTHERS}
    attributes = " ".join(f'{name}="{value}"' for name, value in said.items())
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    first, second = ("", elements) if as_elements else (attributes, "")
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {declared}><rdf:Description {first}>'
        f"{second}{tail}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def written(attributes: Attributes, suffix: str, strip: str) -> bytes:
    file = io.BytesIO()
    picture = Picture(np.zeros((4, 4, 3), np.uint8), attributes=attributes)
    write_picture(file, picture, Encoding(suffix, strip=strip))  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize("as_elements", [False, True])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_xmp(suffix, as_elements):
    tail = INSIDE.format("LocationCreated") + INSIDE.format("LocationShown")
    said = Attributes(xmp=packet(as_elements, tail))
    assert written(said, suffix, "none").count(b"PLACE") == len(PLACES) + 2
    content = written(said, suffix, "gps")
    assert b"PLACE" not in content
    tree = ET.fromstring(read_picture(content).attributes.xmp or b"")
    (description,) = tree.iter(f"{{{NAMES['rdf']}}}Description")
    kept = {**description.attrib, **{child.tag: child.text for child in description}}
    expected = {}
    for name, value in OTHERS.items():
        prefix, local = name.split(":")
        expected[f"{{{NAMES[prefix]}}}{local}"] = value
    assert kept == expected


def test_texts():
    said = {"exif:GPSLatitude": "48/1", "exif:gpsInfo": "12", "GPS": "x", "Title": "a cat"}
    content = written(Attributes(texts=said), "png", "gps")
    with Image.open(io.BytesIO(content)) as image:
        assert image.info == {"Title": "a cat"}


@pytest.mark.parametrize(
    ("records", "kept"),
    [
        (b"\x1c\x02\x5a\0\1x\x1c\x02\x78\0\1y", b"\x1c\x02\x78\0\1y"),
        (b"\x1c\x02\x78\x80\2\0\1y\x1c\x02\x65\0\1z", b"\x1c\x02\x78\x80\2\0\1y"),
        (b"\x1c\x02\x78\0\1yrubbish, perhaps a place", b"\x1c\x02\x78\0\1y"),
        (b"\x1c\x02\x5a\0\6Munich", None),
    ],
)
@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_iptc(suffix, records, kept):
    said = Attributes(iptc=records)
    assert read_picture(written(said, suffix, "gps")).attributes.iptc == kept
