"""Opens what `--model` names: a model, bicubic, HR, or a folder of results.

The names are those of `bigans.models.names`, here and everywhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from bigans.models.loaded_model import LoadedModel
from bigans.models.names import PARTS, PRETRAINED, ModelName, parse
from bigans.models.runtime import IN_TENSORFLOW, Computing
from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.method import Bicubic, Fused, Generator, Method, Original, ResultsFolder
from sr_program.errors import UsageError

# What needs no model.
_MODELLESS = {"bicubic": Bicubic, "HR": Original}
LABELS = {"faithful": "MR-SRGAN", "vivid": "WP-SRGAN", "stage1": "WP-SRGAN, first stage"}


def check_model(
    name: str | os.PathLike[str],
    *,
    ensemble: bool = False,
    computing: Computing = IN_TENSORFLOW,
) -> ModelName:
    """Checks what can be checked of a name without loading or downloading anything.

    Args:
        name: See `bigans.models.names`.
        ensemble: As for `open_model`.
        computing: Likewise.

    Returns:
        The name, taken apart.

    Raises:
        UsageError: An unknown name, or `ensemble`, a runtime or a precision that has no effect.
        DataError: The folder is missing, or holds no model or no image.
    """
    found = parse(name)
    if found.has_model:
        computing.check(name)
        return found
    if ensemble:
        raise UsageError(f"self_ensemble turns the input of a model; model={found} has none")
    for argument, given in (
        ("runtime", computing.runtime != "tensorflow"),
        ("precision", computing.precision),
    ):
        if given:
            raise UsageError(f"{argument}= has no effect: model={found} is not computed")
    if found.kind == "folder":
        ResultsFolder(found.rest)
    return found


def check_fused_model(
    name: str | os.PathLike[str],
    *,
    computing: Computing = IN_TENSORFLOW,
) -> None:
    """The same where only a fused model will do.

    Raises:
        UsageError: As for `check_model`, or the name of something else.
        DataError: The directory is missing, or holds no model.
    """
    found = parse(name)
    if not found.has_model or (found.kind == PRETRAINED and found.rest != PARTS[0]):
        raise UsageError(f"model={found} is not a fused model; write pretrained, or DIR of one")
    computing.check(name)


def check_generator(
    name: str | os.PathLike[str], argument: str, *, computing: Computing = IN_TENSORFLOW
) -> None:
    """The same where only a single generator will do.

    Args:
        name: See `bigans.models.names`.
        argument: What it was given as, for messages.
        computing: As for `open_model`.

    Raises:
        UsageError: As for `check_model`, or the name of something else.
        DataError: The directory is missing, or holds no model.
    """
    found = parse(name, argument)
    if not found.has_model or (found.kind == PRETRAINED and found.rest == PARTS[0]):
        raise UsageError(
            f"{argument}={found} is not a single generator; write pretrained:stage1, or DIR of one"
        )
    computing.check(name)


def open_model(
    name: str | os.PathLike[str],
    *,
    points: list[FusionPoint],
    ensemble: bool = False,
    label: str = "",
    computing: Computing = IN_TENSORFLOW,
) -> Method:
    """Opens what a name stands for.

    Args:
        name: See `bigans.models.names`.
        points: The variants of a fused model.
        ensemble: Average over the eight turns and mirrorings; for models only.
        label: Name in tables of what has one variant; empty: a suitable one.
        computing: What computes the model.

    Raises:
        UsageError: As for `check_model`.
        DataError: The model or folder is missing or unfit.
    """
    found = check_model(name, ensemble=ensemble, computing=computing)
    if found.kind in _MODELLESS:
        make = _MODELLESS[found.kind]
        return make(label) if label else make()
    if found.kind == "folder":
        return ResultsFolder(found.rest, label)
    model = computing.load(name)
    return _of_model(model, points, ensemble, label or _label(found))


def _label(name: ModelName) -> str:
    if name.kind == PRETRAINED:
        return LABELS.get(name.rest, "")
    return Path(name.rest).resolve().name


def _of_model(model: LoadedModel, points: list[FusionPoint], ensemble: bool, label: str) -> Method:
    if model.gives_unrounded and not model.has_parts:
        return Generator(model, label, ensemble=ensemble)
    return Fused(model, points, ensemble=ensemble)
