"""The measures of one enlarged image, by the paper's two protocols (section 4).

- PSNR and SSIM: the Y channel as uint8, 6 border pixels left out (Table 3).
- RMSE, NIQE, Ma and the perceptual index: the Y channel as uint8, 4 border pixels shaved, as the
  PIRM-SR 2018 self-validation code does (Tables 1, 2 and 4).

Beside them: PSNR with a border of 4, which most papers print, and the PSNR between the LR image and
the enlargement shrunk again (LR consistency), as NTIRE reports it; and distances between the RGB
images: structure and texture of VGG19's features, LPIPS, ST-LPIPS.

A gray benchmark image (Set14 `bridge`) is its own Y channel; the enlargement's gray is weighed
0.299 R + 0.587 G + 0.114 B. The official PIRM code cannot score it at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.lr_consistency import lr_consistency
from evaluation.metrics.perceptual_index import perceptual_index
from evaluation.metrics.psnr import psnr
from evaluation.metrics.rmse import dataset_rmse, rmse
from evaluation.metrics.ssim import ssim
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_images.scored_luma import BORDER
from sr_program.files.hashes import file_sha256

PAPER_BORDER = 6
PIRM_BORDER = BORDER

# Column names, in the order of every table.
ALWAYS = ("psnr", "ssim", "psnr_border4", "rmse", "lr_consistency")
NO_REFERENCE = ("niqe", "ma")
OPTIONAL = ("structure_texture", "lpips", "stlpips")
MEASURES = (*ALWAYS, *NO_REFERENCE, "perceptual_index", *OPTIONAL)

Luma = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class Instruments:
    """What has to be on disk, or installed, to measure more than distances to HR.

    Attributes:
        niqe: File of the pristine parameters; None where NIQE cannot be computed.
        ma: File of the regression forests; None where the Ma score cannot be computed.
        vgg: File of VGG19's weights; None where structure and texture are not compared.
        lpips: Whether to compute LPIPS.
        stlpips: Whether to compute ST-LPIPS.
        absent: Measure → why it cannot be computed, one line.
    """

    niqe: Path | None = None
    ma: Path | None = None
    vgg: Path | None = None
    lpips: bool = False
    stlpips: bool = False
    absent: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that can be had."""
        both = self.niqe is not None and self.ma is not None
        there = {
            "niqe": self.niqe is not None,
            "ma": self.ma is not None,
            "perceptual_index": both,
            "structure_texture": self.vgg is not None,
            "lpips": self.lpips,
            "stlpips": self.stlpips,
        }
        return tuple(name for name in MEASURES if there.get(name, True))

    def fingerprints(self) -> dict[str, str]:
        """Measure → hash of its file: scores by different files must not stand side by side."""
        files = {"niqe": self.niqe, "ma": self.ma, "structure_texture": self.vgg}
        return {name: file_sha256(path)[:16] for name, path in files.items() if path is not None}


@dataclasses.dataclass(frozen=True)
class Scores:
    """The measures of one image.

    Attributes:
        values: Measure → number. PSNR and LR consistency in dB, RMSE in grey levels.
        problems: Measure → why this image has none, one line. "image": nothing could be measured.
    """

    values: Mapping[str, float]
    problems: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Scorer:
    """Measures images; holds what the learned measures load once."""

    def __init__(self, instruments: Instruments) -> None:
        """Loads the parameters that `instruments` names.

        Raises:
            DataError: A file is not what it should be.
        """
        self._no_reference: dict[str, Callable[[Luma], float]] = {}
        # Imported where they are wanted: SciPy, and PyTorch for two of them, take time.
        if instruments.niqe is not None:
            from evaluation.metrics.niqe import Niqe

            self._no_reference["niqe"] = Niqe(instruments.niqe)
        if instruments.ma is not None:
            from evaluation.metrics.ma import MaMetric

            self._no_reference["ma"] = MaMetric(instruments.ma)
        self._of_colours: dict[str, Callable[[Any, Any], float]] = {}
        if instruments.vgg is not None:
            from evaluation.metrics.structure_texture import StructureTextureDistance

            self._of_colours["structure_texture"] = StructureTextureDistance(instruments.vgg)
        if instruments.lpips:
            from evaluation.metrics.lpips_distance import LpipsDistance

            self._of_colours["lpips"] = LpipsDistance()
        if instruments.stlpips:
            from evaluation.metrics.stlpips_distance import StLpipsDistance

            self._of_colours["stlpips"] = StLpipsDistance()

    def __call__(
        self,
        hr: NDArray[np.uint8],
        lr: NDArray[np.uint8],
        sr: NDArray[np.uint8],
        *,
        is_gray: bool = False,
    ) -> Scores:
        """Measures one enlargement.

        Args:
            hr: The original, uint8 [4h, 4w, 3], RGB.
            lr: What was enlarged, uint8 [h, w, 3].
            sr: The enlargement, uint8 [4h, 4w, 3].
            is_gray: The original is a single-channel file.

        Returns:
            Whatever could be measured; no image raises because it is too small for one measure.
        """
        if sr.shape != hr.shape:
            size, expected = (f"{i.shape[1]}x{i.shape[0]}" for i in (sr, hr))
            return Scores({}, {"image": f"the result is {size} pixels, HR is {expected}"})
        values: dict[str, float] = {}
        problems: dict[str, str] = {}
        luma = luma_of_gray if is_gray else rgb_to_y
        y_hr, y = luma(hr), luma(sr)
        for name, measure in self._measures(y_hr, y, lr, sr, hr).items():
            try:
                values[name] = measure()
            except ValueError as error:
                problems[name] = str(error)
        if "niqe" in values and "ma" in values:
            values["perceptual_index"] = perceptual_index(ma=values["ma"], niqe=values["niqe"])
        elif {"niqe", "ma"} <= self._no_reference.keys():
            problems["perceptual_index"] = "it needs NIQE and Ma"
        return Scores(values, problems)

    def _measures(
        self, y_hr: Luma, y: Luma, lr: Any, sr: Any, hr: Any
    ) -> dict[str, Callable[[], float]]:
        def of_pair(function: Any, border: int) -> Callable[[], float]:
            return lambda: function(y_hr, y, data_range=255, border=border)

        shaved = y[PIRM_BORDER:-PIRM_BORDER, PIRM_BORDER:-PIRM_BORDER]
        measures = {
            "psnr": of_pair(psnr, PAPER_BORDER),
            "ssim": of_pair(ssim, PAPER_BORDER),
            "psnr_border4": of_pair(psnr, PIRM_BORDER),
            "rmse": lambda: rmse(y_hr, y, border=PIRM_BORDER),
            "lr_consistency": lambda: lr_consistency(lr, sr),
        }
        for name, measure in self._no_reference.items():
            measures[name] = lambda measure=measure: measure(shaved)
        for name, distance in self._of_colours.items():
            measures[name] = lambda distance=distance: distance(hr, sr)
        return measures


def set_means(scores: list[Scores]) -> dict[str, float]:
    """The measures of a set of images, over those images that have each.

    Means of the images' values, but for RMSE: as in PIRM, the root of the mean of the squares. (The
    mean of the perceptual indices is the index of the means.)

    Args:
        scores: One an image.

    Returns:
        Measure → number, for the measures that at least one image has.
    """
    means = {}
    for name in MEASURES:
        values = [score.values[name] for score in scores if name in score.values]
        if values:
            means[name] = dataset_rmse(values) if name == "rmse" else float(np.mean(values))
    return means
