"""A batch does what a plain loop does; a rerun does what is left."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from bigans.batch import running
from bigans.batch.running import Summary, run
from bigans.upscaler.enlarging import Enlarging
from sr_images.luma import rgb_to_y
from sr_images.niqe import Niqe
from sr_program.errors import DataError, UsageError
from tests.test_bigans.batch.conftest import draw_photos, files_in
from tests.test_bigans.batch.toy import plain_loop, toy_batch


def done(batch: Any) -> Summary:
    lines: list[str] = []
    summary = run(batch, lines.append)
    assert lines == []
    return summary


def test_processes_make_what_a_plain_loop_makes(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "in", 12)
    plain_loop(photos, tmp_path / "plain")
    assert done(toy_batch(tmp_path / "in", tmp_path / "out")) == Summary(12, 0, 0, 0, 0)
    assert files_in(tmp_path / "out") == files_in(tmp_path / "plain")
    rows = parquet.read_table(tmp_path / "out" / "manifest.parquet").to_pylist()
    assert [row["output"] for row in rows] == sorted(f"{path.stem}_x4.png" for path in photos)
    for row in rows:
        result = tmp_path / "out" / row["output"]
        assert row["bytes"] == result.stat().st_size
        with Image.open(result) as image:
            assert (row["width"], row["height"]) == image.size


def test_a_rerun_does_what_has_changed_and_nothing_else(tmp_path: Path, in_threads: None) -> None:
    photos = draw_photos(tmp_path / "in", 8)
    batch = toy_batch(tmp_path / "in", tmp_path / "out")
    assert done(batch).done == 8
    assert done(batch) == Summary(0, 8, 0, 0, 0)
    shutil.copy(photos[0], photos[1])  # another photo
    (tmp_path / "out" / "0002_x4.png").unlink()  # a result is gone
    (tmp_path / "out" / "0003_x4.png").write_bytes(b"cut")  # or damaged
    assert done(batch) == Summary(3, 5, 0, 0, 0)
    other = toy_batch(tmp_path / "in", tmp_path / "out", enlarging=Enlarging(xi=0.25))
    assert done(other) == Summary(8, 0, 0, 0, 0)
    plain_loop(photos, tmp_path / "plain", Enlarging(xi=0.25))
    assert files_in(tmp_path / "out") == files_in(tmp_path / "plain")


@pytest.mark.parametrize("how", ["folder", "around", "pattern", "list", "link"])
def test_no_photo_lies_where_results_go(tmp_path: Path, in_threads: None, how: str) -> None:
    """The result of cat.png would replace cat_x4.png, and the next run would enlarge it again."""
    folder = tmp_path / "photos"
    photos = draw_photos(folder / "new", 2)
    photos[1].rename(photos[0].with_stem(f"{photos[0].stem}_x4"))
    (tmp_path / "list.txt").write_text(f"{photos[0]}\n")
    (tmp_path / "link").symlink_to(folder / "new")
    source, output = {
        "folder": (folder / "new", folder / "new"),
        "around": (folder / "new", folder),
        "pattern": (folder / "**" / "*.png", folder / "new"),
        "list": (f"@{tmp_path / 'list.txt'}", folder / "new"),
        "link": (tmp_path / "link", folder / "new"),
    }[how]
    before = files_in(folder)
    if how == "pattern":  # a folder of results inside of the photos' is passed over
        (folder / "old.png").write_bytes(photos[0].read_bytes())
        assert done(toy_batch(source, output)).done == 1
        assert before.items() <= files_in(folder).items()
        return
    with pytest.raises(UsageError, match="lies in the folder of results, output="):
        run(toy_batch(source, output), lambda line: None)
    assert files_in(folder) == before


def test_photos_of_a_store_lie_in_no_folder(
    tmp_path: Path, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address is no path below the folder that the program runs in."""
    [photo] = draw_photos(tmp_path / "in", 1)
    store = fsspec.filesystem("memory")
    store.pipe("/of_a_store/a.png", photo.read_bytes())
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    try:
        assert done(toy_batch("memory://of_a_store", ".")).done == 1
    finally:
        store.rm("/of_a_store", recursive=True)


