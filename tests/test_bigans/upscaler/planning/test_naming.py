"""Results of different photos have different names, and photos keep theirs."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigans.upscaler.planning import naming
from bigans.upscaler.planning.naming import name_results
from bigans.upscaler.planning.photos import Photo


def names(*photos: str, output: str = "out") -> list[str]:
    found = name_results([Photo(Path(path)) for path in photos], Path(output), "_x4", ".png")
    return [path.relative_to(output).as_posix() for path in found.results]


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        (["a.png", "b.jpg"], ["a_x4.png", "b_x4.png"]),
        (["a.png", "a.jpg", "b.png"], ["a_png_x4.png", "a_jpg_x4.png", "b_x4.png"]),
        (["a", "a.jpg"], ["a_x4.png", "a_jpg_x4.png"]),
        (["a.b.png", "a.c.png"], ["a.b_x4.png", "a.c_x4.png"]),
        (
            ["cam1/1.png", "cam2/1.png", "cam2/2.png"],
            ["cam1/1_x4.png", "cam2/1_x4.png", "cam2/2_x4.png"],
        ),
        (["1.png", "cam/1.png"], ["1_x4.png", "cam/1_x4.png"]),
        (["x/../1.png", "cam/1.png"], ["1_x4.png", "cam/1_x4.png"]),
        (["a/1.png", "a/1.jpg", "b/1.jpg"], ["a/1_png_x4.png", "a/1_jpg_x4.png", "b/1_x4.png"]),
        # The name that would be free is another photo's.
        (["a.png", "a.jpg", "a_jpg.png"], ["a_png_x4.png", "a_jpg_2_x4.png", "a_jpg_x4.png"]),
    ],
)
def test_names(photos: list[str], expected: list[str]) -> None:
    assert names(*photos) == expected


def test_folders_are_kept() -> None:
    photos = [Photo(Path("in/a/1.png"), Path("a")), Photo(Path("in/b/1.png"), Path("b"))]
    found = name_results(photos, Path("out"), "", ".jpg")
    assert found == ([Path("out/a/1.jpg"), Path("out/b/1.jpg")], [])


def test_it_is_told() -> None:
    photos = [Photo(Path(path)) for path in ("a.png", "a.jpg", "b.png")]
    (note,) = name_results(photos, Path("out"), "_x4", ".png").notes
    assert "a.png -> a_png_x4.png" in note and "a.jpg -> a_jpg_x4.png" in note
    assert "b.png" not in note
    photos = [Photo(Path(path)) for path in ("cam1/1.png", "cam2/1.png")]
    (note,) = name_results(photos, Path("out"), "_x4", ".png").notes
    assert "cam1/1.png and cam2/1.png" in note and "out" in note


def test_disks_that_ignore_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names("a.png", "A.png", "é.png", "e\u0301.png") == [
        "a_x4.png", "A_x4.png", "é_x4.png", "e\u0301_x4.png",
    ]  # fmt: skip
    monkeypatch.setattr(naming, "ignores_case", lambda folder: True)
    found = names("a.png", "A.png", "é.png", "e\u0301.png")
    assert found == ["a_png_x4.png", "A_png_2_x4.png", "é_png_x4.png", "e\u0301_png_2_x4.png"]


PATHS = st.builds(
    lambda folders, stem, suffix: "/".join([*folders, stem + suffix]),
    st.lists(st.sampled_from(["a", "b"]), max_size=2),
    st.sampled_from(["a", "A", "a_png", "a_jpg", "a_jpg_2", "a_2"]),
    st.sampled_from(["", ".png", ".jpg", ".PNG"]),
)


@given(st.lists(PATHS, unique=True, max_size=12), st.booleans())
def test_no_name_twice(photos: list[str], case_ignored: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "ignores_case", lambda folder: case_ignored)
        found = names(*photos)
    keys = [os.path.normpath(name) for name in found]
    keys = [key.lower() for key in keys] if case_ignored else keys
    assert len(set(keys)) == len(photos)
    for photo, result in zip(photos, found, strict=True):
        assert Path(result).name.startswith(Path(photo).stem)
    # The order of the photos does not matter where no number has to tell them apart.
    if not any(number in name for name, number in itertools.product(found, ("_2_x4", "_3_x4"))):
        assert names(*reversed(photos)) == found[::-1] or case_ignored
