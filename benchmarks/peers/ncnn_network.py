"""Networks in ncnn's files, as packages of peers ship them, run by TensorFlow.

A `.param` file lists layers in text, one a line: kind, name, numbers of inputs and outputs, their
names, and settings as key=value. A `.bin` file holds the weights in the same order. What SPAN and
its relatives need is here: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure and
https://github.com/Tencent/ncnn/wiki/operators.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sr_program.errors import DataError

_MAGIC = "7767517"
# What stands before the weights of a convolution: they are float32, or float16.
_FLOAT32, _FLOAT16 = 0, 0x01306B47
_BINARY: dict[int, Callable[[Any, Any], Any]] = {0: tf.add, 1: tf.subtract, 2: tf.multiply}


@dataclasses.dataclass(frozen=True)
class _Layer:
    kind: str
    inputs: list[str]
    outputs: list[str]
    settings: dict[int, float]
    weights: tuple[NDArray[np.float32], ...] = ()

    def setting(self, key: int, default: int = 0) -> int:
        return int(self.settings.get(key, default))


class NcnnNetwork:
    """A network with one input and one output, both images of values in [0, 1].

    Example:
        >>> network = NcnnNetwork(Path("spanx4_ch48.param"))
        >>> sr = network(image)  # float32 [H, W, 3] -> [4H, 4W, 3]
    """

    def __init__(self, param: Path) -> None:
        """Reads the network.

        Args:
            param: The `.param` file; the `.bin` file lies beside it.

        Raises:
            DataError: A file is missing or damaged, or has a layer that is not known here.
        """
        try:
            lines = param.read_text().splitlines()
            weights = _Weights(param.with_suffix(".bin").read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{param}: cannot be read ({error})") from error
        if not lines or lines[0].strip() != _MAGIC:
            raise DataError(f"{param}: is no .param file of ncnn")
        try:
            self._layers = [_layer(line, weights) for line in lines[2:] if line.strip()]
        except ValueError as error:
            raise DataError(f"{param}: {error}") from error
        if not weights.all_read:
            raise DataError(f"{param.with_suffix('.bin')}: is longer than its .param file says")
        signature = [tf.TensorSpec([1, None, None, 3], tf.float32)]
        self._compiled = tf.function(self.run, input_signature=signature)

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Runs the network on one image.

        Args:
            image: float32 [H, W, 3], RGB, 0..1.

        Returns:
            float32 [H', W', 3], not clipped.
        """
        return self._compiled(tf.constant(image[None])).numpy()[0]

    def run(self, image: tf.Tensor) -> tf.Tensor:
        """The network as a function of a graph: images [B, H, W, 3] in, larger ones out."""
        values: dict[str, Any] = {}
        for layer in self._layers:
            given = [values[name] for name in layer.inputs]
            result = image if layer.kind == "Input" else _KINDS[layer.kind](layer, given)
            values.update(dict.fromkeys(layer.outputs, result))
        return result


class _Weights:
    """The numbers of a `.bin` file, read from its beginning."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    @property
    def all_read(self) -> bool:
        return self._place == len(self._content)

    def plain(self, count: int, dtype: Any = np.float32) -> NDArray[Any]:
        size = count * np.dtype(dtype).itemsize
        if self._place + size > len(self._content):
            raise ValueError("its .bin file is cut off")
        found = np.frombuffer(self._content, dtype, count, self._place)
        self._place += (size + 3) // 4 * 4  # arrays begin at multiples of four bytes
        return found

    def tagged(self, count: int) -> NDArray[np.float32]:
        tag = int(self.plain(1, np.uint32)[0])
        if tag not in (_FLOAT32, _FLOAT16):
            raise ValueError(f"its weights have the tag {tag:#x}; float32 and float16 are known")
        return self.plain(count, np.float16 if tag == _FLOAT16 else np.float32).astype(np.float32)


def _layer(line: str, weights: _Weights) -> _Layer:
    kind, _, num_inputs, num_outputs, *rest = line.split()
    first, last = int(num_inputs), int(num_inputs) + int(num_outputs)
    settings = {int(key): float(value) for key, value in (one.split("=") for one in rest[last:])}
    layer = _Layer(kind, rest[:first], rest[first:last], settings)
    if kind not in (*_KINDS, "Input"):
        raise ValueError(f"layers of the kind {kind} are not known here")
    if kind == "MemoryData":
        shape = [layer.setting(key, 1) for key in (1, 0, 2)]  # height, width, channels
        values = weights.plain(int(np.prod(shape))).reshape(shape[2], shape[0], shape[1])
        return dataclasses.replace(layer, weights=(values.transpose(1, 2, 0)[None],))
    if kind == "Convolution":
        return dataclasses.replace(layer, weights=_convolution_weights(layer, weights))
    return layer


def _convolution_weights(layer: _Layer, weights: _Weights) -> tuple[NDArray[np.float32], ...]:
    filters, side, count = layer.setting(0), layer.setting(1), layer.setting(6)
    unusual = [key for key in (2, 3) if layer.setting(key, 1) != 1]
    if unusual or layer.setting(4) != side // 2 or side % 2 == 0:
        raise ValueError("a convolution has a stride, a dilation or no padding to its own size")
    kernel = weights.tagged(count).reshape(filters, -1, side, side).transpose(2, 3, 1, 0)
    bias = weights.plain(filters) if layer.setting(5) else np.zeros(filters, np.float32)
    return kernel, bias


def _convolution(layer: _Layer, given: list[Any]) -> Any:
    kernel, bias = layer.weights
    return tf.nn.conv2d(given[0], kernel, 1, "SAME") + bias


def _binary(layer: _Layer, given: list[Any]) -> Any:
    operation = _BINARY[layer.setting(0)]
    return operation(given[0], layer.settings[2] if layer.setting(1) else given[1])


def _shuffled(layer: _Layer, given: list[Any]) -> Any:
    """In ncnn channels are those of a colour together; TensorFlow's those of a place."""
    scale, channels = layer.setting(0), given[0].shape[-1]
    colours = channels // scale**2
    order = np.arange(channels).reshape(colours, scale**2).T.ravel()
    return tf.nn.depth_to_space(tf.gather(given[0], order, axis=-1), scale)


_KINDS: dict[str, Callable[[_Layer, list[Any]], Any]] = {
    "BinaryOp": _binary,
    "Concat": lambda layer, given: tf.concat(given, -1),
    "Convolution": _convolution,
    "MemoryData": lambda layer, given: layer.weights[0],
    "PixelShuffle": _shuffled,
    "Sigmoid": lambda layer, given: tf.sigmoid(given[0]),
    "Split": lambda layer, given: given[0],
    "Swish": lambda layer, given: tf.nn.silu(given[0]),
}
