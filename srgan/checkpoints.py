"""Checkpoints of a run: every variable of the networks and optimizers, in one file, atomically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from cli.errors import DataError
from sr_data.atomic_write import atomic_file
from srgan.adversarial_model import AdversarialModel

KEEP = 2
_STATE = "state"


def save(model: AdversarialModel, directory: Path, step: int, state: dict[str, Any]) -> Path:
    """Writes `step-N.npz` and removes all but the last two.

    Args:
        model: The model, compiled.
        directory: Folder of the checkpoints; made if it is missing.
        step: Updates done.
        state: What else the run has to remember, JSON values.

    Returns:
        The file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    arrays = {key: ops.convert_to_numpy(v) for key, v in _variables(model).items()}
    arrays[_STATE] = np.array(json.dumps({**state, "step": step}))
    path = directory / f"step-{step:08d}.npz"
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    for old in _files(directory)[:-KEEP]:
        old.unlink()
    return path


def restore(model: AdversarialModel, directory: Path) -> dict[str, Any] | None:
    """Puts the newest checkpoint's values into the model and its optimizer.

    Args:
        model: The model, compiled.
        directory: Folder of the checkpoints.

    Returns:
        The state given to `save`, with "step"; None where there is no checkpoint.

    Raises:
        DataError: The file is damaged, or belongs to another configuration.
    """
    files = _files(directory)
    if not files:
        return None
    path = files[-1]
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
    except Exception as error:  # numpy raises nearly anything on damaged files
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: this checkpoint is damaged ({reason}); delete it to go on from the one before"
        ) from error
    variables = _variables(model)
    if set(arrays) != {*variables, _STATE} or any(
        arrays[key].shape != tuple(v.shape) for key, v in variables.items()
    ):
        raise DataError(
            f"{path}: this checkpoint is of another configuration; "
            "give the flags it was made with, or another --run_dir"
        )
    for key, variable in variables.items():
        variable.assign(arrays[key])
    return json.loads(str(arrays[_STATE]))


def _variables(model: AdversarialModel) -> dict[str, Any]:
    """All variables by a stable key: their order and name."""
    parts = {"generator": model.generator.variables, "optimizer": model.optimizer.variables}
    if model.discriminator is not None:
        parts["discriminator"] = model.discriminator.variables
    return {
        f"{part}/{i:04d}/{variable.name}": variable
        for part, variables in parts.items()
        for i, variable in enumerate(variables)
    }


def _files(directory: Path) -> list[Path]:
    """The finished checkpoints, oldest first."""
    return sorted(directory.glob("step-*.npz"))
