import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from bigans.pretrained.adoption import adopt
from bigans.pretrained.manifest import RECIPES, read_manifest, verified_weights
from sr_program.errors import DataError


def make_run(folder: Path, value: float, features: int) -> Path:
    folder.mkdir()
    with h5py.File(folder / "generator.weights.h5", "w") as file:
        file["layers/conv/vars/0"] = np.full(3, value, np.float32)
    settings = {"generator": {"features": features}, "data": {"seed": 3}}
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def stored(path: Path) -> float:
    with h5py.File(path) as file:
        values = np.asarray(file["layers/conv/vars/0"])
    assert values.dtype == np.float16
    return float(values[0])


def test_all_generators_of_run_folders(tmp_path: Path) -> None:
    runs = {
        name: make_run(tmp_path / name, features + 0.5, features)
        for features, name in enumerate(RECIPES, 1)
    }
    weights_dir = tmp_path / "weights"
    manifest = adopt(runs, weights_dir)
    assert read_manifest(weights_dir) == manifest
    for features, name in enumerate(RECIPES, 1):
        assert stored(verified_weights(manifest[name], weights_dir)) == features + 0.5
        assert manifest[name].config == {"features": features}
        assert manifest[name].recipe == RECIPES[name]


def test_one_generator_leaves_the_others(weights_dir: Path, tmp_path: Path) -> None:
    before = read_manifest(weights_dir)
    run = make_run(tmp_path / "run", 2.5, 9)
    after = adopt({"wp_srgan_stage2": run}, weights_dir)
    assert after["wp_srgan_stage2"] != before["wp_srgan_stage2"]
    assert stored(verified_weights(after["wp_srgan_stage2"], weights_dir)) == 2.5
    for name in ("mr_srgan", "wp_srgan_stage1"):
        assert after[name] == before[name]
        verified_weights(after[name], weights_dir)


def test_the_first_adoption_needs_all(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1, 8)
    with pytest.raises(DataError, match="for wp_srgan_stage1, wp_srgan_stage2, mr_srgan_photo"):
        adopt({"mr_srgan": run}, tmp_path)
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize(
    ("name", "setting"), [("wp_srgan_stage1", "num_mr_blocks"), ("mr_srgan", "no_such_setting")]
)
def test_a_run_of_the_other_branch_changes_nothing(
    weights_dir: Path, tmp_path: Path, name: str, setting: str
) -> None:
    before = {path: path.read_bytes() for path in weights_dir.iterdir()}
    run = make_run(tmp_path / "run", 1, 8)
    (run / "config.json").write_text(json.dumps({"generator": {setting: 2}}))
    with pytest.raises(DataError, match=f"it has no {setting}.*name the run folder of the other"):
        adopt({name: run}, weights_dir)
    assert {path: path.read_bytes() for path in weights_dir.iterdir()} == before


@pytest.mark.parametrize("missing", ["generator.weights.h5", "config.json"])
def test_a_folder_that_is_no_run_changes_nothing(
    weights_dir: Path, tmp_path: Path, missing: str
) -> None:
    before = {path: path.read_bytes() for path in weights_dir.iterdir()}
    good, bad = make_run(tmp_path / "good", 1, 8), make_run(tmp_path / "bad", 2, 8)
    (bad / missing).unlink()
    with pytest.raises(DataError, match="bad"):
        adopt({"mr_srgan": good, "wp_srgan_stage2": bad}, weights_dir)
    assert {path: path.read_bytes() for path in weights_dir.iterdir()} == before
