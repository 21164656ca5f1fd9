"""A model in the format of ONNX, loaded: arrays in, arrays out, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sr_program.errors import DataError, first_line
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.out_of_memory import out_of_memory

GENERATORS_FILE = "generators.onnx"

# What ONNX Runtime calls the types of inputs here.
_DTYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class OnnxModel:
    """One `.onnx` in ONNX Runtime on the CPU. Calls may come from several threads.

    Attributes:
        path: The file.
        inputs: What it takes: dtypes by name.
        outputs: Names of what it gives.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Loads a model.

        Args:
            path: The `.onnx`.

        Raises:
            DataError: The model is missing or damaged.
            UsageError: A package of the extra `onnx` is not installed.
        """
        require_extra("onnx")
        import onnxruntime  # pyright: ignore[reportMissingImports]

        self.path = Path(path)
        providers = ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(os.fspath(path), providers=providers)
        # ONNX Runtime's errors have no class of their own but this one.
        except Exception as error:
            raise DataError(
                f"{path}: not an ONNX model that can be loaded ({first_line(error)}); "
                "export it again"
            ) from error
        self.inputs = {
            one.name: np.dtype(_DTYPES.get(one.type, np.float32))
            for one in self._session.get_inputs()
        }
        self.outputs = tuple(output.name for output in self._session.get_outputs())

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
            results = self._session.run(list(self.outputs), arrays)
        except Exception as error:
            if "alloc" not in str(error).lower() and not isinstance(error, MemoryError):
                raise
            height, width = inputs["image"].shape[1:3]
            raise out_of_memory(height, width) from error
        return dict(zip(self.outputs, map(np.asarray, results), strict=True))
