import sys
from pathlib import Path

import pytest

from bigans.models.names import METHOD_HELP, PARTS
from bigans.models.runtime import Computing
from bigans.pretrained.saved_models import SavedModels
from evaluation.methods.choice import (
    check_fused_model,
    check_generator,
    check_model,
    open_model,
)
from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.method import Bicubic, Fused, Generator, Method, Original, ResultsFolder
from sr_images.image_io import write_rgb
from sr_program.errors import DataError, UsageError

POINTS = [FusionPoint("0.3", "quantile", 0.3), FusionPoint("8", "absolute", 8)]


def opened(name: object, **more) -> Method:
    return open_model(str(name), points=POINTS, **more)


@pytest.fixture
def shipped(monkeypatch, faithful_dir, vivid_dir, fused_dir) -> None:
    """The weights that come with the program, as if they were the drawn generators."""
    models = SavedModels(faithful_dir / "1", vivid_dir / "1", fused_dir / "1")
    monkeypatch.setattr("bigans.pretrained.saved_models.saved_models", lambda *_, **__: models)
    monkeypatch.setattr(
        "bigans.pretrained.saved_models.stage_1_model", lambda *_, **__: vivid_dir / "1"
    )


def test_the_original() -> None:
    assert isinstance(opened("HR"), Original)
    assert opened("HR").variants == ("HR",)
    assert opened("HR", label="original").variants == ("original",)


def test_bicubic() -> None:
    assert isinstance(opened("bicubic"), Bicubic)
    assert opened("bicubic").variants == ("bicubic",)
    assert opened("bicubic", label="Cubic").variants == ("Cubic",)


def test_results(tmp_path, draw_photo) -> None:
    (tmp_path / "a:b").mkdir()
    write_rgb(tmp_path / "a:b" / "x.png", draw_photo(8, 8))
    found = opened(f"folder:{tmp_path}/a:b")
    assert isinstance(found, ResultsFolder) and found.variants == ("a:b",)
    assert opened(f"folder:{tmp_path}/a:b", label="theirs").variants == ("theirs",)


def test_a_fused_model(fused_dir) -> None:
    for directory in (fused_dir, fused_dir / "1"):
        found = opened(directory)
        assert isinstance(found, Fused) and found.variants == ("0.3", "8")


def test_a_generator(vivid_dir, monkeypatch) -> None:
    found = opened(vivid_dir)
    assert isinstance(found, Generator) and found.variants == ("wp",)
    assert opened(vivid_dir, label="x").variants == ("x",)
    monkeypatch.chdir(vivid_dir)
    assert opened(".").variants == ("wp",)


def test_self_ensemble(vivid_dir, fused_dir) -> None:
    for directory in (vivid_dir, fused_dir):
        identities = {opened(directory, ensemble=whether).identity for whether in (True, False)}
        assert len(identities) == 2


@pytest.mark.parametrize(
    ("name", "kind", "variants"),
    [
        ("pretrained", Fused, ("0.3", "8")),
        ("pretrained:fused", Fused, ("0.3", "8")),
        ("pretrained:faithful", Generator, ("MR-SRGAN",)),
        ("pretrained:vivid", Generator, ("WP-SRGAN",)),
        ("pretrained:stage1", Generator, ("WP-SRGAN, first stage",)),
    ],
)
def test_shipped_models(shipped, name, kind, variants) -> None:
    found = opened(name)
    assert isinstance(found, kind) and found.variants == variants


def test_a_shipped_model_is_the_one_that_was_asked_for(shipped, faithful_dir, vivid_dir) -> None:
    assert opened("pretrained:faithful").identity == opened(faithful_dir).identity
    assert opened("pretrained:vivid").identity == opened(vivid_dir).identity
    assert opened("pretrained:vivid", label="x").variants == ("x",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "pretraind",
            "unknown model=pretraind; write the dir.* the evaluation .* bicubic, HR and fold",
        ),
        ("", "unknown model="),
        ("bicubic:x", "unknown model=bicubic:x"),
        ("hr", "unknown model=hr"),
        ("vivid", "unknown model=vivid; write pretrained:vivid"),
        ("folder:", "lacks its path; write folder:DIR"),
        ("pretrained:", "unknown model=pretrained:; choose one of pretrained, pretrained:photo"),
        ("pretrained:sharp", "pretrained:faithful, pretrained:vivid, pretrained:stage1"),
    ],
)
def test_unknown_names(name, message) -> None:
    for look in (opened, check_model):
        with pytest.raises(UsageError, match=message):
            look(name)


def test_self_ensemble_without_a_model(tmp_path) -> None:
    for name in ("bicubic", "HR", f"folder:{tmp_path}"):
        for look in (opened, check_model):
            with pytest.raises(UsageError, match="self_ensemble turns the input of a model"):
                look(name, ensemble=True)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "no SavedModel"),
        ("damaged", "not a SavedModel that can be loaded"),
        ("other", "is not a fused model"),
        ("nowhere", "no such directory"),
        ("file.png", "no such directory"),
    ],
)
def test_what_is_no_model(not_models: dict[str, Path], kind, message) -> None:
    root = not_models["empty"].parent
    (root / "file.png").touch()
    with pytest.raises(DataError, match=message):
        opened(root / kind)


def test_what_can_be_told_without_loading(not_models, tmp_path, monkeypatch) -> None:
    """Neither TensorFlow, nor the shipped weights, nor a network is needed."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # an import fails
    for function in ("saved_models", "stage_1_model"):
        monkeypatch.delattr(f"bigans.pretrained.saved_models.{function}")
    for name in ("bicubic", "HR", "pretrained", *(f"pretrained:{part}" for part in PARTS)):
        check_model(name)
    check_fused_model("pretrained")
    nowhere, empty = tmp_path / "nowhere", not_models["empty"]
    for path, message in ((nowhere, "no such directory"), (empty, "no SavedModel")):
        for check in (check_model, check_fused_model):
            with pytest.raises(DataError, match=message):
                check(str(path))
    with pytest.raises(DataError, match="empty: holds no image"):
        check_model(f"folder:{empty}")
    for path in (not_models["damaged"], not_models["other"]):
        check_model(str(path))
        check_fused_model(str(path))


def test_the_help_names_every_choice() -> None:
    for word in ("bicubic", "HR", "folder:DIR", *PARTS[1:]):
        assert word in METHOD_HELP


@pytest.mark.parametrize("name", ["bicubic", "HR", "folder:x", "pretrained:vivid"])
def test_what_is_not_fused_by_its_name(name) -> None:
    with pytest.raises(UsageError, match=f"model={name} is not a fused model"):
        check_fused_model(name)


@pytest.mark.parametrize("name", ["bicubic", "HR", "folder:x", "pretrained"])
def test_what_is_no_single_generator_by_its_name(name) -> None:
    with pytest.raises(UsageError, match=f"stage1={name} is not a single generator"):
        check_generator(name, "stage1")


def test_a_runtime_for_what_is_not_computed(tmp_path, draw_photo) -> None:
    write_rgb(tmp_path / "x.png", draw_photo(8, 8))
    for name in ("bicubic", "HR", f"folder:{tmp_path}"):
        with pytest.raises(UsageError, match="runtime= has no effect"):
            check_model(name, computing=Computing(runtime="openvino"))
        with pytest.raises(UsageError, match="precision= has no effect"):
            check_model(name, computing=Computing(precision="bfloat16"))


def test_a_precision_of_an_exported_model(fused_dir) -> None:
    with pytest.raises(UsageError, match="precision=bfloat16 has no effect"):
        check_model(str(fused_dir), computing=Computing(precision="bfloat16"))
