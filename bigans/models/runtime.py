"""What computes: TensorFlow, or OpenVINO, which is faster on x86 CPUs."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Literal, get_args

from bigans.models.openvino_model import OpenVinoTowers
from bigans.models.tensorflow_model import Model
from bigans.pretrained.openvino_models import openvino_model
from fusion.export import find_saved_model
from fusion.formats.openvino_model import TOWERS_FILE
from fusion.modes import NoTowersError
from sr_program.errors import UsageError
from sr_program.files.versions import latest_version
from sr_program.machine.optional_packages import is_installed
from sr_program.machine.precision import Precision

Runtime = Literal["tensorflow", "openvino", "auto"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

AnyModel = Model | OpenVinoTowers


def chosen_runtime(runtime: Runtime) -> Literal["tensorflow", "openvino"]:
    """What "auto" stands for on this machine: OpenVINO where it is installed, on x86 CPUs.

    Raises:
        ValueError: Another name of a runtime.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime is {runtime!r}; choose one of {', '.join(RUNTIMES)}")
    if runtime != "auto":
        return runtime
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return "openvino" if is_x86 and is_installed("openvino") else "tensorflow"


def needs_tensorflow(directory: str | os.PathLike[str], runtime: Runtime) -> bool:
    """Whether `load_model` will certainly import TensorFlow.

    Raises:
        DataError: There is no model.
    """
    if _exported_for_openvino(directory) is None:
        find_saved_model(directory)
    return chosen_runtime(runtime) == "tensorflow"


def load_model(
    directory: str | os.PathLike[str],
    runtime: Runtime = "tensorflow",
    precision: Precision = "float32",
    cache_dir: str | os.PathLike[str] | None = None,
) -> AnyModel:
    """Loads a model.

    Args:
        directory: A SavedModel, a directory of numbered versions of it, or the same of what
            `fusion.export --format=openvino` writes.
        runtime: "openvino" converts a SavedModel when it is first seen; "auto" falls back to
            TensorFlow where that is not possible.
        precision: For OpenVINO.
        cache_dir: Where converted models are kept; see `bigans.pretrained.saved_models`.

    Raises:
        DataError: There is no model, or it is not one that enlarges.
        UsageError: OpenVINO is not installed, or an OpenVINO model for TensorFlow.
        ValueError: Another name of a runtime.
    """
    chosen = chosen_runtime(runtime)
    exported = _exported_for_openvino(directory)
    if exported is not None:
        if runtime == "tensorflow":
            raise UsageError(f"{directory} is a model for OpenVINO; use --runtime=openvino")
        return OpenVinoTowers(exported, precision)
    if chosen == "tensorflow":
        return Model(directory)
    saved_model = find_saved_model(directory)
    try:
        converted = openvino_model(saved_model, cache_dir)
    except NoTowersError:
        if runtime == "auto":
            return Model(directory)
        raise
    return OpenVinoTowers(converted, precision, source=saved_model)


def _exported_for_openvino(directory: str | os.PathLike[str]) -> Path | None:
    root = Path(directory)
    exported = latest_version(root, TOWERS_FILE) if root.is_dir() else None
    return None if exported and (exported / "saved_model.pb").is_file() else exported
