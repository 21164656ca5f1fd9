import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bigans.upscaler.planning.plan import Order, plan
from sr_images.attributes.settings import added
from sr_images.encoding import Encoding
from sr_images.picture import Attributes
from sr_program.errors import DataError, UsageError


def packet(record: Mapping[str, str]) -> bytes:
    """A file with a record in its XMP."""
    xmp = added(Attributes(), "JPEG", record).xmp
    assert xmp is not None
    return xmp


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with photos/{a.png, b.JPG, notes.txt, .hidden.png, inner/c.png}."""
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.png", "b.JPG", "notes.txt", ".hidden.png", "inner/c.png"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    return folder


def names(arguments: list[str], output: str, **order: Any) -> list[tuple[str, str]]:
    tasks = plan(arguments, Order(output=output, **order)).tasks
    return [(task.photo.as_posix(), task.result.as_posix()) for task in tasks]


@pytest.mark.parametrize("output", ["big.png", "new/folder/big.jpeg", "BIG.PNG", "x.webp"])
def test_one_photo_to_a_file(photos: Path, output: str) -> None:
    assert names(["photos/a.png"], output) == [("photos/a.png", output)]


@pytest.mark.parametrize("output", ["out", "out/", "out.png/", "v1.2/out"])
def test_one_photo_to_a_folder(photos: Path, output: str) -> None:
    result = f"{output.rstrip('/')}/a_x4.png"
    assert names(["photos/a.png"], output) == [("photos/a.png", result)]


def test_a_folder_is_a_folder_whatever_its_name(photos: Path) -> None:
    Path("out.png").mkdir()
    assert names(["photos/a.png"], "out.png") == [("photos/a.png", "out.png/a_x4.png")]


def test_a_folder_of_photos(photos: Path) -> None:
    expected = [("photos/a.png", "out/a_x4.png"), ("photos/b.JPG", "out/b_x4.png")]
    assert names(["photos"], "out") == expected
    assert names(["photos", "photos/inner"], "out") == [
        *expected,
        ("photos/inner/c.png", "out/c_x4.png"),
    ]


def test_a_format_for_all(photos: Path) -> None:
    webp = {"encoding": Encoding(format="webp", quality=80), "suffix": "_large"}
    expected = [("photos/a.png", "out/a_large.webp"), ("photos/b.JPG", "out/b_large.webp")]
    assert names(["photos"], "out", **webp) == expected
    found = plan(["photos"], Order(output="out", **webp))  # pyright: ignore[reportArgumentType]
    assert {task.encoding.quality for task in found.tasks} == {80}
    assert names(["photos/a.png"], "a.WEBP", **webp) == [("photos/a.png", "a.WEBP")]
    with pytest.raises(UsageError, match="output=a.png and format=webp contradict each other"):
        names(["photos/a.png"], "a.png", **webp)


def test_a_folder_of_one_photo_may_go_to_a_file(photos: Path) -> None:
    assert names(["photos/inner"], "big.png") == [("photos/inner/c.png", "big.png")]


def test_several_photos_go_to_a_folder_with_a_dot(photos: Path) -> None:
    assert names(["photos"], "results.v2")[0][1] == "results.v2/a_x4.png"


def test_missing_photos_are_kept_for_later(photos: Path) -> None:
    assert names(["missing.png"], "out") == [("missing.png", "out/missing_x4.png")]


@pytest.mark.parametrize(
    ("arguments", "output", "message"),
    [
        (["photos"], "out.png", "one file, for 2 photos"),
        (["photos/a.png"], "out.psd", "cannot write this format"),
        (["photos/a.png"], "results.v2", "slash"),
        (["photos/a.png"], "photos/a.png", "is one of the photos"),
        (["photos/a.png"], "photos/../photos/a.png", "is one of the photos"),
    ],
)
def test_commands_that_make_no_sense(
    photos: Path, arguments: list[str], output: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan(arguments, Order(output=output))


def test_a_result_never_replaces_a_photo_under_another_name(photos: Path) -> None:
    os.link(photos / "a.png", photos / "link.png")
    with pytest.raises(UsageError, match="is one of the photos"):
        plan(["photos/a.png"], Order(output="photos/link.png"))
    (photos / "a_x4.png").touch()  # a photo: it holds no record
    with pytest.raises(UsageError, match="photos/a_x4.png is one of the photos"):
        plan(["photos"], Order(output="photos"))


def test_an_old_result_may_be_replaced(photos: Path) -> None:
    Path("out").mkdir()
    Path("out/a_x4.png").touch()
    assert names(["photos/a.png"], "out") == [("photos/a.png", "out/a_x4.png")]


def test_a_folder_without_photos(photos: Path) -> None:
    Path("empty").mkdir()
    with pytest.raises(DataError, match="empty: holds no image"):
        plan(["empty"], Order(output="out"))
    found = plan(["empty", "photos/a.png"], Order(output="out"))
    assert [task.photo.name for task in found.tasks] == ["a.png"]
    assert found.problems == ["empty: holds no image that can be read"]


def test_a_photo_that_is_named_twice(photos: Path) -> None:
    one = [("photos/a.png", "out/a_x4.png")]
    assert names(["photos/a.png", "photos/a.png", "photos/../photos/a.png"], "out") == one
    assert names(["missing.png", "missing.png"], "out") == [("missing.png", "out/missing_x4.png")]
    assert len(names(["photos", "photos/a.png", "photos/b.JPG"], "out")) == 2
    (photos / "z.png").symlink_to("a.png")
    os.link(photos / "a.png", photos / "inner/hard.png")
    found = plan(["photos", "photos/inner/hard.png"], Order(output="out"))
    assert [task.photo.name for task in found.tasks] == ["a.png", "b.JPG"]
    for link in ("photos/z.png", "photos/inner/hard.png"):
        assert f"{link} is photos/a.png, which is taken once" in found.notes


def test_folders_with_their_structure(photos: Path) -> None:
    expected = [
        ("photos/a.png", "out/a_x4.png"),
        ("photos/b.JPG", "out/b_x4.png"),
        ("photos/inner/c.png", "out/inner/c_x4.png"),
    ]
    assert names(["photos"], "out", recursive=True) == expected
    assert plan(["photos"], Order(output="out", recursive=True)).notes == []


def test_results_inside_of_the_folder_are_no_photos(photos: Path) -> None:
    inside = photos / "out"
    inside.mkdir()
    (inside / "a_x4.png").touch()
    expected = [("photos/a.png", "photos/out/a_x4.png"), ("photos/b.JPG", "photos/out/b_x4.png")]
    assert names(["photos"], "photos/out", recursive=True)[:2] == expected
    note = plan(["photos"], Order(output="photos/out")).notes[0]
    assert note == "photos: 2 of 3 pictures taken; 1 folder left out"


def test_what_is_left_out_is_told(photos: Path) -> None:
    for name in ("6.dng", "7.psd", "8.CR2", "9.svg", "inner/x.dng"):
        (photos / name).touch()
    (photos / "empty/deep").mkdir(parents=True)
    (photos / "more/deep").mkdir(parents=True)
    (photos / "more/deep/y.png").touch()
    (note,) = plan(["photos"], Order(output="out")).notes
    assert note == (
        "photos: 2 of 9 pictures taken; 6.dng, 7.psd, 8.CR2, 1 more and 2 folders left out"
    )
    (note,) = plan(["photos"], Order(output="out", recursive=True)).notes
    assert note == "photos: 4 of 9 pictures taken; 6.dng, 7.psd, 8.CR2, 2 more left out"


def test_own_results_beside_their_photos_are_left_out(photos: Path) -> None:
    record = packet({"xi": "0.73"})
    own = ("a_x4.png", "a_2000x100.webp", "a_png_x1.5_2.png", "b_x8_3.tif", "b_large.jpg")
    others = ("c_x4.png", "x4.png", "_x4.png", "photo_x4.png")
    for name in (*own, *others):
        (photos / name).write_bytes(record)
    (photos / "b_x4.png").touch()  # a photo of the same name
    found = plan(["photos"], Order(output="out", suffix="_large"))
    taken = {task.photo.name for task in found.tasks}
    assert taken == {"a.png", "b.JPG", "b_x4.png", *others}
    assert "5 results of this program left out" in found.notes[0]


def test_a_folder_may_be_its_own_output(photos: Path) -> None:
    (photos / "a_x4.png").write_bytes(packet({"xi": "0.73"}))
    assert names(["photos"], "photos") == [
        ("photos/a.png", "photos/a_x4.png"),
        ("photos/b.JPG", "photos/b_x4.png"),
    ]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs a user who may not read everything: run the tests as one who is not root",
)
def test_a_folder_that_cannot_be_read(photos: Path) -> None:
    (photos / "inner").chmod(0)
    try:
        found = plan(["photos"], Order(output="out", recursive=True))
    finally:
        (photos / "inner").chmod(0o700)
    assert len(found.tasks) == 2
    assert found.problems == ["photos/inner: Permission denied"]


@pytest.mark.parametrize("report", ["photos/a.png", "photos/b.JPG", "link.json", "out/a_x4.png"])
def test_a_report_never_replaces_a_photo_or_a_result(photos: Path, report: str) -> None:
    Path("link.json").symlink_to("photos/a.png")
    with pytest.raises(UsageError, match=f"report={report} is a photo or a result"):
        plan(["photos"], Order(output="out"), Path(report))
    assert plan(["photos"], Order(output="out"), Path("out/report.json")).tasks


def test_a_report_never_replaces_a_renamed_result(photos: Path) -> None:
    Path("out").mkdir()
    Path("out/a_x4.png").touch()
    order = Order(output="out", exists="rename")
    assert plan(["photos"], order).tasks[0].result == Path("out/a_x4_2.png")
    with pytest.raises(UsageError, match="is a photo or a result"):
        plan(["photos"], order, Path("out/a_x4_2.png"))


def test_a_name_that_is_empty(photos: Path) -> None:
    with pytest.raises(UsageError, match="the name of a photo is empty"):
        plan(["photos/a.png", ""], Order(output="out"))


def test_pipes_are_not_opened(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    os.mkfifo(photos / "pipe")
    assert len(names(["photos"], "out")) == 2
    found = plan(["photos/a.png", "photos/pipe.png"], Order(output="out"))
    assert len(found.tasks) == 1
    assert found.problems == [
        "photos/pipe.png: is a pipe or a device; give its content on standard input, as -"
    ]
    with pytest.raises(DataError, match="is a pipe or a device"):
        plan(["photos/pipe.png"], Order(output="out"))


def test_a_result_with_too_long_a_name(photos: Path) -> None:
    long = photos / f"{'ä' * 125}.png"  # 254 bytes
    long.touch()
    found = plan(["photos"], Order(output="out", exists="skip"))
    assert [task.photo.name for task in found.tasks] == ["a.png", "b.JPG"]
    assert found.problems == [
        f"{long.relative_to(photos.parent)}: the name of its result is too long; name the result "
        "by output=FILE"
    ]
    assert len(names([f"photos/{long.name}"], "out.png")) == 1
