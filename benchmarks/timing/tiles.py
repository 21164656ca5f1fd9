"""What tiles cost: time, memory and differing pixels against the untiled graph.

    python -m benchmarks.timing.tiles --width=240 --height=135 --memory_mb=1100
    python -m benchmarks.timing.tiles --width=1920 --height=1080 --whole=256    # minutes

Enlarges one photo in tiles with the shipped fused model, and as a whole; where the whole does not
fit into memory, --whole=SIDE times its central square instead and takes it for every pixel. Prints
Markdown: the overhead in computed pixels and in time, the process's peak memory (tiles first, so
that it is theirs), memory per LR pixel of a call, the values that differ, and time per LR pixel
for several sizes with a fitted line, which --plot=FILE draws.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine
from benchmarks.timing.peak_memory import peak_bytes
from bigans import Tiling, Upscaler
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.saved_models import Shipped, saved_models
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.tiles.tile_plan import TilePlan
from bigans.upscaler.tiles.tiling import PhotoPlan
from sr_images.image_io import read_rgb
from sr_program import dataclass_flags
from sr_program.contract import DEFAULT_XI
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.allocator import keep_freed_memory
from sr_program.machine.precision import PRECISIONS, resolve
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class TilesConfig:
    """What is measured."""

    width: int = setting(240, "Columns of the photo.")
    height: int = setting(135, "Rows of the photo.")
    image: str = setting("", "Photo, repeated in mirror images; scikit-image's by default.")
    xi: float = setting(DEFAULT_XI, "ξ.")
    max_deviation: float = setting(-1.0, "Where ≥ 0, the bound on deviations instead of ξ.")
    precision: str = setting("float32", "What the networks compute in.", PRECISIONS)
    memory_mb: float = setting(0.0, "As of the upscaler; 0 is its default.")
    overlap: int = setting(-1, "As of the upscaler; -1 is its default.")
    keep_memory: bool = setting(True, "The process keeps the memory that it frees.")
    scratch_in_memory: bool = setting(True, "As of the upscaler, where it fits; else in a file.")
    whole: int = setting(0, "Side of the square that is enlarged as a whole; 0: the photo itself.")
    repetitions: int = setting(1, "Timed rounds; the fastest counts.")
    sizes: str = setting("", "Widths for the line, by commas, at the photo's proportions.")
    plot: str = setting("", "File for a drawing of the line.")


DEFAULTS = TilesConfig()


class _NothingSpare(PhotoPlan):
    @property
    def spare_bytes(self) -> int:
        return 0


class _ScratchOnDisk(Tiling):
    def plan(self, *size: Any) -> PhotoPlan:
        return _NothingSpare(**vars(super().plan(*size)))


def photo(config: TilesConfig) -> np.ndarray:
    """A photo of the wanted size, continued by its mirror images, uint8 [H, W, 3]."""
    if config.image:
        source = read_rgb(config.image)
    else:
        from skimage import data

        source = data.chelsea()
    missing = [
        (0, max(0, n - m))
        for n, m in zip((config.height, config.width), source.shape[:2], strict=True)
    ]
    return np.pad(source, (*missing, (0, 0)), mode="symmetric")[: config.height, : config.width]


def fastest(call: Any, repetitions: int) -> float:
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def differing(first: np.ndarray, second: np.ndarray) -> str:
    """How many values differ, and by how much at most."""
    difference = np.abs(first.astype(np.int16) - second)
    pixels = int((difference > 0).any(axis=-1).sum())
    total = difference.shape[0] * difference.shape[1]
    return f"{pixels} of {total} pixels differ, by at most {difference.max()} grey levels"


def fit(pixels: list[int], seconds: list[float]) -> tuple[float, float, float]:
    """The line through times.

    Args:
        pixels: LR pixels of each size.
        seconds: Of each.

    Returns:
        Seconds at no pixels, seconds a pixel, and the share of the variance that the line explains.
    """
    slope, start = np.polyfit(pixels, seconds, 1)
    left = np.asarray(seconds) - (start + slope * np.asarray(pixels))
    return float(start), float(slope), float(1 - left.var() / np.var(seconds))


def tiling_of(config: TilesConfig) -> Tiling:
    """The upscaler's settings."""
    make = Tiling if config.scratch_in_memory else _ScratchOnDisk
    return make(config.memory_mb or None, None if config.overlap < 0 else config.overlap)