def test_what_cannot_be_done_is_said_as_well_as_listed(tmp_path: Path, in_threads: None) -> None:
    photos = draw_photos(tmp_path / "in", 2)
    shutil.copy(photos[0], tmp_path / "in" / os.fsdecode(b"gr\xfcn.png"))
    said: list[str] = []
    summary = run(toy_batch(tmp_path / "in", tmp_path / "out"), said.append)
    assert (summary.done, summary.failed) == (2, 1)
    [line] = said
    assert line.endswith("its name is not UTF-8; rename it")


def test_a_table_has_a_xi_for_each_photo(tmp_path: Path, in_threads: None) -> None:
    photos = draw_photos(tmp_path / "in", 3)
    table = tmp_path / "in" / "table.csv"
    table.write_text("path,xi\n0000.png,0.25\n0001.png,\n0002.png,2\n")
    said: list[str] = []
    summary = run(toy_batch(table, tmp_path / "out"), said.append)
    assert summary == Summary(2, 0, 1, 0, 0)
    plain_loop(photos[:1], tmp_path / "plain", Enlarging(xi=0.25))
    plain_loop(photos[1:2], tmp_path / "plain")
    found = files_in(tmp_path / "out")
    failed = json.loads(found.pop("failed.jsonl"))
    assert "xi is '2'" in failed["reason"] and failed["input"].endswith("0002.png")
    assert found == files_in(tmp_path / "plain")


