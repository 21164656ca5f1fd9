"""The perception–distortion curve of one photo, from ξ = 0 to ξ = 1.

Distortion is the RMSE to the original or, where there is none, to the faithful image. Perception is
NIQE or, where its parameters are not there, the mean gradient: how much fine detail there is, which
says nothing of how natural it looks.

Reference: Y. Blau and T. Michaeli, "The perception-distortion tradeoff", CVPR 2018.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bigans.demo.choice import Choice
from bigans.demo.kept_photo import KeptPhoto
from sr_images.fidelity import rmse
from sr_images.niqe import Niqe
from sr_images.scored_luma import inner, luma

XIS = tuple(tenths / 10 for tenths in range(11))

NIQE = "NIQE: lower is more natural"
GRADIENT = "detail: mean gradient, grey levels"

# Of large results the middle is measured.
_SIDE = 1024


class Place(NamedTuple):
    """One result on the plane.

    Attributes:
        xi: In [0, 1].
        distortion: Grey levels.
        perception: On the axis that the curve names.
    """

    xi: float
    distortion: float
    perception: float


class Curve(NamedTuple):
    """The places of one photo, and what the axes mean.

    Attributes:
        places: By ξ, from 0 to 1.
        distortion: Title of the horizontal axis.
        perception: Title of the vertical axis.
    """

    places: list[Place]
    distortion: str
    perception: str

    def at(self, xi: float) -> Place:
        """Where ξ is, between the places that were measured."""
        xis = [place.xi for place in self.places]
        of = [float(np.interp(xi, xis, [place[axis] for place in self.places])) for axis in (1, 2)]
        return Place(xi, of[0], of[1])


def curve_of(kept: KeptPhoto, niqe: Niqe | None) -> Curve:
    """Measures a photo's results along ξ; no generator runs.

    Args:
        kept: The photo.
        niqe: With its parameters; None: they are not there.
    """
    gray = kept.picture.is_gray
    images = [_middle(luma(kept.whole_levels(Choice(xi=xi)), gray)) for xi in XIS]
    reference, distance = images[0], "the faithful image"
    if kept.original is not None:
        reference, distance = _middle(luma(kept.original.pixels, gray)), "the original"
    perception, title = _naturalness(images, niqe), NIQE
    if perception is None:
        perception, title = [mean_gradient(y) for y in images], GRADIENT
    places = [
        Place(xi, rmse(reference, y), value)
        for xi, y, value in zip(XIS, images, perception, strict=True)
    ]
    return Curve(places, f"RMSE to {distance}, grey levels", title)


def mean_gradient(y: NDArray[np.uint8]) -> float:
    """The mean length of the difference to the neighbours at the right and below, grey levels."""
    values = y.astype(np.float32)
    down, right = np.diff(values, axis=0)[:, :-1], np.diff(values, axis=1)[:-1]
    return float(np.hypot(down, right).mean()) if down.size else 0.0


def _naturalness(images: list[NDArray[np.uint8]], niqe: Niqe | None) -> list[float] | None:
    try:
        return None if niqe is None else [niqe(inner(y)) for y in images]
    except ValueError:  # too small, or too flat
        return None


def _middle(y: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, (side - _SIDE) // 2) for side in y.shape)
    return y[top : top + _SIDE, left : left + _SIDE]
