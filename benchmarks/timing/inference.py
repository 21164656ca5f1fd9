"""Times the fused graph, both generators and the merge, against other ways of running it.

    python -m benchmarks.timing.inference
    python -m benchmarks.timing.inference --sizes=1280x720 --repetitions=3  # an hour; over 24 GB

Everything has the shipped weights, and is compared with ours in float32 before it is timed: our
fused SavedModel in TensorFlow and in OpenVINO, in both precisions; the plain graph (Keras' PReLU,
the output convolution after the last pixel shuffle), exported in the same way, in TensorFlow,
OpenVINO and ONNX Runtime; and PyTorch, channels last. Whatever is not installed is left out. Photos
go through as wholes; with --memory_mb, those that are too large for it go through all of a
precision in the same tiles. All have their turn in each round, in a process of its own, since
together they would not fit into memory: two calls, and one that counts, or the median of more where
it is short. Prints Markdown: seconds, the rate in canonical operations and its share of what
the machine reaches in large matrix products, which have their turn in each round too, the distance
of the outputs, and the targets.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from benchmarks.timing.inference_targets import INT8, OURS, PRECISIONS, Variant, section
from benchmarks.timing.interleaved import machine, medians_of, seconds_of
from benchmarks.timing.own_process import ProcessEndedError, in_own_process
from bigans import Tiling, Upscaler
from sr_images.image_io import read_rgb
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import DataError, UsageError
from sr_program.machine.allocator import keep_freed_memory
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting

if TYPE_CHECKING:
    from benchmarks.timing.inference_variants import Exported


@dataclasses.dataclass(frozen=True)
class InferenceConfig:
    """What is timed."""

    sizes: str = setting("256x256", "Widths and heights of the photo, WxH, separated by commas.")
    repetitions: int = setting(5, "Timed rounds.")
    variants: str = setting(
        "",
        "Only variants with one of these in their title, as 'onnx,openvino plain'; empty: all.",
    )
    image: str = setting("", "Photo, repeated in mirror images; scikit-image's by default.")
    shared_slopes: bool = setting(
        False, "Give each PReLU of the shipped weights the mean of its slopes, everywhere."
    )
    memory_mb: float = setting(0.0, "As of the upscaler; 0: photos as wholes, whatever they take.")
    product_side: int = setting(4096, "Rows of the square matrices whose product is the ceiling.")
    int8_photos: str = setting(
        "", "Also time OpenVINO in int8, with ranges measured on the LR photos in this folder."
    )

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for size in self.sizes.split(","):
            if not all(side.isdecimal() and int(side) >= 8 for side in size.split("x")[:2]) or (
                size.count("x") != 1
            ):
                raise UsageError(f"--sizes: {size!r} is no size such as 256x256, of 8 or more")
        if self.repetitions < 1:
            raise UsageError("--repetitions must be at least 1")
        if self.memory_mb < 0:
            raise UsageError(f"--memory_mb={self.memory_mb:g} is below 0")
        if self.product_side < 1:
            raise UsageError(f"--product_side={self.product_side} is below 1")
        if self.int8_photos:
            require_extra("openvino")


DEFAULTS = InferenceConfig()


# In 10⁶ bytes, more than any photo takes.
AS_A_WHOLE = 1e9
_TURN = 3.0  # seconds

# The least PSNR of the output from ours in float32, dB: sums in another order, and rounding.
NEAREST = {"float32": 65.0, "bfloat16": 45.0, INT8: 45.0}


def tiling_of(config: InferenceConfig) -> Tiling:
    """The upscalers' settings."""
    return Tiling(config.memory_mb or AS_A_WHOLE)


def photo(config: InferenceConfig, size: str) -> np.ndarray:
    """A photo of the size, continued by its mirror images, uint8 [H, W, 3]."""
    from skimage import data

    image = read_rgb(config.image) if config.image else data.chelsea()
    width, height = map(int, size.split("x"))
    rows = (0, max(0, height - image.shape[0]))
    columns = (0, max(0, width - image.shape[1]))
    return np.pad(image, (rows, columns, (0, 0)), mode="symmetric")[:height, :width].copy()


