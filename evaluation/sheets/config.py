"""The settings of the sheets."""

from __future__ import annotations

import dataclasses

from bigans.models.names import STAGE_1_HELP
from evaluation.config import MeasuringConfig
from sr_program.contract import DEFAULT_XI
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class SheetsConfig(MeasuringConfig):
    """Which images, cut where, in which versions."""

    images: str = setting("", "Names of images, separated by commas; empty: all of the sets.")
    figure: str = setting("7", "Which figure of the paper the columns follow.", ("4", "6", "7"))
    crop: str = setting(
        "", "X,Y,WIDTH,HEIGHT in pixels of HR; empty: where the generators differ most."
    )
    crop_size: int = setting(96, "Side of the crop where --crop is empty, pixels.")
    zoom: int = setting(3, "Side of the square that each pixel of a crop becomes.")
    stage1: str = setting("pretrained:stage1", STAGE_1_HELP)
    xi: float = setting(DEFAULT_XI, "ξ of Bi-GANs-ST.")
