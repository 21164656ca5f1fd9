"""The settings of the sheets."""

from __future__ import annotations

import dataclasses

from evaluation.config import MeasuringConfig
from sr_program.contract import DEFAULT_XI
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class SheetsConfig(MeasuringConfig):
    """Which images, cut where, in which versions."""

    images: str = setting("", "Names of images, separated by commas; empty: all of the sets.")
    figure: str = setting("7", "Which figure of the paper the columns follow.", ("4", "6", "7"))
    crop: str = setting("", "X,Y,WIDTH,HEIGHT in pixels of HR; empty: found for each image.")
    crop_size: int = setting(96, "Side of a crop that is found.")
    zoom: int = setting(3, "Each pixel of a crop becomes a square of so many pixels.")
    model: str = setting("pretrained", "DIR of a fused SavedModel, or pretrained.")
    stage1: str = setting("", "DIR of the SavedModel of WP-SRGAN's first stage; empty: pretrained.")
    xi: float = setting(DEFAULT_XI, "ξ of Bi-GANs-ST.")
