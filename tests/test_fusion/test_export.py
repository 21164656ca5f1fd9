import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from fusion.exporting import build
from fusion.saved_model_folder import find_saved_model
from sr_program.errors import DataError
from sr_program.machine.optional_packages import is_installed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fused(faithful_dir, vivid_dir, tmp_path_factory) -> Path:
    return build(faithful_dir, vivid_dir / "1", tmp_path_factory.mktemp("out") / "new" / "fused")


def signature_defs(path: Path):
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((path / "saved_model.pb").read_bytes())
    return model.meta_graphs[0].signature_def


class SessionModel:
    """The model as a Session sees it, which is how TensorFlow Serving runs it."""

    def __init__(self, path: Path):
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph)
        meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path))
        self._signatures = meta_graph.signature_def

    def __call__(self, name: str, **inputs: Any) -> dict[str, np.ndarray]:
        signature = self._signatures[name]
        feed = {signature.inputs[key].name: value for key, value in inputs.items()}
        fetch = {key: output.name for key, output in signature.outputs.items()}
        return self._session.run(fetch, feed)


def test_writes_version_1(fused):
    assert fused.name == "1" and fused.parent.name == "fused"
    assert [path.name for path in fused.parent.iterdir()] == ["1"]
    assert (fused / "saved_model.pb").is_file()


def test_stores_the_defaults(fused):
    definitions = signature_defs(fused)
    for name in ("serving_default", "components"):
        signature = definitions[name]
        assert set(signature.inputs) == {"image", "xi", "max_deviation"}
        defaults = {key: tf.make_ndarray(value) for key, value in signature.defaults.items()}
        assert defaults == {"xi": np.float32(0.73), "max_deviation": np.float32(-1)}
        assert all(value.shape == () for value in defaults.values())
        assert signature.inputs["xi"].tensor_shape.unknown_rank
    assert set(definitions["generators"].inputs) == {"image"}
    assert set(definitions["serving_default"].outputs) == {"sr"}
    assert set(definitions["components"].outputs) == {"faithful", "vivid", "deviation"}
    assert set(definitions["deviations"].inputs) == {"faithful", "vivid"}
    assert set(definitions["merge"].inputs) == {"faithful", "vivid", "limits"}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ["serving_default", "components", "generators"])
def test_a_session_gives_the_same(fused, images, batch, name):
    images = images[:batch]
    inputs = {"image": images}
    if name != "generators":
        inputs["xi"] = np.float32(0.4)
        inputs["max_deviation"] = np.array([-1, 3.5, -1][:batch], np.float32)
    loaded = tf.saved_model.load(str(fused))
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    expected = loaded.signatures[name](**tensors)
    found = SessionModel(fused)(name, **inputs)
    assert set(found) == set(expected)
    for key, value in expected.items():
        assert found[key].shape[:3] == (batch, 20, 28)
        np.testing.assert_array_equal(found[key], value.numpy())


def test_a_session_may_leave_the_defaults_out(fused, images):
    session = SessionModel(fused)
    given = session("serving_default", image=images, xi=np.float32(0.73), max_deviation=-1.0)
    other = session("serving_default", image=images, xi=np.float32(0.2), max_deviation=-1.0)
    np.testing.assert_array_equal(session("serving_default", image=images)["sr"], given["sr"])
    assert np.any(other["sr"] != given["sr"])


def test_needs_the_generators_no_more(faithful_dir, vivid_dir, images, tmp_path):
    copies = [tmp_path / "faithful", tmp_path / "vivid"]
    for path, copy in zip((faithful_dir, vivid_dir), copies, strict=True):
        shutil.copytree(path, copy)
    path = build(copies[0], copies[1], tmp_path / "fused")
    before = SessionModel(path)("serving_default", image=images)["sr"]
    for copy in copies:
        shutil.rmtree(copy)
    np.testing.assert_array_equal(SessionModel(path)("serving_default", image=images)["sr"], before)


def test_as_printed_has_no_bound(faithful_dir, vivid_dir, images, tmp_path):
    path = build(faithful_dir, vivid_dir, tmp_path, threshold="luma", delta="as_printed")
    signature = signature_defs(path)["serving_default"]
    assert set(signature.inputs) == {"image", "xi"} and set(signature.defaults) == {"xi"}
    session = SessionModel(path)
    vivid = session("components", image=images)["vivid"]
    sr = session("serving_default", image=images, xi=np.float32(1))["sr"]
    np.testing.assert_array_equal(sr, vivid)


