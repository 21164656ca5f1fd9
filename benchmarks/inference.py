"""Times the fused graph, both towers and the merge, against other ways of running it.

    python -m benchmarks.inference
    python -m benchmarks.inference --sizes=1280x720 --repetitions=3    # minutes; 20 GB

Everything has the shipped weights, runs in one process, in turn, and is compared with ours in
float32 before it is timed: our fused SavedModel in TensorFlow and in OpenVINO, in both precisions;
the plain graph (Keras' PReLU, the output convolution after the last pixel shuffle), exported in the
same way, in TensorFlow, OpenVINO and ONNX Runtime; and PyTorch, channels last. Whatever is not
installed is left out. Photos go through as wholes; with --memory_mb, those that are too large for
it go through all of a precision in the same tiles. The process keeps the memory that each form
gives back after its turn for the next one. Prints Markdown: seconds, the rate in canonical
operations and its share of what the machine reaches in large matrix products, which have their turn
in each round, the distance of the outputs, and the bars.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np

from benchmarks.inference_bars import INT8, OURS, PLAIN, PRECISIONS, Form, section
from benchmarks.interleaved import machine, medians
from benchmarks.training_forms import torch_is_installed
from cli import dataclass_flags
from cli.entry_point import run, warnings_only
from cli.errors import DataError, UsageError
from cli.extras import is_installed, require_extra
from cli.precision import resolve
from cli.tensorflow_start import import_keras_quietly
from evaluation.config import setting
from sr_data.image_io import read_rgb
from upscaler import Tiling, Upscaler
from upscaler.allocator import keep_freed_memory
from upscaler.memory import TENSORFLOW, TENSORFLOW_BFLOAT16
from upscaler.model import Model
from upscaler.runtime import AnyModel, load_model


@dataclasses.dataclass(frozen=True)
class InferenceConfig:
    """What is timed."""

    sizes: str = setting("256x256", "Widths and heights of the photo, WxH, separated by commas.")
    repetitions: int = setting(5, "Timed rounds.")
    warmup: int = setting(1, "Rounds before them.")
    forms: str = setting(
        "",
        "Only forms with one of these in their title, such as 'onnx,openvino plain'; empty: all.",
    )
    image: str = setting("", "Photo, repeated in mirror images; scikit-image's by default.")
    shared_slopes: bool = setting(
        False, "Give each PReLU of the shipped weights the mean of its slopes, everywhere."
    )
    memory_mb: float = setting(0.0, "As of the upscaler; 0: photos as wholes, whatever they take.")
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
        if self.repetitions < 1 or self.warmup < 0:
            raise UsageError("--repetitions must be at least 1 and --warmup at least 0")
        if self.memory_mb < 0:
            raise UsageError(f"--memory_mb={self.memory_mb:g} is below 0")
        if self.int8_photos:
            require_extra("openvino")


DEFAULTS = InferenceConfig()


# In 10⁶ bytes, more than any photo takes.
AS_A_WHOLE = 1e9

# The least PSNR of the output from ours in float32, dB: sums in another order, and rounding.
NEAREST = {"float32": 65.0, "bfloat16": 45.0, INT8: 45.0}


def upscalers(config: InferenceConfig, folder: Path) -> dict[Form, Upscaler]:
    """Loads everything that is installed and asked for."""
    from benchmarks import peers
    from pretrained.saved_models import saved_models

    shared = config.shared_slopes
    plain = peers.export_plain(folder / "plain", shared)
    makers: dict[Form, Callable[[], AnyModel]] = {}
    ours = {
        precision: peers.export_shared(folder / "ours", precision)
        if shared
        else saved_models(precision=resolve(precision)).fused
        for precision in PRECISIONS
    }
    for precision, path in ours.items():
        makers[Form("TensorFlow", "ours", precision)] = lambda path=path: Model(path)
    makers[PLAIN] = lambda: Model(plain)
    if is_installed("openvino"):
        for precision in PRECISIONS:
            for graph, path in (("ours", ours["float32"]), ("plain", plain)):
                makers[Form("OpenVINO", graph, precision)] = lambda path=path, p=precision: (
                    load_model(path, "openvino", p)
                )
    if config.int8_photos:
        int8 = peers.export_int8(folder / "int8", config.int8_photos, shared)
        makers[Form("OpenVINO", "ours", INT8)] = lambda: load_model(int8, "openvino", "bfloat16")
    if is_installed("onnx"):
        makers[Form("ONNX Runtime", "plain", "float32")] = lambda: peers.onnx_towers(
            folder / "plain"
        )
    if torch_is_installed():
        for precision in PRECISIONS:
            makers[Form("PyTorch", "plain", precision)] = lambda p=precision: peers.torch_towers(
                p, shared
            )
    models = {form: make() for form, make in makers.items() if is_wanted(form, config.forms)}
    return in_equal_tiles(models, tiling_of(config))


def tiling_of(config: InferenceConfig) -> Tiling:
    """The upscalers' settings."""
    return Tiling(config.memory_mb or AS_A_WHOLE)


