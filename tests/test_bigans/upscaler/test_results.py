import os
from pathlib import Path

import pytest

from bigans.upscaler.results import plan
from sr_program.errors import DataError, UsageError


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with photos/{a.png, b.JPG, notes.txt, .hidden.png, inner/c.png}."""
    folder = tmp_path / "photos"
    (folder / "inner").mkdir(parents=True)
    for name in ("a.png", "b.JPG", "notes.txt", ".hidden.png", "inner/c.png"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    return folder


def names(arguments: list[str], output: str) -> list[tuple[str, str]]:
    return [(task.photo.as_posix(), task.result.as_posix()) for task in plan(arguments, output)]


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
        (["photos/a.png"], "out.gif", "cannot write this format"),
        (["photos/a.png"], "results.v2", "slash"),
        (["photos/a.png", "photos/a.png"], "out", "both be written to out/a_x4.png"),
        (["photos/a.png", "a.jpg"], "out", "both be written to out/a_x4.png"),
        (["photos", "photos/notes.txt", "photos/b.JPG"], "out", "both be written"),
        (["photos/a.png"], "photos/a.png", "is one of the photos"),
        (["photos/a.png"], "photos/../photos/a.png", "is one of the photos"),
    ],
)
def test_commands_that_make_no_sense(
    photos: Path, arguments: list[str], output: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan(arguments, output)


def test_a_result_never_replaces_a_photo_under_another_name(photos: Path) -> None:
    os.link(photos / "a.png", photos / "link.png")
    with pytest.raises(UsageError, match="is one of the photos"):
        plan(["photos/a.png"], "photos/link.png")
    (photos / "a_x4.png").touch()  # from a run before
    with pytest.raises(UsageError, match="photos/a_x4.png is one of the photos"):
        plan(["photos"], "photos")


def test_an_old_result_may_be_replaced(photos: Path) -> None:
    Path("out").mkdir()
    Path("out/a_x4.png").touch()
    assert names(["photos/a.png"], "out") == [("photos/a.png", "out/a_x4.png")]


def test_a_folder_without_photos(photos: Path) -> None:
    Path("empty").mkdir()
    with pytest.raises(DataError, match="empty: holds no image"):
        plan(["empty"], "out")