def test_takes_the_latest_version(faithful_dir, tmp_path):
    for version in ("2", "10", "9"):
        shutil.copytree(faithful_dir / "1", tmp_path / version)
    (tmp_path / "11").mkdir()
    (tmp_path / ".tmp-12").mkdir()
    assert find_saved_model(tmp_path) == tmp_path / "10"
    assert find_saved_model(tmp_path / "2") == tmp_path / "2"


def test_refuses_to_overwrite(fused, faithful_dir, vivid_dir):
    before = (fused / "saved_model.pb").read_bytes()
    with pytest.raises(DataError, match="exists already; remove it or choose another"):
        build(faithful_dir, vivid_dir, fused.parent)
    assert (fused / "saved_model.pb").read_bytes() == before


def test_an_error_leaves_nothing(faithful_dir, other_signature_dir, tmp_path):
    with pytest.raises(DataError, match="no signature 'unrounded'"):
        build(faithful_dir, other_signature_dir, tmp_path / "fused")
    assert not (tmp_path / "fused").exists()


def test_a_failed_reload_check_leaves_nothing(faithful_dir, vivid_dir, tmp_path, monkeypatch):
    load, calls = tf.saved_model.load, []

    def load_another(path):
        calls.append(path)
        # The third load is the check's; this model has other weights.
        return load(other if len(calls) == 3 else path)

    other = str(build(vivid_dir, faithful_dir, tmp_path / "other"))
    monkeypatch.setattr(tf.saved_model, "load", load_another)
    with pytest.raises(DataError, match="differs from the one in memory"):
        build(faithful_dir, vivid_dir, tmp_path / "fused")
    assert list((tmp_path / "fused").iterdir()) == []


def command(
    *arguments: str | Path, cwd: Path, program: tuple[str, ...] = ("-m", "fusion.export")
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("flags", [[], ["--threshold=per_channel", "--delta=as_printed"]])
def test_command(faithful_dir, vivid_dir, tmp_path, images, flags):
    generators = [f"--faithful={faithful_dir}", f"--vivid={vivid_dir}"]
    done = command(*generators, "--output=out", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{Path('out', '1')}\n"
    inputs = signature_defs(tmp_path / "out" / "1")["serving_default"].inputs
    assert ("max_deviation" in inputs) == (not flags)
    sr = SessionModel(tmp_path / "out" / "1")("serving_default", image=images)["sr"]
    assert sr.shape == (3, 20, 28, 3)


@pytest.mark.parametrize(
    ("format", "files"),
    [
        ("onnx", {"fused.onnx", "generators.onnx"}),
        ("openvino", {"fused.xml", "fused.bin", "generators.xml", "generators.bin"}),
        ("litert", {"fused.tflite"}),
    ],
)
def test_command_for_another_runtime(faithful_dir, vivid_dir, tmp_path, format, files):
    if not is_installed(format):
        pytest.skip(f"needs the extra {format}: pip install 'bi-gans-st[{format}]'")
    flags = [f"--faithful={faithful_dir}", f"--vivid={vivid_dir}", f"--format={format}"]
    done = command(*flags, "--output=out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == (f"{Path('out', '1')}\n", "")
    assert {path.name for path in (tmp_path / "out" / "1").iterdir()} == {*files, "facts.json"}


@pytest.mark.parametrize("format", ["onnx", "openvino", "litert"])
def test_command_without_the_package(faithful_dir, vivid_dir, tmp_path, format):
    program = (
        "from sr_program.machine import optional_packages;"
        f"optional_packages._MODULES[{format!r}] = ('no_such',);"
        "from fusion.export import cli_main; cli_main()"
    )
    flags = [f"--faithful={faithful_dir}", f"--vivid={vivid_dir}", f"--format={format}"]
    done = command(*flags, "--output=out", cwd=tmp_path, program=("-c", program))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert f"the package no-such is missing: pip install 'bi-gans-st[{format}]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_command_errors_are_one_line(faithful_dir, tmp_path):
    (tmp_path / "empty").mkdir()
    cases = [
        (["--vivid=missing", "--output=out"], 1, "missing: no such directory"),
        (["--vivid=empty", "--output=out"], 1, "empty: no SavedModel"),
        (["--vivid=empty"], 2, "--output=DIR is missing"),
        (["--vivid=empty", "--output=out", "--delta=odd"], 2, "--delta=odd"),
        (["--vivid=empty", "--output=out", "--format=odd"], 2, "--format=odd"),
    ]
    for arguments, code, message in cases:
        done = command(f"--faithful={faithful_dir}", *arguments, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert message in done.stderr and len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_help_lists_the_flags(tmp_path):
    done = command("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "--threshold: <joint|per_channel|luma>" in done.stdout
