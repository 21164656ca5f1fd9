"""A model in OpenVINO's format, loaded: arrays in, arrays out, without TensorFlow."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sr_program.errors import DataError, UsageError, last_line
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.out_of_memory import out_of_memory
from sr_program.machine.precision import Precision

# Said explicitly: left to itself OpenVINO takes bfloat16 where the machine has AMX.
_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}

GENERATORS_FILE = "generators.xml"

# What exports wrote into the `.xml` before there was facts.json, beside what OpenVINO keeps there.
_FACTS = "bi_gans_st"


def import_openvino() -> ModuleType:
    """The package openvino.

    Raises:
        UsageError: It is not installed.
    """
    require_extra("openvino")
    # Its import reports to its maker that it took place, unless this package is missing.
    sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
    import openvino  # pyright: ignore[reportMissingImports]

    return openvino


@functools.cache
def openvino_core() -> Any:
    """The process's one `openvino.Core`, which stays until its end.

    A Core's CPU plugin puts a stack for signals of its own in the place of the one before, and when
    it is gone that one is back, if need be the stack of another Core that is gone: the next Ctrl-C
    would end the process with a segmentation fault.

    Raises:
        UsageError: OpenVINO is not installed.
    """
    return import_openvino().Core()


class OpenVinoModel:
    """One `.xml` with its `.bin`, compiled for the CPU. Calls may come from several threads.

    Sizes are dynamic. Measured on two cores with the shipped generators, an image of 256x256 takes
    the same processor time as in a model compiled for its size (7.4 s), and nothing is compiled
    when the size changes; a model for each size would need 6 kB instead of 14 kB an LR pixel.

    Attributes:
        path: The `.xml`.
        inputs: What it takes: dtypes by name.
        outputs: Names of what it gives.
        old_facts: What exports wrote into the `.xml` before there was facts.json.
    """

    def __init__(self, path: str | os.PathLike[str], precision: Precision = "float32") -> None:
        """Loads and compiles a model.

        Args:
            path: The `.xml`; the `.bin` lies beside it.
            precision: What the networks compute in. In bfloat16 the outputs are float32 all the
                same, and so is what follows the last convolution.

        Raises:
            DataError: The model is missing or damaged.
            UsageError: OpenVINO is not installed, or an unknown `precision`.
        """
        core = openvino_core()
        if precision not in _HINTS:
            raise UsageError(f"precision is {precision!r}; choose one of {', '.join(_HINTS)}")
        self.path = Path(path)
        try:
            model = core.read_model(self.path)
            compiled = core.compile_model(
                model,
                "CPU",
                {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"},
            )
        except RuntimeError as error:
            raise DataError(
                f"{path}: not an OpenVINO model that can be loaded ({last_line(error)}); "
                "export it again"
            ) from error
        self.inputs = {
            one.any_name: np.dtype(one.get_element_type().to_dtype()) for one in compiled.inputs
        }
        # Of the model as written: a value that is renamed on its way out has names of both places
        # once it is compiled.
        self._names = [one.any_name for one in model.outputs]
        self.outputs = frozenset(self._names)
        self.old_facts = _facts(model)
        # One request is one set of buffers; it takes all cores anyway.
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the model.

        Args:
            inputs: By name, of the model's ranks; cast to its dtypes, which must hold the values.

        Returns:
            The outputs by name; the caller owns them.

        Raises:
            DataError: Memory ran out.
        """
        arrays = {
            name: np.ascontiguousarray(value, self.inputs.get(name))
            for name, value in inputs.items()
        }
        try:
            with self._lock:
                results = self._request.infer(arrays)
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "alloc" not in str(error):
                raise
            height, width = inputs["image"].shape[1:3]
            raise out_of_memory(height, width) from error
        return dict(zip(self._names, results.values(), strict=True))


def _facts(model: Any) -> dict[str, str]:
    if not model.has_rt_info([_FACTS]):
        return {}
    return {name: str(value) for name, value in model.get_rt_info([_FACTS]).value.items()}
