"""A small network in ncnn's files against NumPy and SciPy, and folders of a teacher's images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate

from benchmarks.peers import saved_model, teacher_images
from benchmarks.peers.ncnn_network import NcnnNetwork
from sr_data.sources import FolderSource
from sr_data.teacher import Teacher
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError

MEAN = np.array([0.4, 0.5, 0.6], np.float32)
FILTERS = 48  # 3 colours, 4 times as high and wide
# x = 2 (image - MEAN); y = conv(x); y = y * (sigmoid(y) - 0.5) + swish(y); beside x; conv; shuffle
LAYERS = f"""7767517
12 14
Input image 0 1 in
MemoryData mean 0 1 mean 0=1 1=1 2=3
BinaryOp minus 2 1 in mean a 0=1
BinaryOp twice 1 1 a x 0=2 1=1 2=2.0
Split s1 1 2 x x1 x2
Convolution c1 1 1 x1 y 0=5 1=3 4=1 5=1 6=135
Split s2 1 3 y y1 y2 y3
Sigmoid g 1 1 y1 g
BinaryOp half 1 1 g h 0=1 1=1 2=5.000000e-01
BinaryOp times 2 1 y2 h t 0=2
Swish w 1 1 y3 w
BinaryOp sum 2 1 t w u
Concat cat 2 1 u x2 v
Convolution c2 1 1 v z 0={FILTERS} 1=1 4=0 5=0 6={8 * FILTERS}
PixelShuffle p 1 1 z out 0=4
"""


@pytest.fixture
def weights() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    shapes = (5, 3, 3, 3), (5,), (FILTERS, 8, 1, 1)
    first, bias, second = (rng.normal(0, 0.2, shape).astype(np.float32) for shape in shapes)
    return first.astype(np.float16).astype(np.float32), bias, second


@pytest.fixture
def param(tmp_path: Path, weights) -> Path:
    """The files: the first kernel in float16, 135 numbers and two bytes to the next array."""
    first, bias, second = weights
    parts = [MEAN.tobytes(), np.uint32(0x01306B47).tobytes(), first.astype(np.float16).tobytes()]
    parts += [bytes(2), bias.tobytes(), np.uint32(0).tobytes(), second.tobytes()]
    (tmp_path / "net.bin").write_bytes(b"".join(parts))
    (tmp_path / "net.param").write_text(LAYERS)
    return tmp_path / "net.param"


def by_hand(image: np.ndarray, weights) -> np.ndarray:
    first, bias, second = (one.astype(float) for one in weights)
    x = 2 * (image.astype(float) - MEAN)
    height, width = x.shape[:2]
    y = np.stack(
        [
            sum(
                correlate(np.pad(x[..., c], 1), kernel[c], mode="valid", method="direct")
                for c in range(3)
            )
            + bias[k]
            for k, kernel in enumerate(first)
        ],
        axis=-1,
    )
    sigmoid = 1 / (1 + np.exp(-y))
    v = np.concatenate([y * (sigmoid - 0.5) + y * sigmoid, x], axis=-1)
    z = v @ second[:, :, 0, 0].T
    out = np.empty((4 * height, 4 * width, 3))
    for colour in range(3):
        for row in range(4):
            for column in range(4):
                out[row::4, column::4, colour] = z[..., 16 * colour + 4 * row + column]
    return out


def test_it_computes_what_the_files_say(param: Path, weights) -> None:
    image = np.random.default_rng(1).random((6, 9, 3), np.float32)
    found = NcnnNetwork(param)(image)
    np.testing.assert_allclose(found, by_hand(image, weights), atol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("7767517", "7767518", "is no .param file of ncnn"),
        ("Swish w", "Gelu w", "layers of the kind Gelu are not known here"),
        ("4=1 5=1", "3=2 4=1 5=1", "a stride"),
        ("4=1 5=1", "4=0 5=1", "no padding to its own size"),
        ("6=135", "6=270", "its weights have the tag|its .bin file is cut off"),
    ],
)
def test_other_files_are_refused(param: Path, old: str, new: str, message: str) -> None:
    param.write_text(LAYERS.replace(old, new))
    with pytest.raises(DataError, match=message) as caught:
        NcnnNetwork(param)
    assert "\n" not in str(caught.value)


def test_a_file_of_weights_that_is_too_long_is_refused(param: Path) -> None:
    path = param.with_suffix(".bin")
    path.write_bytes(path.read_bytes() + bytes(4))
    with pytest.raises(DataError, match=r"net\.bin: is longer than"):
        NcnnNetwork(param)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        NcnnNetwork(param)


def test_the_images_are_a_teachers(
    param: Path, weights, tmp_path: Path, call_program: Callable[..., int], capsys
) -> None:
    photos, output = tmp_path / "photos", tmp_path / "taught"
    (photos / "deep").mkdir(parents=True)
    rng = np.random.default_rng(2)
    for name, shape in (("a.png", (21, 34, 3)), ("deep/b.png", (16, 12, 3))):
        write_rgb(photos / name, rng.integers(0, 256, shape, np.uint8))
    flags = [f"--data=folder:{photos}", f"--param={param}", f"--output={output}"]
    assert call_program(teacher_images.cli_main, *flags) == 0
    assert call_program(teacher_images.cli_main, *flags) == 0
    assert capsys.readouterr().out.splitlines() == ["2 images were made", "0 images were made"]
    source = FolderSource(photos)
    for number, name in enumerate(source.names):
        height, width = (side // 4 * 4 for side in source[number].shape[:2])
        hr = source[number][:height, :width]
        expected = by_hand(bicubic_downscale(hr, 4) / 255, weights) * 255
        taught = read_rgb((output / name).with_suffix(".png"))
        assert np.abs(taught - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-3
        np.testing.assert_array_equal(Teacher(output, 1.0).mixed(name, hr), taught)


def test_a_network_becomes_a_generator(
    param: Path, tmp_path: Path, call_program: Callable[..., int], capsys
) -> None:
    flags = [f"--param={param}", f"--output={tmp_path / 'model'}"]
    assert call_program(saved_model.cli_main, *flags) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'model' / '1'}\n"
    image = np.random.default_rng(4).integers(0, 256, (2, 9, 7, 3), np.uint8)
    loaded = tf.saved_model.load(str(tmp_path / "model" / "1"))
    found = loaded.signatures["serving_default"](image=tf.constant(image / np.float32(255)))
    (sr,) = found.values()
    for one, enlarged in zip(image, sr, strict=True):
        expected = NcnnNetwork(param)(one / np.float32(255))
        np.testing.assert_allclose(enlarged, expected, atol=1e-5)
    assert call_program(saved_model.cli_main, *flags) == 1
    assert "exists already" in capsys.readouterr().err


def test_wrong_flags(param: Path, call_program: Callable[..., int], capsys) -> None:
    assert call_program(teacher_images.cli_main, "--data=folder:x", f"--param={param}") == 2
    assert "--output is required" in capsys.readouterr().err
    assert call_program(saved_model.cli_main, f"--param={param}") == 2
    assert "--output is required" in capsys.readouterr().err