def report(config: TilesConfig) -> str:
    """Measures everything; returns Markdown."""
    if config.keep_memory:  # as the upscaler does
        keep_freed_memory()
    tiling = tiling_of(config)
    directory = saved_models(Shipped(precision=resolve(config.precision))).fused
    model = TensorFlowModel(directory)
    upscaler, image = Upscaler.of_model(model, tiling=tiling), photo(config)
    plan = tiling.plan(config.height, config.width, upscaler.radius, model.footprint).tiles
    far = config.max_deviation if config.max_deviation >= 0 else None
    before = first_call(upscaler)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "tiles.png"

        def tiled() -> None:
            enlarging = Enlarging(xi=config.xi, max_deviation=far)
            upscaler.to_file(image, result, enlarging=enlarging)

        seconds = fastest(tiled, config.repetitions)
        peak = peak_bytes()
        in_tiles = None if config.whole else read_rgb(result)
    side = config.whole
    whole_image = image if not side else centre(image, side)
    values = {"xi": config.xi, "max_deviation": config.max_deviation}
    inputs = {name: np.array([value], np.float32) for name, value in values.items()}
    kept: list[np.ndarray] = []

    def whole() -> None:
        kept[:] = [model.serve(whole_image[None], inputs)[0]]

    whole_pixels = whole_image.shape[0] * whole_image.shape[1]
    whole_seconds = fastest(whole, config.repetitions + 1) / whole_pixels
    lines = [
        f"{machine()}, {config.width}x{config.height} → PNG, {config.precision}, "
        f"fastest of {config.repetitions}",
        "",
        *summary(plan, image.size // 3, seconds, whole_seconds),
        f"| peak memory, tiles (before the first: {before / 1e6:.0f}), MB | {peak / 1e6:.0f} |",
        "| memory a LR pixel of a tile, kB "
        f"(assumed: {model.footprint.bytes_per_lr_pixel / 1e3:g}) "
        f"| {(peak - before) / plan.tile_pixels / 1e3:.1f} |",
    ]
    if in_tiles is not None:
        lines += ["", differing(in_tiles, kept[0])]
    return "\n".join(lines + line_of_sizes(config, upscaler))


def first_call(upscaler: Upscaler) -> int:
    """Lets the graph warm up on a small image; returns the peak memory until then."""
    upscaler(np.zeros((16, 16, 3), np.uint8))
    return peak_bytes()


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """The central square, or less where the image ends before."""
    top, left = (max(0, (n - side) // 2) for n in image.shape[:2])
    return image[top : top + side, left : left + side]


def summary(plan: TilePlan, pixels: int, seconds: float, whole_seconds: float) -> list[str]:
    """The table's rows on time."""
    rows, columns = plan.rows[0], plan.columns[0]
    size = f"{columns.read_end - columns.read}x{rows.read_end - rows.read}"
    return [
        "| | |",
        "|---|---|",
        f"| tiles | {len(plan)} of {size} |",
        f"| computed pixels / pixels | {len(plan) * plan.tile_pixels / pixels:.3f} |",
        f"| tiles, with merge and PNG, µs a LR pixel | {seconds / pixels * 1e6:.1f} |",
        f"| whole graph, µs a LR pixel | {whole_seconds * 1e6:.1f} |",
        f"| overhead in time | {seconds / pixels / whole_seconds:.3f} |",
    ]


def line_of_sizes(config: TilesConfig, upscaler: Upscaler) -> list[str]:
    """Times of several sizes, and the line through them."""
    widths = [int(width) for width in config.sizes.split(",") if width]
    if len(widths) < 2:
        return []
    pixels, times = [], []
    lines = ["", "| LR size | seconds | µs a LR pixel |", "|---|---|---|"]
    for width in widths:
        height = max(1, round(width * config.height / config.width))
        image = photo(dataclasses.replace(config, width=width, height=height))
        seconds = fastest(lambda image=image: upscaler(image, xi=config.xi), config.repetitions)
        pixels.append(width * height)
        times.append(seconds)
        lines.append(f"| {width}x{height} | {seconds:.2f} | {seconds / pixels[-1] * 1e6:.1f} |")
    start, slope, explained = fit(pixels, times)
    if config.plot:
        draw(config.plot, pixels, times, (start, slope))
    text = f"{start:.2f} s + {slope * 1e6:.1f} µs a LR pixel, R² = {explained:.4f}"
    return [*lines, "", text]


def draw(path: str, pixels: list[int], seconds: list[float], line: tuple[float, float]) -> None:
    """Draws times over pixels, and the line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    megapixels = np.asarray(pixels) / 1e6
    axes.plot(megapixels, line[0] + line[1] * megapixels * 1e6, color="0.6")
    axes.plot(megapixels, seconds, "o")
    axes.set(xlabel="photo, megapixels", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    figure.savefig(path)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    config = dataclass_flags.read(DEFAULTS)
    refuse_positional(arguments)
    if min(config.width, config.height, config.repetitions) < 1 or config.whole < 0:
        raise UsageError("--width, --height and --repetitions are at least 1, --whole 0")
    if not all(width.isdecimal() for width in config.sizes.split(",") if width):
        raise UsageError(f"--sizes={config.sizes}: name widths, such as 200,300,400")
    import_tensorflow_quietly()
    print(report(config))


if __name__ == "__main__":
    cli_main()
