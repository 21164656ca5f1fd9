"""The fused model in OpenVINO's format.

`fused.xml` is the whole; `generators.xml` gives both images, unrounded, for images that
come in tiles. What the merge after them needs to know stands in facts.json.

Left to itself OpenVINO computes a model of float32 in bfloat16 where the processor has it, and one
value in six then differs. A model cannot say otherwise in its file: who compiles it chooses
float32 by INFERENCE_PRECISION_HINT=f32, as `fusion.formats.openvino_model` does.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from fusion.formats import onnx as onnx_format
from fusion.formats.int8 import Photos, quantize
from fusion.formats.openvino_model import OpenVinoModel, import_openvino, openvino_core
from fusion.formats.openvino_rectifiers import fuse_rectifiers
from fusion.formats.portable_model import PortableModel
from fusion.formats.runtime_check import Run

SUFFIX = ".xml"


def write(
    model: PortableModel, directory: Path, int8_photos: Photos | None = None
) -> dict[str, Run]:
    """Writes both functions and loads them again.

    Args:
        model: What to write.
        directory: Where to.
        int8_photos: To compute in int8: photos to measure ranges on, see `fusion.formats.int8`.

    Returns:
        What was written, loaded, by the function's name.

    Raises:
        DataError: The networks cannot compute in int8.
        UsageError: OpenVINO is not installed; or, for int8, a package of the extra `onnx`.
    """
    if int8_photos is not None:
        _write_int8(model, directory, int8_photos)
        return {name: OpenVinoModel(directory / f"{name}{SUFFIX}") for name in model.functions}
    for name, function in model.functions.items():
        write_function(model, function, directory / f"{name}{SUFFIX}")
    return {name: OpenVinoModel(directory / f"{name}{SUFFIX}") for name in model.functions}


def write_function(module: tf.Module, function: Any, path: Path) -> None:
    """Writes one function as `.xml` and `.bin`.

    Args:
        module: Holds the function's variables.
        function: A `tf.function` with an input signature that returns tensors by name.
        path: The `.xml`.

    Raises:
        UsageError: OpenVINO is not installed.
    """
    # Read from a SavedModel by OpenVINO itself: its Python converter reports its use to its maker.
    with tempfile.TemporaryDirectory(prefix="bi-gans-st-") as saved_model:
        tf.saved_model.save(module, saved_model, signatures=function)
        converted = openvino_core().read_model(saved_model)
    _save(converted, path)


def _write_int8(model: PortableModel, directory: Path, photos: Photos) -> None:
    """Writes both functions by way of ONNX, whose marks of 8 bits OpenVINO understands."""
    with tempfile.TemporaryDirectory(prefix="bi-gans-st-") as folder:
        for path in onnx_format.write_networks(model, Path(folder)):
            quantize(path, photos, outputs=False)
            converted = openvino_core().read_model(path)
            _save(converted, directory / f"{path.stem}{SUFFIX}")


def _save(converted: Any, path: Path) -> None:
    fuse_rectifiers(converted)
    try:
        import_openvino().save_model(converted, os.fspath(path), compress_to_fp16=False)
    except RuntimeError as error:  # it does not tell why
        raise OSError(None, "cannot be written; is the disk full?", os.fspath(path)) from error