def in_equal_tiles(models: Mapping[Form, AnyModel], tiling: Tiling) -> dict[Form, Upscaler]:
    """Gives all models the same tiles, whatever each of them takes: two of these a precision."""
    for form, model in models.items():
        model.footprint = TENSORFLOW if form.precision == "float32" else TENSORFLOW_BFLOAT16
    return {form: Upscaler.of_model(model, tiling) for form, model in models.items()}


def is_wanted(form: Form, forms: str) -> bool:
    """Whether `--forms` asks for it; ours in float32, which all are compared with, is always."""
    title = form.title.lower().replace(",", "")
    return form == OURS or any(part.strip().lower() in title for part in forms.split(","))


def photo(config: InferenceConfig, size: str) -> np.ndarray:
    """A photo of the size, continued by its mirror images, uint8 [H, W, 3]."""
    from skimage import data

    image = read_rgb(config.image) if config.image else data.chelsea()
    width, height = map(int, size.split("x"))
    rows = (0, max(0, height - image.shape[0]))
    columns = (0, max(0, width - image.shape[1]))
    return np.pad(image, (rows, columns, (0, 0)), mode="symmetric")[:height, :width].copy()


def distances(models: Mapping[Form, Upscaler], image: np.ndarray) -> dict[Form, float]:
    """PSNR of each form's output from that of ours in float32, dB.

    Raises:
        DataError: One of them is not the same network.
    """
    expected = models[OURS](image).astype(np.float64)
    found = {}
    for form, upscaler in models.items():
        error = np.mean((upscaler(image) - expected) ** 2)
        found[form] = float(10 * np.log10(255**2 / error)) if error else float("inf")
        if found[form] < NEAREST[form.precision]:
            raise DataError(
                f"{form.title}: {found[form]:.1f} dB from {OURS.title}, which is too far"
            )
    return found


def timed(
    config: InferenceConfig, models: Mapping[Form, Upscaler], image: np.ndarray
) -> tuple[dict[Form, float], dict[str, float]]:
    """Seconds of each form, and operations a second of matrix products in both precisions."""
    from benchmarks.ceiling import matrix_product

    products = {precision: matrix_product(precision) for precision in PRECISIONS}
    calls: dict[Form | str, Callable[[], object]] = {
        form: lambda u=upscaler: u(image) for form, upscaler in models.items()
    }

    def give_back(name: Form | str) -> None:
        if isinstance(name, Form):
            models[name].release_memory()

    seconds = medians(
        calls | {precision: product for precision, (product, _) in products.items()},
        config.repetitions,
        config.warmup,
        give_back,
    )
    ceilings = {name: flops / seconds[name] for name, (_, flops) in products.items()}
    return {form: seconds[form] for form in models}, ceilings


def report(config: InferenceConfig) -> str:
    """Times everything.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: The photo cannot be read, or one of the forms is not the same network.
    """
    config.check()
    keep_freed_memory()  # for all of them; the upscaler does so too
    import_keras_quietly()
    from benchmarks import peers
    from benchmarks.ceiling import canonical_flops
    from benchmarks.shipped import shipped_generator

    flops = sum(canonical_flops(*shipped_generator(name)) for name in (peers.FAITHFUL, peers.VIVID))
    parts = [
        f"{machine()}; medians of {config.repetitions} interleaved rounds. Both towers: "
        f"{flops / 1e6:.2f} MFLOP an LR pixel."
        + (" One slope a PReLU, the mean of the shipped ones." if config.shared_slopes else "")
    ]
    with tempfile.TemporaryDirectory() as folder:
        models = upscalers(config, Path(folder))
        apart = distances(models, photo(config, "96x64"))
        for size in config.sizes.split(","):
            image = photo(config, size)
            seconds, ceilings = timed(config, models, image)
            operations = flops * image.shape[0] * image.shape[1]
            parts += section(size, seconds, apart, operations, ceilings)
    return "\n\n".join(parts)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    if arguments:
        raise UsageError(f"unexpected argument {arguments[0]!r}; everything is a flag")
    warnings_only()
    print(report(dataclass_flags.read(DEFAULTS)))


if __name__ == "__main__":
    cli_main()
