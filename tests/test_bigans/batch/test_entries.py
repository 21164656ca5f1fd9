"""Photos are listed from patterns, folders, lists and tables."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pyarrow
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet

from bigans.batch.entries import Entry, entries
from bigans.batch.ledger import Ledger
from bigans.batch.running import result_names
from bigans.batch.store import open_place

FILES = ("b/2.png", "a/1.JPG", "a/deep/3.jpg", "0.png", ".hidden/4.png", "a/.5.png", "notes.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", ["0.png", "a/1.JPG", "a/deep/3.jpg", "b/2.png"]),
        ("/", ["0.png", "a/1.JPG", "a/deep/3.jpg", "b/2.png"]),
        ("/**/*.png", ["0.png", "b/2.png"]),
        ("/*.png", ["0.png"]),
        ("/*/*", ["a/1.JPG", "b/2.png"]),
        ("/a/**/*.jpg", ["deep/3.jpg"]),
        ("/[ab]/?.*", ["a/1.JPG", "b/2.png"]),
        ("/b/2.png", ["2.png"]),
    ],
)
def test_patterns_and_folders(folder: Path, pattern: str, found: list[str]) -> None:
    listed = list(entries(f"{folder}{pattern}"))
    assert [entry.relative for entry in listed] == found
    for entry in listed:
        assert Path(entry.address).is_file() and entry.address.endswith(entry.relative)


def test_patterns_in_a_store() -> None:
    system = MemoryFileSystem()
    try:
        for name in FILES:
            system.pipe_file(f"/listed/{name}", b"")
        found = [entry.relative for entry in entries("memory://listed/**/*.png")]
        assert found == ["0.png", "b/2.png"]
        assert next(iter(entries("memory://listed"))).address == "memory:///listed/0.png"
    finally:
        system.rm("/listed", recursive=True)


def test_the_folder_of_results_is_no_folder_of_photos(folder: Path) -> None:
    left_out = open_place(str(folder / "a"))
    assert [entry.relative for entry in entries(str(folder), left_out)] == ["0.png", "b/2.png"]


def test_a_file_whose_name_is_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "[1].png").touch()
    assert [entry.relative for entry in entries(str(tmp_path / "[1].png"))] == ["[1].png"]


def test_lists_and_tables(tmp_path: Path) -> None:
    lines = ["a/1.png", "/data/../2.png", "s3://bucket/x/3.png", "", "naïve ü.png"]
    (tmp_path / "list.txt").write_text("\r\n".join(lines), encoding="utf-8")
    wanted = [
        Entry(f"{tmp_path}/a/1.png", "a/1.png"),
        Entry("/data/../2.png", "data/2.png"),
        Entry("s3://bucket/x/3.png", "bucket/x/3.png"),
        Entry(f"{tmp_path}/naïve ü.png", "naïve ü.png"),
    ]
    assert list(entries(f"@{tmp_path}/list.txt")) == wanted
    table = pyarrow.table({"size": [1, 2], "url": ["a/1.png", None], "xi": [0.5, None]})
    parquet.write_table(table, tmp_path / "table.parquet")
    first, second = entries(f"{tmp_path}/table.parquet")
    assert first == Entry(f"{tmp_path}/a/1.png", "a/1.png", 0.5)
    assert "a row without a path" in second.problem
    rows = '﻿file,xi\n"a, b.png",0\nc.png,nan\nd.png,x\n'
    (tmp_path / "table.csv").write_text(rows, encoding="utf-8")
    found = list(entries(f"{tmp_path}/table.csv"))
    assert [(entry.relative, entry.xi, bool(entry.problem)) for entry in found] == [
        ("a, b.png", 0.0, False),
        ("c.png", None, True),
        ("d.png", None, True),
    ]


def test_results_have_names_of_their_own() -> None:
    names = result_names("_x4", ".png")
    first = [*itertools.islice(names(Entry("/in/a/cat.jpg", "a/cat.jpg")), 3)]
    assert first == ["a/cat_x4.png", "a/cat_jpg_x4.png", "a/cat_jpg_2_x4.png"]
    listed = [
        Entry("/in/cat.jpg", "cat.jpg"),
        Entry("/in/cat.png", "cat.png"),
        Entry("/in/cat.jpg", "cat.jpg"),
        Entry("/in/cat.jpg", "cat.jpg", 0.3),
        Entry("/in/cat", "cat"),
        Entry("/in/.cat", ".cat"),
    ]
    ledger = Ledger()
    assert ledger.add(listed, names) == 1
    assert [(photo.output, photo.xi) for photo in ledger.open_photos()] == [
        ("cat_x4.png", None),
        ("cat_png_x4.png", None),
        ("cat_jpg_x4.png", 0.3),
        ("cat_2_x4.png", None),
        (".cat_x4.png", None),
    ]


def test_a_name_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    for name in (b"bad\xff.png", "gut\u00e9.png".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    found = {entry.address: entry.problem for entry in entries(str(tmp_path))}
    bad = f"{tmp_path}/bad\\udcff.png"
    assert found == {
        bad: f"{bad}: its name is not UTF-8; rename it",
        f"{tmp_path}/gut\u00e9.png": "",
    }
