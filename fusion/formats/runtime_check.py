"""Compares a model that was written for another runtime with the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from fusion.formats.portable_model import PortableModel
from sr_program import contract

# Arrays by name to arrays by name.
Run = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


def check_runs(model: PortableModel, runs: Mapping[str, Run], directory: Path) -> None:
    """Compares what was written with the model in memory, on small images of noise.

    Args:
        model: In memory.
        runs: What was written, loaded again, by the function's name.
        directory: For messages.

    Raises:
        DataError: They differ.
    """
    random = np.random.default_rng(0)
    for height, width in ((12, 16), (7, 5)):
        image = random.integers(0, 256, (1, height, width, 3), np.uint8)
        for numbers in contract.TRIED:
            _check(model, runs, directory, image, numbers)


def _check(
    model: PortableModel,
    runs: Mapping[str, Run],
    directory: Path,
    image: np.ndarray,
    numbers: tuple[float, float],
) -> None:
    xi, max_deviation = (np.array([number], np.float32) for number in numbers)
    for name, run in runs.items():
        function: Any = model.functions[name]
        wanted = {spec.name: spec.dtype.as_numpy_dtype for spec in function.input_signature}
        everything = {
            contract.IMAGE: image,
            contract.XI: xi,
            contract.MAX_DEVIATION: max_deviation,
        }
        inputs = {key: everything[key].astype(dtype) for key, dtype in wanted.items()}
        expected = function(**{key: tf.constant(value) for key, value in inputs.items()})
        contract.check_written(directory, name, expected, run(inputs))
