import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import mr_srgan.export
from mr_srgan.config import GeneratorConfig
from mr_srgan.export import export_weights
from mr_srgan.generator import build_generator
from sr_program.errors import DataError, UsageError
from sr_program.model_facts import read_facts
from sr_program.version import VERSION
from srgan.runs.weights import save_weights

TINY = GeneratorConfig(num_mr_blocks=1, num_res_blocks=2, features=4, bicubic_skip=True)


@pytest.fixture(scope="module")
def generator() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build_generator(TINY)
    random = np.random.default_rng(1)
    for variable in model.variables:  # away from the interpolation, and over the edges
        variable.assign(np.array(variable) + random.normal(0, 0.1, variable.shape))
    return model


@pytest.fixture(scope="module")
def run_dir(generator, tmp_path_factory) -> Path:
    """What a run that finished an epoch leaves, as far as the export is concerned."""
    folder = tmp_path_factory.mktemp("run")
    save_weights(generator, folder / "generator.weights.h5")
    (folder / "config.json").write_text(json.dumps({"generator": dataclasses.asdict(TINY)}))
    return folder


@pytest.fixture(scope="module")
def exported(run_dir, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("models") / "mr_srgan"
    return export_weights(run_dir / "generator.weights.h5", TINY, directory)


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
        assert 0 < np.mean(expected == np.clip(expected, 1, 254)) < 1  # clipping is seen
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


def test_export_weights(exported, generator):
    assert exported.name == "1" and exported.parent.name == "mr_srgan"
    assert_is_the_network(exported, generator)


def graph_types(path: Path) -> dict[str, set[str]]:
    """Operation → the types it computes in, for the signature `unrounded`."""
    graph = tf.saved_model.load(str(path)).signatures["unrounded"].graph.as_graph_def()
    types: dict[str, set[str]] = {}
    for node in (node for function in graph.library.function for node in function.node_def):
        if "T" in node.attr:
            types.setdefault(node.op, set()).add(tf.as_dtype(node.attr["T"].type).name)
    return types


def test_bfloat16_is_between_the_first_and_the_last_convolution_alone(
    run_dir, exported, call_program, tmp_path
):
    flags = f"--run_dir={run_dir}", f"--output={tmp_path / 'fast'}", "--precision=bfloat16"
    assert call_program(mr_srgan.export.cli_main, *flags) == 0
    path = tmp_path / "fast" / "1"
    types = graph_types(path)
    assert types["BiasAdd"] == types["Tile"] == {"bfloat16"}
    # In float32: the interpolation, and the detail's sum with it.
    assert types["Conv2D"] == types["AddV2"] == {"bfloat16", "float32"}
    assert {name for found in graph_types(exported).values() for name in found} >= {"float32"}
    assert not any("bfloat16" in found for found in graph_types(exported).values())
    assert {v.dtype.name for v in tf.saved_model.load(str(path)).raw_variables} == {"float32"}
    image = np.random.default_rng(2).integers(0, 256, (2, 9, 8, 3), np.uint8)
    exact, fast = (in_session(each, "unrounded", image) for each in (exported, path))
    assert fast.dtype == np.float32
    assert 0 < np.sqrt(np.mean((exact - fast) ** 2)) < 255 * 10 ** (-45 / 20)


def test_weights_of_another_architecture(run_dir, tmp_path):
    weights = run_dir / "generator.weights.h5"
    for change in ({"num_mr_blocks": 2}, {"features": 6}, {"gate": False}, {"batch_norm": True}):
        with pytest.raises(DataError, match=r"generator\.weights\.h5: .* do not fit mr_srgan"):
            export_weights(weights, dataclasses.replace(TINY, **change), tmp_path / "out")
    with pytest.raises(DataError, match="no such weights file"):
        export_weights(tmp_path / "none.weights.h5", TINY, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def command(environment: dict[str, str], folder: Path, *arguments: object) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "mr_srgan.export", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_command(run_dir, generator, exported, subprocess_environment, tmp_path):
    flags = f"--run_dir={run_dir}", "--output=models/mr"
    done = command(subprocess_environment, tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    path = tmp_path / "models" / "mr" / "1"
    assert [each.name for each in path.parent.iterdir()] == ["1"]
    image = np.random.default_rng(5).integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        in_session(path, "unrounded", image),
        in_session(exported, "unrounded", image),
        rtol=0,
        atol=1e-5 * 255,
    )


def test_weights_of_the_last_update(call_program, run_dir, generator, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run_dir, folder)
    (folder / "checkpoints").mkdir()
    last = [np.array(v) * 0.5 for v in generator.variables]
    arrays: dict[str, Any] = {f"generator/{i:04d}/v": value for i, value in enumerate(last)}
    np.savez(folder / "checkpoints" / "step-00000005.npz", **arrays)
    flags = f"--run_dir={folder}", f"--output={tmp_path / 'last'}", "--last_update"
    assert call_program(mr_srgan.export.cli_main, *flags) == 0
    raw = tf.saved_model.load(str(tmp_path / "last" / "1")).raw_variables
    for expected, found in zip(last, raw, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("how", ["variable", "file"])
def test_what_keras_is_set_to_does_not_matter(
    run_dir, generator, subprocess_environment, tmp_path, how
):
    """A SavedModel is TensorFlow's, in whatever a person trains."""
    settings = {"backend": "jax", "image_data_format": "channels_first", "floatx": "float16"}
    environment = {**subprocess_environment, "KERAS_HOME": str(tmp_path / "keras")}
    environment.pop("KERAS_BACKEND", None)
    if how == "variable":
        environment["KERAS_BACKEND"] = "jax"
    else:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras" / "keras.json").write_text(json.dumps(settings))
    done = command(environment, tmp_path, f"--run_dir={run_dir}", f"--output={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    assert_is_the_network(tmp_path / "out" / "1", generator)


def test_keras_on_another_backend_in_this_process_is_one_line(run_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="Keras runs on jax in this process") as caught:
        export_weights(run_dir / "generator.weights.h5", TINY, tmp_path / "out")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_facts_of_the_model(exported, run_dir, tmp_path):
    facts = read_facts(exported)
    assert facts is not None
    told = int(tf.saved_model.load(str(exported)).receptive_field())
    assert (facts.scale, facts.radius, facts.generator) == (4, told, "mr_srgan")
    assert (facts.precision, facts.version, facts.threshold) == ("float32", VERSION, None)
    again = export_weights(
        run_dir / "generator.weights.h5", TINY, tmp_path / "half", precision="bfloat16"
    )
    half = read_facts(again)
    assert half == dataclasses.replace(facts, precision="bfloat16")


def test_wrong_commands_are_one_line(subprocess_environment, tmp_path):
    for flags, code, message in (
        (["--run_dir=none", "--output=out"], 1, "none: has no config.json; name the folder"),
        (["--run_dir=none"], 2, "--run_dir and --output are required"),
        (["--stage=1"], 2, "stage"),
    ):
        done = command(subprocess_environment, tmp_path, *flags)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
        assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help(subprocess_environment, tmp_path):
    done = command(subprocess_environment, tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("--run_dir: Folder of a training run", "--output: Writes OUTPUT/1"):
        assert line in done.stdout


def test_refusals(call_program, capsys, run_dir, exported, tmp_path):
    main = mr_srgan.export.cli_main
    run = f"--run_dir={run_dir}"
    assert call_program(main, run, f"--output={exported.parent}") == 1
    assert "mr_srgan/1: exists already" in capsys.readouterr().err
    assert call_program(main, run, "--output=out", "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
    damaged = tmp_path / "run"
    damaged.mkdir()
    (damaged / "config.json").write_text((run_dir / "config.json").read_text())
    flags = f"--run_dir={damaged}", f"--output={tmp_path / 'out'}"
    assert call_program(main, *flags) == 1
    assert "has no generator.weights.h5" in capsys.readouterr().err
    (damaged / "generator.weights.h5").write_bytes(b"half")
    assert call_program(main, *flags) == 1
    error = capsys.readouterr().err
    assert "generator.weights.h5: these weights are damaged" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_both_branches_can_be_imported_together():
    """As `pretrained` does: none of the flags may be there before a program starts."""
    code = "import mr_srgan.export, wp_srgan.export, mr_srgan.train, wp_srgan.train, fusion.export"
    code += "\nfrom absl import flags\nassert 'run_dir' not in flags.FLAGS"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=300)
