"""Times the metrics of one image against scikit-image's SSIM, and against pyiqa where it is there.

    taskset -c 0 python -m benchmarks.timing.metrics --ma_model=MODEL_MAT

Prints one Markdown table of medians; `taskset` keeps it on one core. The image is made of a photo
that comes with scikit-image: its luma, continued by its mirror image to the size asked for. PSNR
and SSIM compare it with itself after 4x bicubic reduction and enlargement. A metric that cannot be
timed says why. pyiqa fetches the weights of its metrics itself; it gets the image as RGB floats.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine, medians
from evaluation.metrics.ma import MaMetric, ma_features
from evaluation.metrics.niqe import BLOCK, Niqe
from evaluation.metrics.psnr import psnr
from evaluation.metrics.ssim import ssim
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_images.luma import rgb_to_y
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, UsageError
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class MetricsConfig:
    """What is timed."""

    height: int = setting(1080, "Rows of the image.")
    width: int = setting(800, "Columns of the image.")
    repetitions: int = setting(7, "Timed rounds.")
    ma_model: str = setting("", "model.mat of Ma et al.; without it, its features are timed alone.")
    niqe_parameters: str = setting("", "NIQE's modelparameters.mat; empty: downloaded once.")


DEFAULTS = MetricsConfig()

YARDSTICK = "scikit-image SSIM"
# Ours → pyiqa's name for it.
RIVALS = {"NIQE": "niqe", "Ma": "nrqm"}

Call = Callable[[], Any]


def sample_luma(height: int, width: int) -> np.ndarray:
    """A photo's luma that is repeated in mirror images, uint8 [H, W]."""
    from skimage import data

    luma = rgb_to_y(data.astronaut())
    missing = ((0, max(0, height - luma.shape[0])), (0, max(0, width - luma.shape[1])))
    return np.pad(luma, missing, mode="symmetric")[:height, :width]


def our_metrics(
    config: MetricsConfig, luma: np.ndarray, blurred: np.ndarray
) -> dict[str, Call | str]:
    """Title → what is timed, or why nothing is."""
    ours: dict[str, Call | str] = {
        "PSNR": lambda: psnr(luma, blurred, data_range=255),
        "SSIM": lambda: ssim(luma, blurred, data_range=255),
    }
    try:
        niqe = Niqe(config.niqe_parameters or None)
        ours["NIQE"] = lambda: niqe(luma)
    except DataError:
        if config.niqe_parameters:
            raise
        ours["NIQE"] = "its parameters are missing; --niqe_parameters=PATH names them"
    if config.ma_model:
        ma = MaMetric(config.ma_model)
        ours["Ma"] = lambda: ma(luma)
    else:
        ours["Ma (features only, without --ma_model)"] = lambda: ma_features(luma)
    return ours


def scikit_image_ssim(luma: np.ndarray, blurred: np.ndarray) -> Call:
    """SSIM with the window of Wang et al."""
    from skimage.metrics import structural_similarity

    return lambda: structural_similarity(
        luma, blurred, gaussian_weights=True, use_sample_covariance=False, data_range=255
    )


def pyiqa_metric(name: str, luma: np.ndarray) -> Call | str:
    """A metric of pyiqa, or why it cannot be timed."""
    try:
        pyiqa, torch = (importlib.import_module(package) for package in ("pyiqa", "torch"))
    except ImportError:
        return "not installed"
    try:
        metric = pyiqa.create_metric(name, device="cpu")
    except Exception as error:  # a download can fail in any way
        return f"its weights are not installed ({type(error).__name__})"
    levels = np.repeat(luma[np.newaxis, np.newaxis] / np.float32(255), 3, axis=1)
    image = torch.from_numpy(levels)
    return lambda: float(metric(image))


def table(rows: dict[str, Call | str], times: dict[str, float], megapixels: float) -> list[str]:
    """Markdown: a row a metric, its time in three units."""
    lines = [
        f"| metric | seconds | s/megapixel | of {YARDSTICK}'s time | pyiqa's time / ours |",
        "|---|---|---|---|---|",
    ]
    for title, call in rows.items():
        if isinstance(call, str):
            lines.append(f"| {title} | {call} | | | |")
            continue
        seconds = times[title]
        rival = times.get(f"pyiqa {RIVALS.get(title.split()[0], '')}")
        ratio = f"{rival / seconds:.1f}" if rival is not None else ""
        relative = f"{seconds / times[YARDSTICK]:.2f}"
        lines.append(
            f"| {title} | {seconds:.4f} | {seconds / megapixels:.4f} | {relative} | {ratio} |"
        )
    return lines


def report(config: MetricsConfig) -> str:
    """Times everything.

    Raises:
        UsageError: The image is too small, or no round is asked for.
        DataError: A file that was named cannot be used.
    """
    height, width = config.height, config.width
    if min(height, width) < 2 * BLOCK or config.repetitions < 1:
        raise UsageError(f"--height and --width are at least {2 * BLOCK}, --repetitions 1")
    luma = sample_luma(height, width)
    blurred = bicubic_upscale(bicubic_downscale(luma))[:height, :width]
    rows = our_metrics(config, luma, blurred)
    rows[YARDSTICK] = scikit_image_ssim(luma, blurred)
    rows.update({f"pyiqa {name}": pyiqa_metric(name, luma) for name in RIVALS.values()})
    calls = {title: call for title, call in rows.items() if not isinstance(call, str)}
    times = medians(calls, config.repetitions)
    heading = f"{machine()}, {width}x{height}, medians of {config.repetitions} interleaved rounds"
    return "\n".join([heading, "", *table(rows, times, height * width / 1e6)])


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
