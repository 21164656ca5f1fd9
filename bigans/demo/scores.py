"""The numbers beside a result: how natural it looks, and how near it is to what is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bigans.demo.choice import Choice
from bigans.demo.kept_photo import KeptPhoto
from sr_images.bicubic import bicubic_downscale
from sr_images.fidelity import psnr, ssim
from sr_images.levels import in_depth
from sr_images.niqe import Niqe
from sr_images.picture import Picture
from sr_images.scored_luma import BORDER, inner, luma


class Score(NamedTuple):
    """A line of the table.

    Attributes:
        name: Of the measure.
        value: As text, with its unit.
        meaning: In a few words.
    """

    name: str
    value: str
    meaning: str


def scores(kept: KeptPhoto, choice: Choice, niqe: Niqe | None) -> list[Score]:
    """Measures a result.

    Args:
        kept: The photo.
        choice: How it is merged.
        niqe: With its parameters; None: they are not there.
    """
    result = kept.result(choice)
    gray = kept.picture.is_gray
    y = luma(result.pixels, gray)
    found = []
    if niqe is not None:
        told = _told(lambda: f"{niqe(inner(y)):.2f}")
        found.append(Score("NIQE", told, "how natural it looks; lower is better"))
    if kept.original is not None:
        reference = luma(kept.original.pixels, gray)
        found += [
            Score(
                "PSNR",
                _decibels(psnr(reference, y, data_range=255, border=BORDER)),
                "nearness to the original; higher is better",
            ),
            Score(
                "SSIM",
                _told(lambda: f"{ssim(reference, y, data_range=255, border=BORDER):.4f}"),
                "likeness of structure, at most 1; higher is better",
            ),
        ]
    found.append(
        Score(
            "Consistency",
            _decibels(_consistency(kept.picture, result)),
            "nearness of the result, reduced by 4, to the photo; 45 dB and more is consistent",
        )
    )
    return found


def _consistency(photo: Picture, result: Picture) -> float:
    reduced = bicubic_downscale(in_depth(result.pixels, np.uint8), 4)
    return psnr(in_depth(photo.pixels, np.uint8), reduced, data_range=255)


def _decibels(value: float) -> str:
    return "identical" if math.isinf(value) else f"{value:.2f} dB"


def _told(measure: Callable[[], str]) -> str:
    try:
        return measure()
    except ValueError:
        return "too small or too flat to tell"
