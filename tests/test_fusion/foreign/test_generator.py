"""Networks of other makes as generators: ONNX files and SavedModels, alone and fused."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from bigans.upscaler.upscaler import Upscaler
from fusion.exporting import build
from fusion.foreign.generator import Range
from fusion.generator_model import load_generator
from sr_program.errors import DataError

IMAGE = np.random.default_rng(3).integers(0, 256, (2, 9, 11, 3), np.uint8)


def write_onnx(
    path: Path,
    *,
    white: float = 1.0,
    black: float = 0.0,
    scale: float = 4.0,
    sides: tuple[Any, Any] = ("h", "w"),
    channels: int = 3,
    dtype: int = TensorProto.FLOAT,
    channels_last: bool = False,
    gain: float = 1.0,
    batch: Any = "b",
    power: float = 0.0,
) -> Path:
    """A network that enlarges cubically, sharpens a little, and bounds its numbers."""
    kernel = np.zeros((channels, channels, 3, 3), np.float32)
    for one in range(channels):
        kernel[one, one] = [[0, -0.05, 0], [-0.05, 1.2, -0.05], [0, -0.05, 0]]
    arrays = {
        "scales": np.array([1, 1, scale, scale], np.float32),
        "body.0/conv:weight": kernel * np.float32(gain),
        "least": np.array(black, np.float32),
        "most": np.array(white, np.float32),
        "power": np.array(power, np.float32),
    }
    turn, back = ([0, 3, 1, 2], [0, 2, 3, 1]) if channels_last else ([0, 1, 2, 3],) * 2
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["turned"], perm=turn),
        helper.make_node("Resize", ["turned", "", "scales"], ["large"], mode="cubic"),
        helper.make_node("Conv", ["large", "body.0/conv:weight"], ["sharp"], pads=[1, 1, 1, 1]),
        helper.make_node("Abs", ["sharp"], ["size"]),
        helper.make_node("Pow", ["size", "power"], ["factor"]),
        helper.make_node("Mul", ["sharp", "factor"], ["bent"]),
        helper.make_node("Clip", ["bent", "least", "most"], ["bounded"]),
        helper.make_node("Transpose", ["bounded"], ["sr"], perm=back),
    ]
    shape = [batch, *sides, channels] if channels_last else [batch, channels, *sides]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("image", dtype, shape)],
        [helper.make_tensor_value_info("sr", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def by_onnx_runtime(path: Path, range_: Range, *, channels_last: bool = False) -> np.ndarray:
    """Grey levels of IMAGE, float32."""
    session = onnxruntime.InferenceSession(path)
    images = IMAGE / np.float32(255) * (range_.white - range_.black) + range_.black
    images = images if channels_last else images.transpose(0, 3, 1, 2)
    dtype = np.uint8 if "uint8" in session.get_inputs()[0].type else np.float32
    (made,) = session.run(None, {"image": images.astype(dtype)})
    made = made if channels_last else made.transpose(0, 2, 3, 1)
    return np.clip((made - range_.black) / (range_.white - range_.black) * 255, 0, 255)


@pytest.mark.parametrize(
    ("range_", "settings"),
    [
        (Range(0, 1), {}),
        (Range(0, 255), {}),
        # x · |x|^0.2 keeps -1, 0 and 1; what is linear has no range of its own
        (Range(-1, 1), {"power": 0.2}),
        (Range(0, 1), {"channels_last": True}),
        (Range(0, 255), {"dtype": TensorProto.UINT8}),
        (Range(0, 1), {"scale": 2.0}),
    ],
)
def test_the_numbers_that_a_network_means(
    tmp_path: Path, range_: Range, settings: dict[str, Any]
) -> None:
    black, white = range_
    path = write_onnx(tmp_path / "network.onnx", black=black, white=white, **settings)
    generator = load_generator(path)
    found = generator.signatures["unrounded"](image=tf.constant(IMAGE))["sr"]
    expected = by_onnx_runtime(path, range_, channels_last="channels_last" in settings)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)
    assert generator.facts.scale == settings.get("scale", 4)
    assert generator.facts.weights == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ("from_levels" in generator.signatures) == ("dtype" not in settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sides": (64, 48)}, "takes images of 48x64 alone; export it with sizes that may change"),
        ({"channels": 1}, r"takes \['?None'?, 1, None, None\]; a generator takes RGB"),
        ({"scale": 1.0}, "a generator enlarges by a whole factor"),
        ({"scale": 1.5}, "a generator enlarges by a whole factor"),
        ({"gain": 0.2}, "does not enlarge: what it makes of a picture is .* dB from bicubic"),
        ({"gain": float("nan")}, "does not enlarge: what it makes of a picture is not finite"),
    ],
)
def test_what_is_no_generator(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    path = write_onnx(tmp_path / "network.onnx", **settings)
    with pytest.raises(DataError, match=message) as caught:
        load_generator(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_a_size_that_a_network_does_not_take(tmp_path: Path) -> None:
    """As window attention without padding: sides have to be multiples of 8."""
    path = write_onnx(tmp_path / "network.onnx")
    model = onnx.load(path)
    cut = helper.make_node("SpaceToDepth", ["turned"], ["deep"], blocksize=8)
    back = helper.make_node("DepthToSpace", ["deep"], ["again"], blocksize=8)
    nodes = list(model.graph.node)
    nodes[2].input[0] = "again"
    del model.graph.node[:]
    model.graph.node.extend([*nodes[:2], cut, back, *nodes[2:]])
    onnx.save(model, path)
    with pytest.raises(DataError, match="cannot enlarge 1 images of 5x7, and a generator takes"):
        load_generator(path)


def test_a_batch_that_the_file_fixes_does_not_matter(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "network.onnx", batch=1)
    sr = load_generator(path).signatures["unrounded"](image=tf.constant(IMAGE))["sr"]
    assert sr.shape == (2, 36, 44, 3)


class Foreign(tf.Module):
    """A SavedModel of another program: 0 to 255 in float32, nothing bounded, other names."""

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.gain = tf.Variable(tf.constant(1.0))
        self._scale = scale

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def enlarge(self, lr):
        size = tf.shape(lr)[1:3] * self._scale
        return {"output_0": tf.image.resize(lr, size, "bicubic") * self.gain}


def test_a_saved_model_of_another_make(tmp_path: Path, vivid_dir: Path) -> None:
    module = Foreign()
    tf.saved_model.save(module, str(tmp_path / "foreign"), signatures=module.enlarge)
    expected = np.clip(module.enlarge(tf.constant(IMAGE, tf.float32))["output_0"], 0, 255)
    fused = build(tmp_path / "foreign", vivid_dir, tmp_path / "fused")
    sr = Upscaler(fused)(IMAGE, xi=0)
    assert np.abs(sr - expected).max() < 0.51


def test_an_onnx_file_is_fused(tmp_path: Path, vivid_dir: Path) -> None:
    path = write_onnx(tmp_path / "span_x4.onnx")
    fused = Upscaler(build(path, vivid_dir, tmp_path / "fused"))
    path.rename(tmp_path / "elsewhere")  # the model needs it no more
    expected = by_onnx_runtime(tmp_path / "elsewhere", Range(0, 1))
    assert np.abs(fused(IMAGE, xi=0) - expected).max() < 0.51
    np.testing.assert_array_equal(fused(IMAGE, xi=1), Upscaler(vivid_dir)(IMAGE))
    assert np.abs(fused(IMAGE, max_deviation=8).astype(int) - fused(IMAGE, xi=0)).max() <= 8
    # a kernel of 3x3 at 4x after taps of 4: 3 LR pixels
    assert 2 <= fused.radius <= 4


def test_other_runtimes_compute_what_was_fused(tmp_path: Path, network_dirs: Any) -> None:
    """Two files of two makes; both take unrounded levels, as photos of 16 bits need it."""
    path = write_onnx(tmp_path / "span_x4.onnx")
    models = [
        Upscaler(build(path, network_dirs[1], tmp_path / "fused")),
        Upscaler(build(path, network_dirs[1], tmp_path / "onnx", format="onnx"), runtime="onnx"),
    ]
    for xi in (0.0, 0.5, 1.0):
        found = [model(IMAGE, xi=xi).astype(int) for model in models]
        assert np.abs(found[0] - found[1]).max() <= 1
    deep = [model(IMAGE.astype(np.uint16) * 257, xi=0.0).astype(int) for model in models]
    assert np.abs(deep[0] - deep[1]).max() <= 8  # of 65535


def test_a_scale_that_does_not_fit(tmp_path: Path, vivid_dir: Path) -> None:
    path = write_onnx(tmp_path / "x2.onnx", scale=2.0)
    with pytest.raises(DataError, match="fuse models of the same scale"):
        build(path, vivid_dir, tmp_path / "fused")
    assert not (tmp_path / "fused").exists()


def test_the_command(
    tmp_path: Path, vivid_dir: Path, subprocess_environment: dict[str, str]
) -> None:
    path = write_onnx(tmp_path / "span_x4.onnx")
    command = [sys.executable, "-m", "fusion.export", f"--vivid={vivid_dir}"]

    def run(file: Path, output: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*command, f"--faithful={file}", f"--output={output}"],
            cwd=tmp_path,
            env=subprocess_environment,
            capture_output=True,
            text=True,
        )

    done = run(path, "fused")
    assert (done.returncode, done.stdout, done.stderr) == (0, "fused/1\n", "")
    missing = run(tmp_path / "none.onnx", "other")
    assert missing.returncode == 1
    assert missing.stderr == f"fusion.export: {tmp_path / 'none.onnx'}: no such file\n"
