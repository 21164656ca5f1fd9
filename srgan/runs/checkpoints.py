"""Checkpoints of a run: every variable of the networks and optimizers, in one file, atomically.

A checkpoint is an `.npz` file, whose parts carry a CRC-32 each: what was cut off or changed on disk
is noticed when it is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from keras import ops

from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_file
from srgan.runs.weights import CHECKPOINT, GENERATOR_PART
from srgan.steps.adversarial_model import AdversarialModel

KEEP = 2
_STATE = "state"


class _Unusable(Exception):
    """Why a checkpoint cannot be used."""


def save(
    model: AdversarialModel, directory: Path, step: int, state: dict[str, Any], keep: int = KEEP
) -> Path:
    """Writes `step-N.npz` and removes all but the newest, and the best.

    Args:
        model: The model, compiled.
        directory: Folder of the checkpoints; made if it is missing.
        step: Updates done.
        state: What else the run has to remember, JSON values; the checkpoint of its "best_step"
            stays.
        keep: How many of the newest stay.

    Returns:
        The file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    arrays = {key: ops.convert_to_numpy(v) for key, v in _variables(model).items()}
    arrays[_STATE] = np.array(json.dumps({**state, "step": step}))
    path = _path(directory, step)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    best = state.get("best_step")
    kept = {*files(directory)[-keep:], *([] if best is None else [_path(directory, best)])}
    for old in files(directory):
        if old not in kept:
            old.unlink()
    return path


def restore(model: AdversarialModel, directory: Path) -> dict[str, Any] | None:
    """Puts the newest usable checkpoint's values into the model and its optimizer.

    One that is damaged, or of another configuration, is named in a warning and passed over.

    Args:
        model: The model, compiled.
        directory: Folder of the checkpoints.

    Returns:
        The state given to `save`, with "step"; None where there is no checkpoint.

    Raises:
        DataError: There are checkpoints and none can be used.
    """
    problem = None
    for path in reversed(files(directory)):
        try:
            return _restore(model, path)
        except _Unusable as error:
            problem = problem or f"{path}: {error}"
            logging.warning("%s: %s; going on from the one before", path, error)
    if problem is not None:
        raise DataError(
            f"{problem}, nor can an earlier one be used; give the flags that it was made with, "
            "or another --run_dir"
        )
    return None


def files(directory: Path) -> list[Path]:
    """The finished checkpoints, oldest first."""
    return sorted(directory.glob(f"step-*{CHECKPOINT}"))


def _restore(model: AdversarialModel, path: Path) -> dict[str, Any]:
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
        state = json.loads(str(arrays.pop(_STATE)))
    except Exception as error:  # numpy raises nearly anything on damaged files
        raise _Unusable(f"this checkpoint is damaged ({reason(error)})") from error
    variables = _variables(model)
    if set(arrays) != set(variables) or any(
        arrays[key].shape != tuple(v.shape) for key, v in variables.items()
    ):
        raise _Unusable("this checkpoint is of another configuration")
    for key, variable in variables.items():
        variable.assign(arrays[key])
    return state


def _path(directory: Path, step: int) -> Path:
    return directory / f"step-{step:08d}{CHECKPOINT}"


def _variables(model: AdversarialModel) -> dict[str, Any]:
    """All variables by a stable key: their order and name."""
    parts = {GENERATOR_PART: model.generator.variables, "optimizer": model.optimizer.variables}
    if model.discriminator is not None:
        parts["discriminator"] = model.discriminator.variables
    return {
        f"{part}/{i:04d}/{variable.name}": variable
        for part, variables in parts.items()
        for i, variable in enumerate(variables)
    }
