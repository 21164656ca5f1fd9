"""The fused model in the format of ONNX, for ONNX Runtime.

`fused.onnx` is the whole; `generators.onnx` gives both images, unrounded. Rectifiers stay
max(x, 0) + a·min(x, 0): as PRelu nodes they are 15 % slower in ONNX Runtime 1.32 on a CPU, for the
whole network.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from fusion.formats.int8 import Photos, quantize
from fusion.formats.onnx_model import OnnxModel
from fusion.formats.portable_model import PortableModel
from fusion.formats.runtime_check import Run
from sr_program.machine.optional_packages import require_extra

SUFFIX = ".onnx"

# ONNX Runtime 1.14 (2023) and newer.
_OPSET = 18


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
        UsageError: A package of the extra `onnx` is not installed.
    """
    for path in write_networks(model, directory):
        if int8_photos is not None:
            quantize(path, int8_photos, outputs=True)
    return {name: OnnxModel(directory / f"{name}{SUFFIX}") for name in model.functions}


def write_networks(model: PortableModel, directory: Path) -> list[Path]:
    """Writes both functions, in float32.

    Args:
        model: What to write.
        directory: Where to.

    Returns:
        The files.

    Raises:
        UsageError: A package of the extra `onnx` is not installed.
    """
    require_extra("onnx")
    import onnx  # pyright: ignore[reportMissingImports]
    import tf2onnx  # pyright: ignore[reportMissingImports]

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    for name, function in model.functions.items():
        converted, _ = tf2onnx.convert.from_function(
            function,
            input_signature=function.input_signature,
            opset=_OPSET,
            custom_op_handlers={"SelectV2": (_select, []), "Snapshot": (_snapshot, [])},
        )
        _name_sizes(converted.graph)
        onnx.checker.check_model(converted)
        onnx.save(converted, os.fspath(directory / f"{name}{SUFFIX}"))
    return [directory / f"{name}{SUFFIX}" for name in model.functions]


def _select(context: Any, node: Any, name: str, arguments: Any) -> None:
    """Converts `tf.where`; tf2onnx itself multiplies by 0 and 1, and infinity times 0 is NaN."""
    node.type = "Where"


def _snapshot(context: Any, node: Any, name: str, arguments: Any) -> None:
    """Converts `tf.raw_ops.Snapshot`, which tf2onnx does not know; it changes no value."""
    node.type = "Identity"


def _name_sizes(graph: Any) -> None:
    """Gives the sizes that are not fixed names that mean something."""
    names = {
        "image": ("batch", "height", "width"),
        "xi": ("xi_count",),
        "max_deviation": ("max_deviation_count",),
    }
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        given = names.get(value.name, ("batch", "sr_height", "sr_width"))
        for size, name in zip(sizes, given, strict=False):
            size.dim_param = name
