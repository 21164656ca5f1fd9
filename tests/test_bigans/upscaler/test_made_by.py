"""What made a result is found in files of every format, and beside those that hold no metadata."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigans.upscaler.made_by import read_record, write_beside
from sr_images.encoding import Encoding
from sr_images.picture import Attributes, Picture
from sr_images.pictures_out import write_picture

RECORD = {"Software": "bi-gans-st 0.1.0", "model": "9f2c", "xi": "0.73", "odd": '<&"ü'}
NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
HOLD_RECORDS = ["a.png", "a.jpg", "a.webp", "a.tif", "a.avif"]


def write(path: Path, attributes: Attributes | None = None, **encoding: object) -> None:
    picture = Picture(NOISE, attributes=attributes or Attributes())
    write_picture(path, picture, Encoding(**encoding))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", HOLD_RECORDS)
def test_it_is_in_the_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, settings=RECORD)
    assert read_record(tmp_path / name) == RECORD
    write_beside(tmp_path / name, RECORD)
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", HOLD_RECORDS)
def test_a_result_of_a_result(tmp_path: Path, name: str) -> None:
    # Its photo tells of other settings, in XMP or in texts.
    write(tmp_path / "old.jpg", settings={"xi": "0.1"})
    from sr_images.pictures_in import read_picture

    attributes = read_picture(tmp_path / "old.jpg").attributes
    write(tmp_path / name, attributes, settings=RECORD)
    assert read_record(tmp_path / name) == RECORD


@pytest.mark.parametrize("name", [*HOLD_RECORDS, "a.bmp", "a.npy"])
def test_a_file_of_other_programs(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert read_record(tmp_path / name) is None


@pytest.mark.parametrize("content", [b"", b"\0", b"\x89PNG\r\n\x1a\n", b'bigans:settings="{}"'])
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert read_record(tmp_path / "a.png") is None
    assert read_record(tmp_path / "missing.png") is None


@pytest.mark.parametrize(
    ("name", "encoding"), [("a.bmp", {}), ("a.npy", {}), ("a.png", {"strip": "all"})]
)
def test_beside(tmp_path: Path, name: str, encoding: dict[str, Any]) -> None:
    path = tmp_path / name
    write(path, settings=RECORD, **encoding)
    assert read_record(path) is None
    write_beside(path, RECORD)
    assert {one.name for one in tmp_path.iterdir()} == {name, f".{name}.bigans.json"}
    assert read_record(path) == RECORD
    path.write_bytes(b"other pixels")  # by another program
    assert read_record(path) is None


def test_the_file_beside_goes_when_it_is_not_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write(path, strip="all")
    write_beside(path, RECORD)
    write(path, settings=RECORD)
    write_beside(path, RECORD)
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"xi": "1"}', "\0"])
def test_a_damaged_file_beside(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.bmp").write_bytes(b"pixels")
    (tmp_path / ".a.bmp.bigans.json").write_text(text)
    assert read_record(tmp_path / "a.bmp") is None
