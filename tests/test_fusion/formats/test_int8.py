"""Networks in int8, read by their own runtimes and compared with float32."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from fusion.exporting import Format, build
from fusion.formats import int8
from fusion.formats.int8 import calibration_photos, check_quantized
from sr_program.errors import DataError, UsageError
from sr_program.machine.optional_packages import is_installed
from tests.test_fusion.conftest import NetworkGenerator, save_generator
from tests.test_fusion.formats.test_formats import read

FORMATS: tuple[Format, ...] = ("onnx", "openvino")


def require(format: str) -> None:
    for extra in {"onnx", format}:
        if not is_installed(extra):
            pytest.skip(f"needs the extra {extra}: pip install 'bi-gans-st[{extra}]'")


def smooth_photo(seed: int, height: int = 40, width: int = 56) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        Image.fromarray(smooth_photo(seed)).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def wide_dirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Generators whose middle convolution has 16 channels on both sides."""
    folders = tmp_path_factory.mktemp("wide_faithful"), tmp_path_factory.mktemp("wide_vivid")
    for seed, folder in enumerate(folders):
        generator: Any = NetworkGenerator(seed, features=16)
        generator.tail.assign(
            0.3 * generator.tail
        )  # a photo's range, not noise from black to white
        save_generator(generator, folder)
    return folders


@pytest.mark.parametrize(
    ("flags", "largest"),
    [
        ({"avx2", "fma"}, 64),
        ({"avx2", "avx512f"}, 64),
        ({"avx2", "avx512f", "avx512_vnni"}, 127),
        ({"avx2", "avx_vnni"}, 127),
        (set(), 127),  # not an x86
    ],
)
def test_weights_are_as_wide_as_the_processors_sums_allow(
    wide_dirs: tuple[Path, Path],
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: set[str],
    largest: int,
) -> None:
    require("onnx")
    import onnx  # pyright: ignore[reportMissingImports]

    monkeypatch.setattr(int8, "cpu_flags", lambda: frozenset(flags))
    # Whether this machine's sums hold the results of 8 bits is another matter.
    monkeypatch.setattr(int8, "_NEAREST", 0.0)
    directory = build(*wide_dirs, tmp_path / "int8", format="onnx", int8_photos=photos)
    weights = [
        onnx.numpy_helper.to_array(tensor)
        for path in directory.rglob("*.onnx")
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4
    ]
    assert weights
    assert max(int(np.abs(one.astype(int)).max()) for one in weights) == largest


