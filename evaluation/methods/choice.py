"""What `--model` can name: a SavedModel, the shipped ones, bicubic, HR, or a folder of results."""

from __future__ import annotations

import os
from pathlib import Path

from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.method import Bicubic, Enlarger, Fused, Original, ResultsFolder, Tower
from fusion.saved_model_folder import find_saved_model
from sr_program.errors import UsageError

SHIPPED = ("fused", "faithful", "vivid", "stage1")
HELP = (
    "What is evaluated: DIR of a SavedModel; pretrained (the shipped fused model) or "
    f"pretrained:{'|'.join(SHIPPED[1:])}; bicubic; hr, the original itself; folder:PATH, images "
    "of any method as PATH/SET/NAME.png."
)
# What needs no model.
MODELLESS = {"bicubic": Bicubic, "hr": Original}
LABELS = {"faithful": "MR-SRGAN", "vivid": "WP-SRGAN", "stage1": "WP-SRGAN, first stage"}


def check_model(name: str, *, ensemble: bool = False) -> None:
    """Checks what can be checked of a `--model` flag without loading or downloading anything.

    Args:
        name: See `HELP`.
        ensemble: As for `open_model`.

    Raises:
        UsageError: An unknown name, or `ensemble` without a model.
        DataError: The folder is missing, or holds no SavedModel or no image.
    """
    kind, colon, rest = name.partition(":")
    if name in MODELLESS or kind == "folder":
        if ensemble:
            raise UsageError(f"--self_ensemble turns the input of a model; --model={name} has none")
        if kind == "folder":
            if not rest:
                raise UsageError("--model=folder: lacks its path; write folder:PATH")
            ResultsFolder(rest)
    elif kind == "pretrained":
        if colon and rest not in SHIPPED:
            choices = ", ".join(SHIPPED)
            raise UsageError(f"unknown --model=pretrained:{rest}; choose one of {choices}")
    elif not os.path.exists(name) and os.sep not in name and "." not in name:
        raise UsageError(
            f"unknown --model={name}; write a directory, pretrained, bicubic, hr or folder:PATH"
        )
    else:
        find_saved_model(name)


def check_fused_model(name: str) -> None:
    """The same where `--model` can only be a directory, or the shipped fused model.

    Raises:
        DataError: The directory is missing, or holds no SavedModel.
    """
    if name != "pretrained":
        find_saved_model(name)


def open_model(
    name: str, *, points: list[FusionPoint], ensemble: bool = False, label: str = ""
) -> Enlarger:
    """Opens what a `--model` flag names.

    Args:
        name: See `HELP`.
        points: The variants of a fused model.
        ensemble: Average over the eight turns and mirrorings; for models only.
        label: Name in tables of what has one variant; empty: a suitable one.

    Raises:
        UsageError: An unknown name, or `ensemble` without a model.
        DataError: The model or folder is missing or unfit.
    """
    check_model(name, ensemble=ensemble)
    kind, _, rest = name.partition(":")
    if name in MODELLESS:
        return MODELLESS[name](label) if label else MODELLESS[name]()
    if kind == "folder":
        return ResultsFolder(rest, label)
    if kind == "pretrained":
        return _shipped(rest or "fused", points, ensemble, label)
    return _saved_model(
        find_saved_model(name), points, ensemble, label or Path(name).resolve().name
    )


def _shipped(part: str, points: list[FusionPoint], ensemble: bool, label: str) -> Enlarger:
    from bigans.pretrained.saved_models import saved_models, stage_1_model

    if part == "fused":
        return Fused(saved_models().fused, points, ensemble=ensemble)
    path = stage_1_model() if part == "stage1" else getattr(saved_models(), part)
    return Tower(path, label or LABELS[part], ensemble=ensemble)


def _saved_model(path: Path, points: list[FusionPoint], ensemble: bool, label: str) -> Enlarger:
    from fusion.tower import UNROUNDED, load_saved_model

    signatures = getattr(load_saved_model(path), "signatures", {})
    if UNROUNDED in signatures:
        return Tower(path, label, ensemble=ensemble)
    return Fused(path, points, ensemble=ensemble)
