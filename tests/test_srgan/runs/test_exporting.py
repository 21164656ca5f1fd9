"""From weights to SavedModels: the library that both branches share, and their two programs."""

import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from mr_srgan.branch import MR_SRGAN
from sr_program.errors import DataError
from srgan.runs.branch import Branch
from srgan.runs.exporting import export_weights
from srgan.runs.weights import save_weights
from wp_srgan.branch import WP_SRGAN


class Case(NamedTuple):
    """A branch to export.

    Attributes:
        branch: What the programs know of it.
        architecture: A small one.
        flags: What its program needs besides the folders.
        place: Where in a run folder, and in the output, its files lie.
        changes: Architectures that the weights do not fit.
        types: In bfloat16: operation → the types that it computes in.
    """

    branch: Branch
    architecture: Any
    flags: tuple[str, ...]
    place: str
    changes: tuple[dict[str, Any], ...]
    types: dict[str, set[str]]

    @property
    def module(self) -> Any:
        return importlib.import_module(f"{self.branch.name}.export")


CASES = {
    "mr": Case(
        MR_SRGAN,
        MR_SRGAN.architecture(num_mr_blocks=1, num_res_blocks=2, features=4, bicubic_skip=True),
        (),
        ".",
        ({"num_mr_blocks": 2}, {"features": 6}, {"gate": False}, {"batch_norm": True}),
        # In float32: the interpolation, and the detail's sum with it.
        {
            **{"BiasAdd": {"bfloat16"}, "Tile": {"bfloat16"}},
            **{"Conv2D": {"bfloat16", "float32"}, "AddV2": {"bfloat16", "float32"}},
        },
    ),
    "wp": Case(
        WP_SRGAN[2],
        WP_SRGAN[2].architecture(num_res_blocks=1, features=4),
        ("--stage=2",),
        "stage2",
        ({"num_res_blocks": 2}, {"features": 6}, {"batch_norm": True}, {"scale": 2}),
        {"Conv2D": {"bfloat16"}, "BiasAdd": {"bfloat16"}, "Tile": {"bfloat16"}},
    ),
}


class Finished(NamedTuple):
    """A run that finished an epoch, as far as the export is concerned, and its SavedModel."""

    case: Case
    generator: keras.Model
    run_dir: Path
    exported: Path

    @property
    def weights(self) -> Path:
        return self.run_dir / self.case.place / "generator.weights.h5"


@pytest.fixture(scope="module", params=CASES)
def finished(request, tmp_path_factory) -> Finished:
    case = CASES[request.param]
    keras.utils.set_random_seed(1)
    generator = case.branch.build_generator(case.architecture)
    random = np.random.default_rng(1)
    for variable in generator.variables:  # away from the interpolation, and over the edges
        variable.assign(np.array(variable) + random.normal(0, 0.1, variable.shape))
    folder = tmp_path_factory.mktemp("run")
    place = folder / case.place
    place.mkdir(exist_ok=True)
    save_weights(generator, place / "generator.weights.h5")
    settings = {"generator": dataclasses.asdict(case.architecture)}
    (place / "config.json").write_text(json.dumps(settings))
    output = tmp_path_factory.mktemp("models") / case.branch.name
    weights = place / "generator.weights.h5"
    exported = export_weights(case.branch, weights, case.architecture, output)
    return Finished(case, generator, folder, exported)


@pytest.fixture
def export(call_program, finished) -> Callable[..., int]:
    """Calls the branch's program; returns its exit code."""

    def export(*flags: object) -> int:
        return call_program(finished.case.module.cli_main, *finished.case.flags, *flags)

    return export


def in_session(path: Path, signature: str, image: np.ndarray) -> np.ndarray:
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        found = graph.signature_def[signature]
        return session.run(found.outputs["sr"].name, {found.inputs["image"].name: image})


def graph_types(path: Path) -> dict[str, set[str]]:
    """Operation → the types it computes in, for the signature `unrounded`."""
    graph = tf.saved_model.load(str(path)).signatures["unrounded"].graph.as_graph_def()
    types: dict[str, set[str]] = {}
    for node in (node for function in graph.library.function for node in function.node_def):
        if "T" in node.attr:
            types.setdefault(node.op, set()).add(tf.as_dtype(node.attr["T"].type).name)
    return types


def test_the_saved_model_is_the_network(finished):
    path = finished.exported
    assert (path.name, path.parent.name) == ("1", finished.case.branch.name)
    loaded = tf.saved_model.load(str(path))
    random = np.random.default_rng(0)
    for shape in ((1, 7, 5, 3), (3, 6, 9, 3)):
        image = random.integers(0, 256, shape, dtype=np.uint8)
        sr = np.array(finished.generator(image.astype(np.float32) / 127.5 - 1), np.float64)
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


def test_bfloat16_is_between_the_first_and_the_last_convolution_alone(finished, export, tmp_path):
    flags = f"--run_dir={finished.run_dir}", f"--output={tmp_path}", "--precision=bfloat16"
    assert export(*flags) == 0
    path = tmp_path / finished.case.place / "1"
    types = graph_types(path)
    assert {name: types[name] for name in finished.case.types} == finished.case.types
    assert {name for found in graph_types(finished.exported).values() for name in found} >= {
        "float32"
    }
    assert not any("bfloat16" in found for found in graph_types(finished.exported).values())
    assert {v.dtype.name for v in tf.saved_model.load(str(path)).raw_variables} == {"float32"}
    image = np.random.default_rng(2).integers(0, 256, (2, 9, 8, 3), np.uint8)
    exact, fast = (in_session(each, "unrounded", image) for each in (finished.exported, path))
    assert fast.dtype == np.float32
    assert 0 < np.sqrt(np.mean((exact - fast) ** 2)) < 255 * 10 ** (-45 / 20)