def distances(models: Mapping[Variant, Upscaler], image: np.ndarray) -> dict[Variant, float]:
    """PSNR of each variant's output from that of ours in float32, dB.

    Raises:
        DataError: One of them is not the same network.
    """
    expected = models[OURS](image).astype(np.float64)
    found = {}
    for variant, upscaler in models.items():
        error = np.mean((upscaler(image) - expected) ** 2)
        found[variant] = float(10 * np.log10(255**2 / error)) if error else float("inf")
        if found[variant] < NEAREST[variant.precision]:
            raise DataError(
                f"{variant.title}: {found[variant]:.1f} dB from {OURS.title}, which is too far"
            )
    return found


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What is to be timed.

    Attributes:
        exported: The graphs.
        apart: PSNR of each variant's output from that of ours in float32, dB.
        flops: Canonical operations of both generators an LR pixel.
    """

    exported: Exported
    apart: dict[Variant, float]
    flops: int


def prepare(config: InferenceConfig, folder: Path) -> Prepared:
    """Exports everything and compares it, in a process of its own.

    Raises:
        DataError: One of the variants is not the same network.
    """
    _start()
    from benchmarks.peers import runtimes as peers
    from benchmarks.shipped import shipped_generator
    from benchmarks.timing import inference_variants
    from benchmarks.timing.ceiling import canonical_flops

    flops = sum(canonical_flops(*shipped_generator(name)) for name in (peers.FAITHFUL, peers.VIVID))
    shared = config.shared_slopes
    exported = inference_variants.export(
        folder, config.int8_photos, shared_slopes=shared, wanted=config.variants
    )
    models = {
        variant: inference_variants.load(variant, exported, tiling_of(config))
        for variant in inference_variants.variants_of(exported, config.variants)
    }
    return Prepared(exported, distances(models, photo(config, "96x64")), flops)


def turn(variant: Variant, exported: Exported, config: InferenceConfig, image: np.ndarray) -> float:
    """Seconds of a variant's call, in a process of its own; the first two do not count."""
    _start()
    from benchmarks.timing import inference_variants

    upscaler = inference_variants.load(variant, exported, tiling_of(config))
    return settled(lambda: upscaler(image))


def product_turn(precision: str, side: int) -> float:
    """Operations a second of a product of square matrices, in a process of its own."""
    _start()
    from benchmarks.timing.ceiling import matrix_product

    product, flops = matrix_product(precision, side)
    return flops / settled(product)


def settled(call: Callable[[], object]) -> float:
    """Seconds of a call after the first two: of one, or the median of as many as take 3 seconds.

    The first traces and compiles. The second may still fetch memory: where the generators' largest
    layers meet only then, a process was seen to grow from 4.9 to 8.8 GB, which took 4 of 15 s.
    """
    for _ in range(2):
        call()
    seconds: list[float] = []
    while sum(seconds) < _TURN:
        seconds.append(seconds_of(call))
    return statistics.median(seconds)


def _start() -> None:
    keep_freed_memory()  # as the upscaler does
    import_keras_quietly()
    warnings_only()


def timed(
    config: InferenceConfig,
    prepared: Prepared,
    image: np.ndarray,
    alone: Callable[..., float] = in_own_process,
) -> tuple[dict[Variant, float], dict[str, float]]:
    """Seconds of each variant, and operations a second of matrix products in both precisions.

    A variant has an infinite time if its memory did not suffice, and is not tried again.
    """
    ended: set[Variant] = set()

    def seconds_of_turn(variant: Variant) -> float:
        try:
            if variant not in ended:
                return alone(turn, variant, prepared.exported, config, image)
        except ProcessEndedError:
            ended.add(variant)
        return math.inf

    turns: dict[Variant | str, Callable[[], float]] = {
        variant: functools.partial(seconds_of_turn, variant) for variant in prepared.apart
    }
    side = config.product_side
    products = {name: functools.partial(alone, product_turn, name, side) for name in PRECISIONS}
    found = medians_of(turns | products, config.repetitions)
    return {variant: found[variant] for variant in prepared.apart}, {
        name: found[name] for name in products
    }


def report(config: InferenceConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: The photo cannot be read, one of the variants is not the same network, or memory
            ran out.
    """
    config.check()
    images = {size: photo(config, size) for size in config.sizes.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        prepared = in_own_process(prepare, config, Path(folder))
        parts = [
            f"{machine()}; medians of {config.repetitions} interleaved rounds. Both generators: "
            f"{prepared.flops / 1e6:.2f} MFLOP an LR pixel."
            + (" One slope a PReLU, the mean of the shipped ones." if config.shared_slopes else "")
        ]
        for size, image in images.items():
            seconds, ceilings = timed(config, prepared, image)
            if seconds[OURS] == math.inf:
                raise DataError(f"memory ran out on {size} pixels; give a smaller --memory_mb")
            operations = prepared.flops * image.shape[0] * image.shape[1]
            parts += section(
                size, seconds, prepared.apart, operations, ceilings, config.product_side
            )
    return "\n\n".join(parts)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