def expected(dirs: tuple[Path, Path], output: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    saved: Any = tf.saved_model.load(str(build(*dirs, output)))
    generators = saved.signatures["generators"](image=tf.constant(image))
    fused = saved.signatures["serving_default"](
        image=tf.constant(image), xi=tf.constant([0.4]), max_deviation=tf.constant([-1.0])
    )
    return {name: value.numpy() for name, value in {**generators, **fused}.items()}


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


@pytest.mark.parametrize("format", FORMATS)
def test_near_float32_at_any_size(
    wide_dirs: tuple[Path, Path], photos: Path, tmp_path: Path, format: Format
) -> None:
    require(format)
    directory = build(*wide_dirs, tmp_path / "int8", format=format, int8_photos=photos)
    image = smooth_photo(9, 33, 21)[np.newaxis]
    whole = expected(wide_dirs, tmp_path / "float32", image)
    found = read(format, directory, "generators")(image=image.astype(np.float32))
    for name in ("faithful", "vivid"):
        assert found[name].shape == (1, 132, 84, 3)
        # Not float32 under another name, and not far from it.
        assert 40 < psnr(found[name], whole[name]) < 80
    numbers = {"xi": np.array([0.4], np.float32), "max_deviation": np.array([-1], np.float32)}
    fused = read(format, directory)(image=image, **numbers)["sr"]
    assert fused.dtype == np.uint8 and psnr(fused, whole["sr"]) > 40


def test_only_wide_convolutions_are_in_int8(
    wide_dirs: tuple[Path, Path], photos: Path, tmp_path: Path
) -> None:
    require("onnx")
    import onnx  # pyright: ignore[reportMissingImports]

    directory = build(*wide_dirs, tmp_path, format="onnx", int8_photos=photos)
    graph = onnx.load(str(directory / "generators.onnx")).graph
    made_by = {name: node for node in graph.node for name in node.output}
    constants = {value.name: value for value in graph.initializer}
    in_int8 = {}
    for node in graph.node:
        if node.op_type == "Conv":
            weights = made_by.get(node.input[1])
            kernel = constants[weights.input[0] if weights is not None else node.input[1]]
            in_int8[tuple(kernel.dims), kernel.data_type == onnx.TensorProto.INT8] = True
    # Output channels first: head, body, tail.
    assert set(in_int8) == {
        ((16, 3, 3, 3), False),
        ((16, 16, 3, 3), True),
        ((48, 16, 5, 5), True),
    }


def test_a_convolution_taken_apart_stays_in_float32_as_a_whole() -> None:
    """Nothing lies between its halves; before the body's convolutions there is an activation."""
    require("onnx")
    from onnx import helper  # pyright: ignore[reportMissingImports]

    from fusion.formats.int8 import _wide_convolutions

    channels = {"head": (16, 3), "body": (16, 16), "across": (60, 16), "down": (12, 60)}
    nodes, before = [], "image"
    for name in channels:
        nodes.append(helper.make_node("Conv", [before, f"{name}_kernel"], [name], name=name))
        before = name
        if name in ("head", "body"):
            nodes.append(helper.make_node("Relu", [name], [f"{name}_relu"]))
            before = f"{name}_relu"
    kernels = [
        helper.make_tensor(f"{name}_kernel", 1, (*dims, 1, 1), np.zeros(dims).ravel())
        for name, dims in channels.items()
    ]
    graph = helper.make_graph(nodes, "generator", [], [], initializer=kernels)
    assert _wide_convolutions(graph) == ["body"]


def test_the_upscaler_takes_it(wide_dirs: tuple[Path, Path], photos: Path, tmp_path: Path) -> None:
    require("openvino")
    from bigans import Upscaler

    directory = build(*wide_dirs, tmp_path / "int8", format="openvino", int8_photos=photos)
    image = smooth_photo(9, 20, 24)
    whole = expected(wide_dirs, tmp_path / "float32", image[np.newaxis])
    assert psnr(Upscaler(directory, runtime="openvino")(image, xi=0.4), whole["sr"][0]) > 40


def test_narrow_networks_have_nothing_to_gain(
    network_dirs: tuple[Path, Path], photos: Path, tmp_path: Path
) -> None:
    require("onnx")
    with pytest.raises(DataError, match="no convolution has 16 channels or more on both sides"):
        build(*network_dirs, tmp_path / "out", format="onnx", int8_photos=photos)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_result_too_far_from_float32(photos: Path) -> None:
    """30 grey levels of difference are 18.6 dB."""
    chosen = calibration_photos(photos)
    specification = [tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")]
    function = tf.function(
        lambda image: {"vivid": tf.cast(image, tf.float32)}, input_signature=specification
    )

    def near(inputs: Any) -> Any:
        return {"vivid": inputs["image"] + 2.0}

    def far(inputs: Any) -> Any:
        return {"vivid": inputs["image"] + 30.0}

    check_quantized({"generators": function}, {"generators": near}, chosen)
    with pytest.raises(DataError, match=r"int8 vivid of generators is 18\.6 dB from float32"):
        check_quantized({"generators": function}, {"generators": far}, chosen)


def test_the_middles_of_photos_taken_evenly(tmp_path: Path) -> None:
    for index in range(31):
        Image.fromarray(np.full((100, 300, 3), index, np.uint8)).save(tmp_path / f"{index:02}.png")
    chosen = calibration_photos(tmp_path)
    assert [photo.shape for photo in chosen] == [(1, 96, 96, 3)] * 16
    assert [int(photo.max()) for photo in chosen] == list(range(0, 31, 2))


def test_no_photos(network_dirs: tuple[Path, Path], tmp_path: Path) -> None:
    require("onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        build(*network_dirs, tmp_path / "out", format="onnx", int8_photos=tmp_path / "empty")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["saved_model", "litert"])
def test_formats_without_int8(
    network_dirs: tuple[Path, Path], photos: Path, tmp_path: Path, format: Format
) -> None:
    if format == "litert":
        require(format)
    with pytest.raises(UsageError, match="int8_photos has no effect on format .* choose openvino"):
        build(*network_dirs, tmp_path / "out", format=format, int8_photos=photos)


def test_the_command(wide_dirs: tuple[Path, Path], photos: Path, tmp_path: Path) -> None:
    require("onnx")
    command = [sys.executable, "-m", "fusion.export", "--format=onnx", f"--int8_photos={photos}"]
    command += [f"--faithful={wide_dirs[0]}", f"--vivid={wide_dirs[1]}", f"--output={tmp_path}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, json.dumps(result.stderr)
    assert result.stdout == f"{tmp_path / '1'}\n"
    assert result.stderr == ""