def test_weights_of_another_architecture(finished, tmp_path):
    case = finished.case
    pattern = rf"generator\.weights\.h5: .* do not fit {case.branch.name}"
    for change in case.changes:
        other = dataclasses.replace(case.architecture, **change)
        with pytest.raises(DataError, match=pattern):
            export_weights(case.branch, finished.weights, other, tmp_path / "out")
    for name, content in (("none.weights.h5", None), ("text.weights.h5", b"text")):
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name):
            export_weights(case.branch, tmp_path / name, case.architecture, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_of_the_last_update(export, capsys, finished, tmp_path):
    place = finished.case.place
    run_dir = tmp_path / "run"
    shutil.copytree(finished.run_dir, run_dir)
    flags = f"--run_dir={run_dir}", f"--output={tmp_path / 'last'}", "--last_update"
    assert export(*flags) == 1
    assert "its checkpoints are gone" in capsys.readouterr().err
    (run_dir / place / "checkpoints").mkdir()
    last = [np.array(v) * 0.5 for v in finished.generator.variables]
    arrays: dict[str, Any] = {f"generator/{i:04d}/v": value for i, value in enumerate(last)}
    np.savez(run_dir / place / "checkpoints" / "step-00000005.npz", **arrays)
    assert export(*flags) == 0
    raw = tf.saved_model.load(str(tmp_path / "last" / place / "1")).raw_variables
    for expected, found in zip(last, raw, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_refusals(export, capsys, finished, tmp_path):
    place = finished.case.place
    run = f"--run_dir={finished.run_dir}"
    (tmp_path / "full" / place / "1").mkdir(parents=True)
    assert export(run, f"--output={tmp_path / 'full'}") == 1
    assert "1: exists already" in capsys.readouterr().err
    assert export(run, "--output=out", "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
    damaged = tmp_path / "run"
    (damaged / place).mkdir(parents=True)
    settings = (finished.weights.parent / "config.json").read_text()
    (damaged / place / "config.json").write_text(settings)
    flags = f"--run_dir={damaged}", f"--output={tmp_path / 'out'}"
    assert export(*flags) == 1
    assert "has no generator.weights.h5" in capsys.readouterr().err
    (damaged / place / "generator.weights.h5").write_bytes(b"half")
    assert export(*flags) == 1
    error = capsys.readouterr().err
    assert "generator.weights.h5: these weights are damaged" in error
    assert len(error.splitlines()) == 1
    # Settings that this program does not know, or of another type.
    for name, value, message in (
        ("depth", 3, "it has no depth"),
        ("features", "many", "not the settings of this branch's generator"),
    ):
        changed = json.loads(settings)
        changed["generator"][name] = value
        (damaged / place / "config.json").write_text(json.dumps(changed))
        assert export(*flags) == 1
        error = capsys.readouterr().err
        assert message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


# As a person calls them.


def command(module: str, environment: dict[str, str], folder: Path, *arguments: object) -> Any:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_command_prints_the_path_alone(finished, subprocess_environment, tmp_path):
    module, place = f"{finished.case.branch.name}.export", finished.case.place
    flags = *finished.case.flags, f"--run_dir={finished.run_dir}", "--output=models/x"
    done = command(module, subprocess_environment, tmp_path, *flags)
    path = Path("models/x") / place / "1"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}\n", "")
    assert [each.name for each in (tmp_path / path).parent.iterdir()] == ["1"]
    image = np.random.default_rng(5).integers(0, 256, (1, 6, 6, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        in_session(tmp_path / path, "unrounded", image),
        in_session(finished.exported, "unrounded", image),
        rtol=0,
        atol=1e-5 * 255,
    )


WRONG = {
    "mr_srgan.export": (
        (["--run_dir=none", "--output=out"], 1, "none: has no config.json; name the folder"),
        (["--run_dir=none"], 2, "--run_dir and --output are required"),
        (["--stage=1"], 2, "stage"),
    ),
    "wp_srgan.export": (
        (["--stage=2", "--run_dir=none", "--output=out"], 1, "none/stage2: has no config.json"),
        (["--run_dir=none", "--output=out"], 2, "--stage, --run_dir and --output are required"),
        (["--stage=1", "--run_dir=none"], 2, "--run_dir and --output are required"),
        (["--stage=3", "--run_dir=none", "--output=out"], 2, "--stage=3"),
    ),
}


@pytest.mark.parametrize("module", WRONG)
def test_wrong_commands_are_one_line(module, call_program, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for flags, code, message in WRONG[module]:
        assert call_program(importlib.import_module(module).cli_main, *flags) == code
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", WRONG)
def test_help(module, subprocess_environment, tmp_path):
    done = command(module, subprocess_environment, tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    for line in (
        "--run_dir: Folder of a training run; for WP-SRGAN the parent of stage1.",
        "--output: Writes OUTPUT/1, a SavedModel; for WP-SRGAN OUTPUT/stageN/1.",
    ):
        assert line in text
    assert ("--stage: <1|2>: 1 or 2. Required." in text) == (module == "wp_srgan.export")


def test_no_flags_are_there_before_a_program_starts(repository):
    code = "import mr_srgan.export, wp_srgan.export, mr_srgan.train, wp_srgan.train, fusion.export"
    code += "\nfrom absl import flags\nassert 'run_dir' not in flags.FLAGS"
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True, timeout=300)
