"""One grammar for all command lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from bigans.models.names import (
    METHOD_HELP,
    MODEL_HELP,
    PARTS,
    ModelName,
    of_pair,
    parse,
    require_model,
)
from sr_program.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("pretrained", ModelName("pretrained", "fused"), "pretrained"),
        ("pretrained:fused", ModelName("pretrained", "fused"), "pretrained"),
        ("pretrained:faithful", ModelName("pretrained", "faithful"), "pretrained:faithful"),
        ("pretrained:stage1", ModelName("pretrained", "stage1", "clean"), "pretrained:stage1"),
        ("pretrained:photo", ModelName("pretrained", "fused", "photo"), "pretrained:photo"),
        ("pretrained:clean:fused", ModelName("pretrained", "fused", "clean"), "pretrained:clean"),
        (
            "pretrained:photo:vivid",
            ModelName("pretrained", "vivid", "photo"),
            "pretrained:photo:vivid",
        ),
        (
            "pretrained:clean:stage1",
            ModelName("pretrained", "stage1", "clean"),
            "pretrained:stage1",
        ),
        ("bicubic", ModelName("bicubic"), "bicubic"),
        ("HR", ModelName("HR"), "HR"),
        ("folder:a", ModelName("folder", "a"), "folder:a"),
        ("folder:a:b/c", ModelName("folder", "a:b/c"), "folder:a:b/c"),
        ("models/fused", ModelName("directory", "models/fused"), "models/fused"),
        ("./pretrained", ModelName("directory", "./pretrained"), "./pretrained"),
        (".", ModelName("directory", "."), "."),
    ],
)
def test_names(text: str, expected: ModelName, written: str) -> None:
    assert parse(text) == expected
    assert str(expected) == written
    assert parse(written) == expected


def test_a_word_is_a_directory_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"unknown model=mine; write .* \(./mine\), pretrained"):
        parse("mine")
    for name in ("mine", "pretrained", "bicubic", "vivid"):
        (tmp_path / name).mkdir()
    assert parse("mine") == ModelName("directory", "mine")
    # A name stays a name; a path object is always a path.
    assert parse("pretrained").kind == "pretrained" and parse("bicubic").kind == "bicubic"
    assert parse(Path("pretrained")) == ModelName("directory", "pretrained")
    with pytest.raises(UsageError, match="write pretrained:vivid"):
        parse("vivid")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown stage1="),
        ("hr", "unknown stage1=hr"),
        ("Pretrained", "unknown stage1=Pretrained"),
        ("pretrained:", "unknown stage1=pretrained:; choose one of pretrained, pretrained:photo"),
        ("pretrained:vivid:photo", "unknown stage1=pretrained:vivid:photo; choose one of"),
        ("pretrained:photo:", "unknown stage1=pretrained:photo:; choose one of"),
        ("pretrained:photo:photo", "unknown stage1=pretrained:photo:photo; choose one of"),
        ("pretrained:photo:vivid:x", "unknown stage1=pretrained:photo:vivid:x; choose one of"),
        (
            "pretrained:photo:stage1",
            "there is one first stage; write pretrained:stage1",
        ),
        ("bicubic:4", "unknown stage1=bicubic:4"),
        ("folder:", "stage1=folder: lacks its path"),
        ("faithful", "unknown stage1=faithful; write pretrained:faithful"),
    ],
)
def test_what_is_no_name(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse(text, "stage1")
    assert "--" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pretrained", "pretrained:clean"),
        ("pretrained:vivid", "pretrained:clean:vivid"),
        ("pretrained:clean", "pretrained:clean"),
        ("pretrained:stage1", "pretrained:stage1"),
    ],
)
def test_a_program_is_told_the_pair(name: str, expected: str) -> None:
    for given in (False, True):
        assert of_pair(name, "clean", given=given) == expected


@pytest.mark.parametrize("name", ["pretrained:photo", "models/fused", "server:a:1", "bicubic"])
def test_weights_that_have_no_effect_are_refused_if_somebody_asked_for_them(name: str) -> None:
    assert of_pair(name, "clean", given=False) == name
    with pytest.raises(UsageError, match=rf"weights=clean has no effect on model={name}; leave"):
        of_pair(name, "clean", given=True)


def test_a_name_without_a_pair_is_for_photos() -> None:
    assert parse("pretrained:vivid").weights == "photo"
    assert parse("pretrained:stage1").weights == "clean"


def test_what_needs_no_model() -> None:
    for text in ("bicubic", "HR", "folder:x"):
        assert not parse(text).has_model
        with pytest.raises(UsageError, match=f"model={text} is not a model"):
            require_model(parse(text))
    for text in ("pretrained", "a/b"):
        require_model(parse(text))


def test_the_helps_name_everything() -> None:
    for word in ("pretrained", *PARTS[1:], "DIR"):
        assert word in MODEL_HELP and word in METHOD_HELP
    for word in ("bicubic", "HR", "folder:DIR"):
        assert word in METHOD_HELP


def test_names_need_no_numpy(subprocess_environment: dict[str, str]) -> None:
    code = "import sys, bigans.models.names; print({'numpy', 'tensorflow'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], env=subprocess_environment, capture_output=True, text=True
    )
    assert result.stdout == "set()\n", result.stderr
