"""The fused model in LiteRT's format (once TensorFlow Lite): `fused.tflite`, the whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from fusion.formats.portable_model import FUSED, PortableModel
from fusion.formats.runtime_check import Run
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.tensorflow_start import held_back_stderr

SUFFIX = ".tflite"


def write(model: PortableModel, directory: Path) -> dict[str, Run]:
    """Writes the function `fused` and loads it again.

    Args:
        model: What to write.
        directory: Where to.

    Returns:
        What was written, loaded, by the function's name.

    Raises:
        UsageError: The package ai-edge-litert is not installed.
    """
    require_extra("litert")
    concrete = model.functions[FUSED].get_concrete_function()
    path = directory / f"{FUSED}{SUFFIX}"
    with held_back_stderr():  # reports of the conversion
        path.write_bytes(
            tf.lite.TFLiteConverter.from_concrete_functions([concrete], model).convert()
        )
    return {FUSED: _LiteRtModel(path)}


class _LiteRtModel:
    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

        self._run = Interpreter(model_path=os.fspath(path)).get_signature_runner()

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        with held_back_stderr():  # it announces what it runs on
            return self._run(**inputs)
