import json
from pathlib import Path

import keras
import numpy as np
import pytest

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from benchmarks.studies.chosen_generators import chosen_generators, run_generator
from sr_program.errors import DataError, UsageError
from srgan.runs.weights import save_weights

SMALL_MR = mr_srgan.config.GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
SMALL_WP = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=4)


def write_run(folder: Path, generator: keras.Model, settings: dict) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"generator": settings, "run": {}}))
    save_weights(generator, folder / "generator.weights.h5")
    return folder / "generator.weights.h5"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, tuple[Path, keras.Model]]:
    """Runs of small networks of both branches, with what they hold."""
    found = {}
    for name, config, module in (
        ("mr", SMALL_MR, mr_srgan.generator),
        ("wp", SMALL_WP, wp_srgan.generator),
    ):
        generator = module.build_generator(config)
        folder = tmp_path_factory.mktemp("runs") / name
        found[name] = write_run(folder, generator, vars(config)), generator
    return found


def test_the_run_tells_the_network(runs) -> None:
    items = [f"first={runs['wp'][0]}", f"x={runs['mr'][0]}"]
    chosen = chosen_generators(items)
    assert list(chosen) == ["first", "x"]
    for generator, branch in zip(chosen.values(), ("wp", "mr"), strict=True):
        expected = runs[branch][1].get_weights()
        for ours, theirs in zip(generator.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_setting_younger_than_the_run_has_its_default(runs, tmp_path) -> None:
    settings = {name: value for name, value in vars(SMALL_WP).items() if name != "scale"}
    weights = write_run(tmp_path / "old", runs["wp"][1], settings)
    assert run_generator(weights).output_shape == (None, None, None, 3)


def test_a_shipped_generator() -> None:
    [(name, generator)] = chosen_generators(["wp_srgan_stage1"]).items()
    assert name == "wp_srgan_stage1" and generator.count_params() > 1e6


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([], "--weights=NAME=FILE is missing"),
        (["best"], "--weights=best: give NAME=FILE, or a shipped one: mr_srgan, "),
        (["=a.h5"], "--weights==a.h5: give NAME=FILE"),
        (["a=b.h5", "a=c.h5"], "--weights=a=c.h5: the name a comes twice"),
    ],
)
def test_wrong_names(items, reason) -> None:
    with pytest.raises(UsageError, match=reason):
        chosen_generators(items)


def test_wrong_files(runs, tmp_path) -> None:
    lonely = tmp_path / "generator.weights.h5"
    with pytest.raises(DataError, match="no config.json beside it"):
        run_generator(lonely)
    for text in ("{", "{}", '{"generator": 3}', "[]"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(DataError, match="config.json: not a run's settings"):
            run_generator(lonely)
    settings = {"generator": {**vars(SMALL_WP), "wings": 2}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(DataError, match="no setting wings"):
        run_generator(lonely)
    (tmp_path / "config.json").write_text(json.dumps({"generator": vars(SMALL_WP)}))
    with pytest.raises(DataError, match="no such weights file"):
        run_generator(lonely)
    other = write_run(tmp_path / "other", runs["mr"][1], vars(SMALL_WP))
    with pytest.raises(DataError):
        run_generator(other)
