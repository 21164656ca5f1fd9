"""What is WP-SRGAN's own in its export; the rest is in test_srgan/runs/test_exporting.py."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import wp_srgan.export
from srgan.runs.weights import load_weights, save_weights
from wp_srgan.config import GeneratorConfig
from wp_srgan.generator import build_generator

TINY = GeneratorConfig(num_res_blocks=1, features=4)


def make_run(folder: Path, seed: int) -> keras.Model:
    """Writes what a stage that finished an epoch leaves, as far as the export is concerned."""
    keras.utils.set_random_seed(seed)
    model = build_generator(TINY)
    random = np.random.default_rng(seed)
    for variable in model.variables:
        variable.assign(np.array(variable) + random.normal(0, 0.05, variable.shape))
    folder.mkdir()
    save_weights(model, folder / "generator.weights.h5")
    (folder / "config.json").write_text(json.dumps({"generator": dataclasses.asdict(TINY)}))
    return model


@pytest.fixture(scope="module")
def two_stages(tmp_path_factory) -> tuple[Path, dict[int, keras.Model]]:
    run_dir = tmp_path_factory.mktemp("run")
    return run_dir, {stage: make_run(run_dir / f"stage{stage}", stage) for stage in (1, 2)}


def assert_is_the_network(path: Path, generator: keras.Model) -> None:
    image = np.random.default_rng(5).integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    unrounded = tf.saved_model.load(str(path)).signatures["unrounded"]
    found = unrounded(image=tf.constant(image))["sr"].numpy()
    sr = np.array(generator(image.astype(np.float32) / 127.5 - 1), np.float64)
    np.testing.assert_allclose(found, np.clip((sr + 1) * 127.5, 0, 255), rtol=0, atol=2e-3)


def test_of_a_trained_run(stage1, call_program, tmp_path):
    flags = "--stage=1", f"--run_dir={stage1.run_dir}", f"--output={tmp_path / 'wp'}"
    assert call_program(wp_srgan.export.cli_main, *flags) == 0
    assert [path.name for path in (tmp_path / "wp").iterdir()] == ["stage1"]
    trained = build_generator(TINY)
    load_weights(trained, stage1.run_dir / "stage1" / "generator.weights.h5")
    assert_is_the_network(tmp_path / "wp" / "stage1" / "1", trained)


def test_each_stage_has_its_directory(call_program, two_stages, tmp_path):
    run_dir, generators = two_stages
    for stage, generator in generators.items():
        flags = f"--stage={stage}", f"--run_dir={run_dir}", f"--output={tmp_path}"
        assert call_program(wp_srgan.export.cli_main, *flags) == 0
        assert_is_the_network(tmp_path / f"stage{stage}" / "1", generator)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stage1", "stage2"]