def test_how_natural_results_look(tmp_path: Path, in_threads: None, niqe_file: Path) -> None:
    (tmp_path / "in").mkdir()
    random = np.random.default_rng(3)
    for name, side in (("large", 56), ("small", 8)):
        pixels = random.integers(0, 256, (side, side + 4, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{name}.png")

    out = tmp_path / "out"
    asked = toy_batch(tmp_path / "in", out, niqe=str(niqe_file))
    assert done(toy_batch(tmp_path / "in", out)).done == 2
    assert done(asked).done == 2  # what was not measured is made again
    assert done(asked).skipped == 2
    rows = parquet.read_table(out / "manifest.parquet").to_pylist()
    large, small = (row["niqe"] for row in rows)
    rgb = np.asarray(Image.open(out / "large_x4.png"))
    assert large == Niqe(niqe_file)(rgb_to_y(rgb)[4:-4, 4:-4])
    assert math.isnan(small)  # NIQE needs blocks of 96 pixels
    assert done(toy_batch(tmp_path / "in", out)).skipped == 2


def spoil(folder: Path) -> list[Path]:
    """Twenty files that are no photos, of different kinds."""
    good = draw_photos(folder.parent / "good", 1)[0]
    content = good.read_bytes()
    jpeg, tiff, webp, gif = (folder / f"whole.{end}" for end in ("jpg", "tif", "webp", "gif"))
    with Image.open(good) as image:
        large = image.resize((64, 64))
        for path in (jpeg, tiff, webp, gif):
            large.save(path)
    texts = {
        "empty.png": b"",
        "text.jpg": b"no photo",
        "head.png": content[:8],
        "half.png": content[: len(content) // 2],
        "flipped.png": content[:60] + bytes(20) + content[80:],
        "zeros.tif": bytes(500),
        "riff.webp": b"RIFF\x10\0\0\0WEBPVP8 ",
        "gif.gif": b"GIF89a\xff\xff\xff\xff\0\0\0",
        "bmp.bmp": b"BM" + bytes(60),
        "jp2.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
        "heic.heic": b"\0\0\0\x18ftypheic" + bytes(40),
        "avif.avif": b"\0\0\0\x18ftypavif" + bytes(40),
        "jxl.jxl": b"\xff\x0a" + bytes(9),
        "npy.npy": b"\x93NUMPY\x01\0\x10\0nothing",
        "html.png": b"<html>404</html>",
        "cut.jpg": jpeg.read_bytes()[:100],
        "cut.tif": tiff.read_bytes()[:100],
        "cut.webp": webp.read_bytes()[:60],
    }
    for path in (jpeg, tiff, webp, gif):
        path.unlink()
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    (folder / "broken_link.png").symlink_to(folder / "nowhere")
    (folder / "bomb.png").write_bytes(_huge(content))
    return [folder / name for name in [*texts, "broken_link.png", "bomb.png"]]


def _huge(png: bytes) -> bytes:
    head = b"IHDR" + struct.pack(">LL", 2**30, 2**30) + png[24:29]
    return png[:12] + head + struct.pack(">L", zlib.crc32(head)) + png[33:]


def test_bad_files_are_listed_and_nothing_else_is_lost(tmp_path: Path, in_threads: None) -> None:
    photos = draw_photos(tmp_path / "in", 10)
    bad = spoil(tmp_path / "in")
    assert len(bad) == 20
    said: list[str] = []
    assert run(toy_batch(tmp_path / "in", tmp_path / "out"), said.append) == Summary(
        10, 0, 20, 0, 0
    )
    plain_loop(photos, tmp_path / "plain")
    found = files_in(tmp_path / "out")
    lines = [json.loads(line) for line in found.pop("failed.jsonl").decode().splitlines()]
    assert {line["input"] for line in lines} == {str(path) for path in bad}
    for line in lines:
        assert line["input"] in line["reason"] and "\n" not in line["reason"]
    assert sorted(said) == sorted(line["reason"] for line in lines)
    assert found == files_in(tmp_path / "plain")
    for path in bad:
        path.unlink()
    assert done(toy_batch(tmp_path / "in", tmp_path / "out")) == Summary(0, 10, 0, 0, 0)
    assert "failed.jsonl" not in files_in(tmp_path / "out")


@pytest.mark.parametrize(("most", "failed"), [(4, 5), (0, 1)])
def test_too_many_failures_stop_a_run(
    tmp_path: Path, in_threads: None, most: int, failed: int
) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(b"")
    said: list[str] = []
    batch = toy_batch(tmp_path / "*.png", tmp_path / "out", max_failures=most)
    assert run(batch, said.append) == Summary(0, 0, failed, 30 - failed, 0)
    assert f"max_failures={most}" in said[-1]


def test_a_run_that_only_fails_stops(tmp_path: Path, in_threads: None) -> None:
    for number in range(120):
        (tmp_path / f"{number}.png").write_bytes(b"")
    said: list[str] = []
    assert run(toy_batch(tmp_path / "*.png", tmp_path / "out"), said.append).left == 20
    assert "the first 100 photos all failed" in said[-1]


def no_model(*_: Any) -> Any:
    raise DataError("no such model")


def test_a_model_that_cannot_be_loaded_ends_the_run(tmp_path: Path) -> None:
    draw_photos(tmp_path / "in", 5)
    batch = toy_batch(tmp_path / "in", tmp_path / "out")
    batch = dataclasses.replace(batch, make=dataclasses.replace(batch.make, load=no_model))  # pyright: ignore
    with pytest.raises(DataError, match=r"^no such model$"):
        run(batch, lambda line: None)
    assert not [*(tmp_path / "out").iterdir()]


def test_one_folder_has_one_run_at_a_time(
    tmp_path: Path, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_photos(tmp_path / "in", 1)
    batch = toy_batch(tmp_path / "in", tmp_path / "out")
    write = running.write_manifest

    def second(*arguments: Any) -> None:
        with pytest.raises(DataError, match="another batch is writing"):
            run(batch, lambda line: None)
        write(*arguments)

    monkeypatch.setattr(running, "write_manifest", second)
    assert done(batch).done == 1


@pytest.mark.parametrize(
    ("source", "error", "complaint"),
    [
        ("", UsageError, "input= is missing"),
        ("nowhere", DataError, "no such file or folder"),
        ("nowhere/*.png", DataError, "no such folder"),
        ("in/*.tif", DataError, "holds no photo"),
        ("gopher://x/*.png", UsageError, "gopher"),
        ("@in/0000.png", DataError, "UTF-8"),
        ("bad.csv", DataError, "no column of paths"),
        ("bad.parquet", DataError, "no Parquet file"),
    ],
)
def test_what_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: Any, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_photos(tmp_path / "in", 1)
    Path("bad.csv").write_text("name,size\nx,1\n")
    Path("bad.parquet").write_text("nothing")
    with pytest.raises(error, match=complaint):
        run(toy_batch(source, "out"), lambda line: None)


def test_a_manifest_of_something_else_is_not_overwritten(tmp_path: Path, in_threads: None) -> None:
    draw_photos(tmp_path / "in", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.parquet").write_text("mine")
    with pytest.raises(DataError, match=r"manifest\.parquet: is not a manifest"):
        run(toy_batch(tmp_path / "in", tmp_path / "out"), lambda line: None)
    assert (tmp_path / "out" / "manifest.parquet").read_text() == "mine"
