import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import wp_srgan.export
from sr_program.errors import DataError
from srgan.runs.weights import load_weights, save_weights
from wp_srgan.config import GeneratorConfig
from wp_srgan.export import export_weights
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


def in_session(path: Path, signature: str, image: np.ndarray) -> np.ndarray:
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        found = graph.signature_def[signature]
        return session.run(found.outputs["sr"].name, {found.inputs["image"].name: image})


def assert_is_the_network(path: Path, generator: keras.Model) -> None:
    loaded = tf.saved_model.load(str(path))
    random = np.random.default_rng(0)
    for shape in ((1, 7, 5, 3), (3, 6, 9, 3)):
        image = random.integers(0, 256, shape, dtype=np.uint8)
        sr = np.array(generator(image.astype(np.float32) / 127.5 - 1), np.float64)
        expected = np.clip((sr + 1) * 127.5, 0, 255)
        unrounded = loaded.signatures["unrounded"](image=tf.constant(image))["sr"].numpy()
        np.testing.assert_allclose(unrounded, expected, rtol=0, atol=1e-5 * 255)
        served = loaded.signatures["serving_default"](image=tf.constant(image))["sr"].numpy()
        np.testing.assert_array_equal(served, np.floor(unrounded.astype(np.float64) + 0.5))
        assert served.dtype == np.uint8
        np.testing.assert_allclose(
            in_session(path, "unrounded", image), expected, rtol=0, atol=1e-5 * 255
        )
        again = in_session(path, "serving_default", image)
        assert again.dtype == np.uint8
        assert np.abs(again.astype(int) - served.astype(int)).max() <= 1
        assert np.mean(again != served) < 0.01  # a half may fall to either side


def test_export_weights(two_stages, tmp_path):
    run_dir, generators = two_stages
    path = export_weights(run_dir / "stage1" / "generator.weights.h5", TINY, tmp_path / "wp")
    assert path == tmp_path / "wp" / "1"
    assert_is_the_network(path, generators[1])


def graph_types(path: Path) -> dict[str, set[str]]:
    """Operation → the types it computes in, for the signature `unrounded`."""
    graph = tf.saved_model.load(str(path)).signatures["unrounded"].graph.as_graph_def()
    types: dict[str, set[str]] = {}
    for node in (node for function in graph.library.function for node in function.node_def):
        if "T" in node.attr:
            types.setdefault(node.op, set()).add(tf.as_dtype(node.attr["T"].type).name)
    return types


def test_in_bfloat16(two_stages, call_program, tmp_path):
    run_dir, generators = two_stages
    flags = f"--run_dir={run_dir}", f"--output={tmp_path}", "--stage=2", "--precision=bfloat16"
    assert call_program(wp_srgan.export.cli_main, *flags) == 0
    path = tmp_path / "stage2" / "1"
    types = graph_types(path)
    assert types["Conv2D"] == types["BiasAdd"] == types["Tile"] == {"bfloat16"}
    image = np.random.default_rng(2).integers(0, 256, (2, 9, 8, 3), np.uint8)
    sr = np.asarray(generators[2](image.astype(np.float32) / 127.5 - 1))
    exact = np.clip((sr + 1) * 127.5, 0, 255)
    error = in_session(path, "unrounded", image) - exact
    assert 0 < np.sqrt(np.mean(error**2)) < 255 * 10 ** (-45 / 20)


def test_weights_of_another_architecture(two_stages, tmp_path):
    weights = two_stages[0] / "stage1" / "generator.weights.h5"
    for change in ({"num_res_blocks": 2}, {"features": 6}, {"batch_norm": True}, {"scale": 2}):
        with pytest.raises(DataError, match=r"generator\.weights\.h5: .* do not fit wp_srgan"):
            export_weights(weights, dataclasses.replace(TINY, **change), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def command(environment: dict[str, str], folder: Path, *arguments: object) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "wp_srgan.export", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_command_on_a_trained_run(stage1, subprocess_environment, tmp_path):
    flags = "--stage=1", f"--run_dir={stage1.run_dir}", "--output=models/wp"
    done = command(subprocess_environment, tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert [path.name for path in (tmp_path / "models" / "wp").iterdir()] == ["stage1"]
    trained = build_generator(TINY)
    load_weights(trained, stage1.run_dir / "stage1" / "generator.weights.h5")
    assert_is_the_network(tmp_path / "models" / "wp" / "stage1" / "1", trained)


def test_each_stage_has_its_directory(call_program, two_stages, tmp_path):
    run_dir, generators = two_stages
    image = np.random.default_rng(5).integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    for stage, generator in generators.items():
        flags = f"--stage={stage}", f"--run_dir={run_dir}", f"--output={tmp_path}"
        assert call_program(wp_srgan.export.cli_main, *flags) == 0
        found = in_session(tmp_path / f"stage{stage}" / "1", "unrounded", image)
        sr = np.array(generator(image.astype(np.float32) / 127.5 - 1))
        np.testing.assert_allclose(found, np.clip((sr + 1) * 127.5, 0, 255), rtol=0, atol=2e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stage1", "stage2"]


def test_weights_of_the_last_update(call_program, capsys, two_stages, tmp_path):
    folder = tmp_path / "run" / "stage1"
    folder.parent.mkdir()
    averaged = make_run(folder, 1)
    last = two_stages[1][2]
    flags = "--stage=1", f"--run_dir={folder.parent}", "--last_update"
    assert call_program(wp_srgan.export.cli_main, *flags, f"--output={tmp_path / 'none'}") == 1
    assert "stage1: its checkpoints are gone" in capsys.readouterr().err
    (folder / "checkpoints").mkdir()
    arrays: dict[str, Any] = {
        f"generator/{i:04d}/v": np.array(v) for i, v in enumerate(last.variables)
    }
    np.savez(folder / "checkpoints" / "step-00000005.npz", **arrays)
    assert call_program(wp_srgan.export.cli_main, *flags, f"--output={tmp_path / 'last'}") == 0
    assert_is_the_network(tmp_path / "last" / "stage1" / "1", last)
    flags = *flags[:2], f"--output={tmp_path / 'averaged'}"
    assert call_program(wp_srgan.export.cli_main, *flags) == 0
    assert_is_the_network(tmp_path / "averaged" / "stage1" / "1", averaged)


def test_wrong_commands_are_one_line(subprocess_environment, tmp_path):
    for flags, code, message in (
        (["--stage=2", "--run_dir=none", "--output=out"], 1, "none/stage2: has no config.json"),
        (["--stage=1", "--run_dir=none"], 2, "--stage, --run_dir and --output are required"),
        (["--stage=3", "--run_dir=none", "--output=out"], 2, "--stage=3"),
    ):
        done = command(subprocess_environment, tmp_path, *flags)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
        assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help(subprocess_environment, tmp_path):
    done = command(subprocess_environment, tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    for line in (
        "--stage: <1|2>: 1 or 2. Required.",
        "--run_dir: The run folder, parent of stage1.",
        "--output: Writes OUTPUT/stageN/1",
    ):
        assert line in text


def test_refusals(call_program, capsys, two_stages, tmp_path):
    run_dir, _ = two_stages
    flags = "--stage=1", f"--run_dir={run_dir}", f"--output={tmp_path}"
    (tmp_path / "stage1" / "1").mkdir(parents=True)
    assert call_program(wp_srgan.export.cli_main, *flags) == 1
    assert "stage1/1: exists already; remove it" in capsys.readouterr().err
    assert call_program(wp_srgan.export.cli_main, *flags, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
