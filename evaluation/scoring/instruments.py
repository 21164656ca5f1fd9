"""Finds out which measures can be computed on this machine, before anything is measured."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection
from pathlib import Path

from absl import logging

from evaluation.metrics.model_files import (
    MA_MODEL,
    NIQE_PARAMETERS,
    VGG19_WEIGHTS,
)
from evaluation.scoring.protocol import MEASURES, Instruments, Scorer
from sr_program.errors import DataError
from sr_program.files.downloads import PublishedFile, fetch
from srgan.vgg.weights import IMAGENET

LPIPS_PACKAGE = "lpips"
STLPIPS_PACKAGE = "stlpips_pytorch"

_NOT_ASKED_FOR = "not asked for"
_WITH_NIQE = frozenset(("niqe", "perceptual_index"))
_WITH_MA = frozenset(("ma", "perceptual_index"))


def find_instruments(
    niqe_parameters: str | os.PathLike[str] = "",
    ma_model: str | os.PathLike[str] = "",
    vgg_weights: str | os.PathLike[str] = "",
    *,
    lpips: bool = False,
    stlpips: bool = False,
    wanted: Collection[str] = MEASURES,
) -> Instruments:
    """Looks for what the learned measures need; what is missing is named, not an error.

    Args:
        niqe_parameters: File of NIQE's pristine parameters; empty: from the cache, or downloaded.
        ma_model: File of the Ma score's regression forests; empty: likewise.
        vgg_weights: File of VGG19's weights; "imagenet": from the cache, or downloaded; empty:
            structure and texture of its features are not compared.
        lpips: Whether to compute LPIPS, if its package is installed.
        stlpips: Whether to compute ST-LPIPS, if its package is installed.
        wanted: Measures; what only others need is not looked for.

    Returns:
        What was found, loaded once to see that it is sound.

    Raises:
        DataError: A file that was named is missing or is not what it should be.
    """
    # Before anything is downloaded.
    vgg_file = "" if vgg_weights == IMAGENET else vgg_weights
    for flag, named in (
        ("niqe_parameters", niqe_parameters),
        ("ma_model", ma_model),
        ("vgg_weights", vgg_file),
    ):
        if named and not Path(named).is_file():
            raise DataError(f"--{flag}={named}: no such file")
    absent: dict[str, str] = {}
    niqe = ma = None
    if not _WITH_NIQE.isdisjoint(wanted):
        niqe = _file("niqe", "niqe_parameters", niqe_parameters, NIQE_PARAMETERS, absent)
    if not _WITH_MA.isdisjoint(wanted):
        ma = _file("ma", "ma_model", ma_model, MA_MODEL, absent)
    if niqe is None or ma is None:
        absent["perceptual_index"] = "it needs NIQE and Ma"
    vgg = None
    if vgg_weights:
        vgg = _file("structure_texture", "vgg_weights", vgg_file, VGG19_WEIGHTS, absent)
    else:
        absent["structure_texture"] = f"{_NOT_ASKED_FOR} (--vgg_weights)"
    if why_no_lpips := _why_no_lpips() if lpips else _NOT_ASKED_FOR:
        absent["lpips"] = why_no_lpips
    if why_no_stlpips := _why_no_stlpips() if stlpips else _NOT_ASKED_FOR:
        absent["stlpips"] = why_no_stlpips
    instruments = Instruments(
        niqe=niqe,
        ma=ma,
        vgg=vgg,
        lpips=not why_no_lpips,
        stlpips=not why_no_stlpips,
        absent=absent,
    )
    Scorer(instruments)
    return instruments


def _why_no_lpips() -> str:
    if importlib.util.find_spec(LPIPS_PACKAGE) is None:
        return "its package is not installed"
    from evaluation.metrics.lpips_distance import LpipsDistance

    try:
        LpipsDistance()
    # No PyTorch, no network for AlexNet's weights, or another file in their place.
    except (ImportError, OSError, RuntimeError) as error:
        logging.warning("lpips is left out: %s", error)
        return "its network cannot be loaded"
    return ""


def _why_no_stlpips() -> str:
    if importlib.util.find_spec(STLPIPS_PACKAGE) is None:
        return "its package is not installed"
    from evaluation.metrics.stlpips_distance import StLpipsDistance

    try:
        StLpipsDistance()
    # No PyTorch, or weights that are not what they should be.
    except (ImportError, OSError, RuntimeError) as error:
        logging.warning("stlpips is left out: %s", error)
        return "its network cannot be loaded"
    return ""


def _file(
    measure: str,
    flag: str,
    named: str | os.PathLike[str],
    model_file: PublishedFile,
    absent: dict[str, str],
) -> Path | None:
    if named:
        return Path(named)
    try:
        return fetch(model_file)
    except DataError as error:
        logging.warning("%s is left out: %s", measure, error)
        # The reason stands in files that people pass on: without the paths of this machine.
        absent[measure] = f"its model file is missing; --{flag}=PATH names it"
        return None
