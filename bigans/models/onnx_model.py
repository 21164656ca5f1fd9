"""Generators in ONNX Runtime, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bigans.models.loaded_model import hash_of_files
from bigans.models.memory import ONNX_RUNTIME
from bigans.models.merged_in_numpy import MergedInNumpy, no_facts
from fusion.formats.onnx_model import GENERATORS_FILE, OnnxModel
from sr_program.model_facts import read_facts


class OnnxGenerators(MergedInNumpy):
    """A model in the format of ONNX; it computes in what it was exported for."""

    def __init__(self, directory: Path) -> None:
        """Loads a model (about a second).

        Args:
            directory: Holds generators.onnx and facts.json, see `fusion.formats.onnx`.

        Raises:
            DataError: The model is missing or damaged, or has no facts.
            UsageError: A package of the extra `onnx` is not installed.
        """
        path = directory / GENERATORS_FILE
        network = OnnxModel(path)
        facts = read_facts(directory)
        if facts is None:
            raise no_facts(path, "facts.json is missing", "onnx")
        identity = f"{hash_of_files([path])} in ONNX Runtime"
        takes_levels = network.inputs.get("image") != np.uint8
        super().__init__(
            network, facts, ONNX_RUNTIME, directory, identity, takes_levels=takes_levels
        )
