"""Generators in OpenVINO, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bigans.models.loaded_model import hash_of_files
from bigans.models.memory import openvino_footprint
from bigans.models.merged_in_numpy import MergedInNumpy, no_facts
from fusion.formats.openvino_model import GENERATORS_FILE, OpenVinoModel
from sr_program.machine.precision import Precision
from sr_program.model_facts import ModelFacts, read_facts

# Every model of this program was 4x before facts.json told the scale.
_OLD_SCALE = 4


class OpenVinoGenerators(MergedInNumpy):
    """A model in OpenVINO's format."""

    def __init__(
        self, directory: Path, precision: Precision = "float32", source: Path | None = None
    ) -> None:
        """Loads and compiles a model (about a second).

        Args:
            directory: Holds generators.xml, see `fusion.formats.openvino` and
                `fusion.formats.saved_generators`.
            precision: What the networks compute in, beside what is in int8; the merge is float32.
            source: The SavedModel that it was made of, for messages.

        Raises:
            DataError: The model is missing or damaged, or was not written by this program.
            UsageError: OpenVINO is not installed.
        """
        path = directory / GENERATORS_FILE
        network = OpenVinoModel(path, precision)
        facts = read_facts(directory) or _old_facts(network)
        found = hash_of_files((path, path.with_suffix(".bin")))
        super().__init__(
            network,
            facts,
            openvino_footprint(precision),
            source or directory,
            f"{found} in OpenVINO, {precision}",
            takes_levels=network.inputs.get("image") != np.uint8,
        )


def _old_facts(network: OpenVinoModel) -> ModelFacts:
    """The facts of an export that had no facts.json; they stand in its `.xml`."""
    told: Any = dict(network.old_facts)
    reach = told.get("receptive_field")
    try:
        return ModelFacts(
            scale=_OLD_SCALE,
            radius=None if reach is None else int(reach),
            version=None,
            threshold=told.get("threshold"),
            delta=told.get("delta", ""),
        )
    except ValueError as error:
        raise no_facts(network.path, str(error), "openvino") from error
