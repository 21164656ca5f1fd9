"""The hash of a model's weights changes with the weights, and not with their place."""

import shutil
from pathlib import Path

import pytest

from bigans.models.fingerprint import fingerprint
from sr_program.errors import DataError
from sr_program.model_facts import ModelFacts, write_facts


def test_the_shipped_models_differ() -> None:
    parts = ("fused", "faithful", "vivid")
    names = [f"pretrained:{pair}:{part}" for pair in ("photo", "clean") for part in parts]
    names.append("pretrained:stage1")
    assert len({fingerprint(name) for name in names}) == len(names)
    for part in parts:
        assert fingerprint(f"pretrained:{part}") == fingerprint(f"pretrained:photo:{part}")
    assert fingerprint("pretrained") == fingerprint("pretrained:fused")


def test_a_directory_with_facts(tmp_path: Path) -> None:
    for number, weights in ((1, "a" * 64), (10, "b" * 64)):
        (tmp_path / str(number)).mkdir()
        write_facts(tmp_path / str(number), ModelFacts(scale=4, weights=weights))
    assert fingerprint(tmp_path) == "b" * 16  # the latest
    assert fingerprint(tmp_path / "1") == "a" * 16


def test_a_directory_without_facts(tmp_path: Path) -> None:
    model = tmp_path / "model" / "1"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"graph")
    before = fingerprint(tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "copy")
    assert fingerprint(tmp_path / "copy") == before
    (model / "saved_model.pb").write_bytes(b"other graph")
    assert fingerprint(tmp_path / "model") != before


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        fingerprint(tmp_path / "missing")
