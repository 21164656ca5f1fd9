"""A network in an ONNX file as a function of TensorFlow, whose graph and weights can be saved."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fusion.foreign.onnx_operators import OPERATORS
from fusion.foreign.unsupported import Unsupported
from sr_program.errors import DataError, first_line
from sr_program.machine.optional_packages import require_extra

# Larger arrays are weights, which a SavedModel keeps beside its graph.
_LARGEST_CONSTANT = 64


class OnnxNetwork(tf.Module):
    """The graph of an ONNX file. Halves and doubles become float32.

    Attributes:
        input_shape: Of the image: whole numbers, or None where a size may change.
        takes_uint8: Whether the image is uint8; else it is float32.

    Example:
        >>> network = OnnxNetwork("span_x4.onnx")
        >>> sr = network(tf.zeros([1, 3, 24, 24]))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Reads the file.

        Raises:
            DataError: It is missing or damaged, has more than one input, or an operator that is not
                known here.
            UsageError: A package of the extra `onnx` is not installed.
        """
        super().__init__(name="onnx_network")
        require_extra("onnx")
        import onnx  # pyright: ignore[reportMissingImports]

        self._path = os.fspath(path)
        try:
            model = onnx.load(self._path)
        # The parser's errors have no common class.
        except Exception as error:
            raise DataError(
                f"{path}: not an ONNX file that can be read ({first_line(error)})"
            ) from error
        graph = model.graph
        if not graph.node:
            raise DataError(f"{path}: not an ONNX file that can be read (it holds no network)")
        self._variables: dict[str, tf.Variable] = {}
        self._constants: dict[str, NDArray[Any]] = {}
        for initializer in graph.initializer:
            self._keep(initializer.name, onnx.numpy_helper.to_array(initializer))
        self._nodes = [
            _Node(node, {one.name: _value(onnx, one) for one in node.attribute})
            for node in graph.node
        ]
        inputs = [one for one in graph.input if one.name not in self._given()]
        if len(inputs) != 1 or not graph.output:
            names = ", ".join(one.name for one in inputs)
            raise DataError(f"{path}: has the inputs {names}; a generator has one, an image")
        tensor = inputs[0].type.tensor_type
        self._input, self._output = inputs[0].name, graph.output[0].name
        self.takes_uint8 = tensor.elem_type == onnx.TensorProto.UINT8
        self.input_shape = tuple(
            size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim
        )
        unknown = sorted({node.kind for node in self._nodes} - set(OPERATORS))
        if unknown:
            raise DataError(f"{path}: has operators that are not known here: {', '.join(unknown)}")

    # Its branches are those of the file, not of values in the graph.
    @tf.autograph.experimental.do_not_convert
    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        """Runs the network.

        Args:
            image: Float32, or what `takes_uint8` says, of the input's layout.

        Returns:
            Its first output.

        Raises:
            DataError: A setting of an operator is not known here.
        """
        values: dict[str, Any] = {
            **self._constants,
            **self._variables,
            self._input: image,
            "": None,
        }
        for node in self._nodes:
            try:
                made = node.run(values)
            except Unsupported as error:
                raise DataError(f"{self._path}: has {error}, which is not known here") from None
            values.update(zip(node.outputs, made, strict=False))
        return values[self._output]

    def _given(self) -> set[str]:
        return {*self._constants, *self._variables}

    def _keep(self, name: str, array: NDArray[Any]) -> None:
        array = _in_float32(array)
        if array.dtype == np.float32 and array.size > _LARGEST_CONSTANT:
            self._variables[name] = tf.Variable(tf.constant(array), trainable=False)
        else:
            self._constants[name] = array


class _Node:
    """An operator with its settings, and the names of what it takes and gives."""

    def __init__(self, node: Any, attributes: Mapping[str, Any]) -> None:
        domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
        self.kind = domain + node.op_type
        self.inputs: Sequence[str] = list(node.input)
        self.outputs: Sequence[str] = list(node.output)
        self._attributes = attributes
        if self.kind == "Constant":
            self.kind = "Identity"
            self._constant: Any = _in_float32(np.asarray(next(iter(attributes.values()))))
        else:
            self._constant = None

    def run(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The outputs."""
        if self._constant is not None:
            return [self._constant]
        inputs = [values[name] for name in self.inputs]
        made = OPERATORS[self.kind](inputs, self._attributes)
        return made if isinstance(made, list) else [made]


def _value(onnx: Any, attribute: Any) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    is_tensor = isinstance(value, onnx.TensorProto)
    return onnx.numpy_helper.to_array(value) if is_tensor else value


def _in_float32(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype in (np.float16, np.float64) else array
