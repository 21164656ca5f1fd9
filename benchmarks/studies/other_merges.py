"""Compares ways of merging the two images at an equal distance from HR.

    python -m benchmarks.studies.other_merges --data=BENCHMARKS --sets=Set5,Set14 \
        --vgg_weights=FILE

BENCHMARKS holds a folder for each set, with HR/ and LR_x4/. Beside the paper's soft thresholding of
Δ = I_G − I_g there are linear interpolation, and both of the part of Δ above a frequency: what a
Gaussian of --sigma leaves of Δ stays away. Each way is computed at several strengths. The table has
NIQE, and the distance of VGG19's features in structure and texture, where its RMSE is 25, 50 and
75 % of the way from the faithful image's to the vivid one's; between strengths it interpolates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from benchmarks.timing.interleaved import machine
from bigans import Upscaler
from bigans.models.loaded_model import Images, Levels
from bigans.pretrained.pairs import PAIRS, Pair
from evaluation.methods.fusion_points import Fuse, FusionPoint, Mode
from evaluation.metrics.model_files import NIQE_PARAMETERS
from evaluation.metrics.niqe import Niqe
from evaluation.metrics.rmse import dataset_rmse, rmse
from evaluation.metrics.structure_texture import StructureTextureDistance
from evaluation.scoring.protocol import PIRM_BORDER
from sr_data.sources import PairedFolder
from sr_images.luma import luma_of_gray, rgb_to_y
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import UsageError
from sr_program.files.downloads import fetch
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

STRENGTHS = (0.0, 0.3, 0.5, 0.65, 0.8, 0.9, 1.0)
PLACES = (0.25, 0.5, 0.75)


@dataclasses.dataclass(frozen=True)
class MergesConfig:
    """What is scored."""

    data: str = setting("", "Folder with a folder for each set. Required.")
    sets: str = setting("Set5,Set14", "Names of the sets' folders, by commas.")
    weights: Pair = setting("clean", "Of the shipped pairs.", PAIRS)
    sigma: float = setting(2.0, "Of the Gaussian that leaves out what is below a frequency.")
    vgg_weights: str = setting("", "VGG19's weights, a file. Required.")
    niqe_parameters: str = setting("", "NIQE's pristine parameters; cached or downloaded if empty.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("data", "sets", "vgg_weights"):
            if not getattr(self, name):
                raise UsageError(f"--{name} is required")
        if not 0 < self.sigma < 100:
            raise UsageError(f"--sigma must be above 0 and below 100, got {self.sigma}")


DEFAULTS = MergesConfig()


class Place(NamedTuple):
    """Of a set at one strength."""

    rmse: float
    niqe: float
    features: float


# Each way: how it merges, and whether only the part of Δ above the frequency.
WAYS: dict[str, tuple[Mode, bool]] = {
    "soft thresholding": ("quantile", False),
    "linear": ("linear", False),
    "soft, above": ("quantile", True),
    "linear, above": ("linear", True),
}


def above(difference: Levels, sigma: float) -> Levels:
    """What a Gaussian takes away, [H, W, 3]."""
    return difference - gaussian_filter(difference, (sigma, sigma, 0))


def merged(faithful: Levels, vivid: Levels, sigma: float, fuse: Fuse) -> dict[str, list[Images]]:
    """The images of each way at each of `STRENGTHS`; see `FusionPoint.merge`."""
    fine = faithful + above(vivid - faithful, sigma)
    return {
        name: [
            FusionPoint("", mode, strength).merge(faithful, fine if is_above else vivid, fuse)
            for strength in STRENGTHS
        ]
        for name, (mode, is_above) in WAYS.items()
    }


def places_between(ends: tuple[float, float]) -> list[float]:
    """The RMSEs at `PLACES`."""
    return [ends[0] + place * (ends[1] - ends[0]) for place in PLACES]


def at_places(curve: list[Place], ends: tuple[float, float]) -> list[tuple[float, float]]:
    """NIQE and distance at `PLACES` between two RMSEs; NaN where the curve does not reach."""
    curve = sorted(curve)
    errors, niqe, features = np.array(curve).T
    return [
        (
            float(np.interp(one, errors, niqe, right=np.nan)),
            float(np.interp(one, errors, features, right=np.nan)),
        )
        for one in places_between(ends)
    ]


def curves(
    folder: PairedFolder, upscaler: Upscaler, config: MergesConfig, niqe: Niqe
) -> dict[str, list[Place]]:
    """The curve of each way on a set."""
    found: dict[str, list[list[Place]]] = {name: [] for name in WAYS}
    distance = StructureTextureDistance(config.vgg_weights)
    for index, (_, hr, lr) in enumerate(tqdm(folder, total=len(folder), disable=None)):
        luma = luma_of_gray if folder.is_gray(index) else rgb_to_y
        faithful, vivid = upscaler.model.generators(lr)
        for name, images in merged(faithful, vivid, config.sigma, upscaler.model.fuse).items():
            found[name].append([_place(hr, one, luma, niqe, distance) for one in images])
    return {
        name: [
            Place(dataset_rmse([p.rmse for p in images]), *np.mean(images, 0)[1:].tolist())
            for images in zip(*places, strict=True)
        ]
        for name, places in found.items()
    }


def _place(
    hr: NDArray[np.uint8],
    sr: NDArray[np.uint8],
    luma: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    niqe: Niqe,
    distance: StructureTextureDistance,
) -> Place:
    inner = np.s_[PIRM_BORDER:-PIRM_BORDER, PIRM_BORDER:-PIRM_BORDER]
    y = luma(sr)
    return Place(rmse(luma(hr), y, border=PIRM_BORDER), niqe(y[inner]), distance(hr, sr))


def report(config: MergesConfig) -> str:
    """Scores all sets.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: A set is missing, or a file of a metric.
    """
    config.check()
    folders = {name: PairedFolder(Path(config.data) / name) for name in config.sets.split(",")}
    niqe = Niqe(config.niqe_parameters or fetch(NIQE_PARAMETERS))
    import_tensorflow_quietly()
    upscaler = Upscaler.from_pretrained(weights=config.weights)
    lines = [machine()]
    for name, folder in folders.items():
        lines += ["", *_table(name, curves(folder, upscaler, config, niqe))]
    return "\n".join(lines)


def _table(name: str, found: Mapping[str, list[Place]]) -> list[str]:
    errors = [place.rmse for place in found["linear"]]
    ends = errors[0], errors[-1]
    wanted = [f"RMSE {error:.2f}" for error in places_between(ends)]
    lines = [f"| {name}: NIQE / distance | {' | '.join(wanted)} |", "|---" * 4 + "|"]
    for way, curve in found.items():
        cells = [f"{niqe:.2f} / {features:.4f}" for niqe, features in at_places(curve, ends)]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return lines


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(positional: list[str]) -> None:
    refuse_positional(positional)
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
