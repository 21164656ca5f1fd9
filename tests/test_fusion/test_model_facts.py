"""The facts that exports write, and what is told of models that have none."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fusion.exporting import build
from fusion.formats.openvino_model import GENERATORS_FILE
from fusion.generator_model import load_saved_model
from fusion.model_facts import facts_of, saved_model_hash
from fusion.saved_model_folder import find_saved_model
from sr_program.errors import DataError
from sr_program.model_facts import FACTS_FILE, hash_of_parts, read_facts
from sr_program.version import VERSION
from tests.test_fusion.formats.test_formats import require

MODES = [("joint", "as_read"), ("per_channel", "as_read"), ("luma", "as_printed")]


@pytest.fixture(scope="module", params=MODES, ids=lambda modes: modes[0])
def fused(request: Any, faithful_dir: Path, vivid_dir: Path, tmp_path_factory: Any) -> Path:
    threshold, delta = request.param
    output = tmp_path_factory.mktemp(threshold)
    return build(faithful_dir, vivid_dir, output, threshold=threshold, delta=delta)


def test_of_a_fused_model(fused: Path, faithful_dir: Path, vivid_dir: Path) -> None:
    facts = read_facts(fused)
    assert facts is not None and facts == facts_of(load_saved_model(fused), fused)
    assert (facts.threshold, facts.delta) in MODES and facts.threshold == fused.parent.name[:-1]
    assert (facts.scale, facts.radius, facts.precision) == (4, None, "float32")
    parts = (saved_model_hash(directory / "1") for directory in (faithful_dir, vivid_dir))
    assert facts.weights == hash_of_parts(*parts)
    assert (facts.version, facts.generator) == (VERSION, None)


def test_a_model_without_facts_is_seen_through(fused: Path, tmp_path: Path) -> None:
    """An export of before there were facts: what a graph tells is what its export would write."""
    told = read_facts(fused)
    old = Path(shutil.copytree(fused, tmp_path / "old"))
    (old / FACTS_FILE).unlink()
    seen = facts_of(load_saved_model(old), old)
    for name in ("scale", "radius", "precision", "threshold", "delta"):
        assert getattr(seen, name) == getattr(told, name)
    assert seen.version is None and seen.weights == saved_model_hash(old)


def test_of_a_foreign_generator(faithful_dir: Path, double_scale_dir: Path) -> None:
    for directory, scale in ((faithful_dir / "1", 4), (double_scale_dir / "1", 8)):
        facts = facts_of(load_saved_model(directory), directory)
        assert (facts.scale, facts.threshold, facts.generator) == (scale, None, None)


def test_damaged_facts(fused: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(fused, tmp_path / "copy"))
    (copy / FACTS_FILE).write_text("{")
    with pytest.raises(DataError, match="facts.json: is damaged"):
        facts_of(load_saved_model(copy), copy)


@pytest.mark.parametrize("format", ["openvino", "onnx", "litert"])
def test_every_format_has_them(
    faithful_dir: Path, vivid_dir: Path, tmp_path: Path, format: Any
) -> None:
    require(format)
    directory = build(faithful_dir, vivid_dir, tmp_path, threshold="luma", format=format)
    facts = read_facts(directory)
    assert facts is not None
    assert (facts.scale, facts.threshold, facts.precision) == (4, "luma", "float32")
    if format == "openvino":  # written once
        assert "threshold" not in (directory / GENERATORS_FILE).read_text()


def test_generators_in_each_others_place(
    faithful_dir: Path, vivid_dir: Path, tmp_path: Path
) -> None:
    places = []
    for name, source in (("wp_srgan", vivid_dir), ("mr_srgan", faithful_dir)):
        places.append(Path(shutil.copytree(source / "1", tmp_path / name)))
        facts = {"scale": 4, "generator": name}
        (places[-1] / FACTS_FILE).write_text(json.dumps(facts))
    vivid, faithful = places
    with pytest.raises(DataError, match="wp_srgan is a WP-SRGAN.*exchange the two") as caught:
        build(vivid, faithful, tmp_path / "fused")
    assert "\n" not in str(caught.value) and not (tmp_path / "fused").exists()
    assert build(faithful, vivid, tmp_path / "right").is_dir()


def test_the_hash_of_a_model(vivid_dir: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(vivid_dir / "1", tmp_path / "elsewhere"))
    expected = saved_model_hash(vivid_dir / "1")
    (copy / "assets.extra").mkdir()
    (copy / FACTS_FILE).write_text("{}")
    (copy / "assets.extra" / "note").write_text("made on a Monday")
    assert saved_model_hash(copy) == expected
    weights = next((copy / "variables").glob("variables.data*"))
    content = bytearray(weights.read_bytes())
    content[0] ^= 1
    weights.write_bytes(content)
    assert saved_model_hash(copy) != expected


def test_a_folder_of_stages_is_pointed_into(faithful_dir: Path, tmp_path: Path) -> None:
    """wp_srgan.export writes OUTPUT/stage2/1; OUTPUT itself is what people name."""
    shutil.copytree(faithful_dir, tmp_path / "wp" / "stage2")
    with pytest.raises(DataError, match=f"wp: no SavedModel .*name {tmp_path}/wp/stage2$"):
        find_saved_model(tmp_path / "wp")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no SavedModel .*export one with mr_srgan.export"):
        find_saved_model(tmp_path / "empty")
