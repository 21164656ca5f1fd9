r"""Builds the fused SavedModel from the SavedModels of the two generators.

    python -m fusion.export --faithful=models/mr_srgan --vivid=models/wp_srgan/stage2 \
        --output=models/fused

writes models/fused/1. A generator is a SavedModel or a directory of numbered versions. Other
formats than SavedModel are for other runtimes; there xi and max_deviation are vectors of one value,
or of one an image, and have to be given:

    --format=openvino   fused.xml and towers.xml; `python -m bigans --saved_model` takes them too
    --format=onnx       fused.onnx and towers.onnx
    --format=litert     fused.tflite; its interpreter has to be told each new size of the inputs
                        (resize_tensor_input; a signature runner does it by itself)

OpenVINO and ONNX Runtime can compute in int8, which is faster and less exact: --int8_photos=DIR
names photos to measure ranges on.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

import numpy as np
from absl import flags
from tqdm import tqdm

from sr_program import contract, entry_point
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory
from sr_program.files.versions import latest_version
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

# TensorFlow takes seconds to import: --help and a wrong path do without it.
if TYPE_CHECKING:
    from fusion.formats.int8 import Photos
    from fusion.fused_model import FusedModel
    from fusion.modes import Delta, Threshold

Format = Literal["saved_model", "onnx", "openvino", "litert"]
FORMATS: tuple[Format, ...] = get_args(Format)
_INT8_FORMATS: tuple[Format, ...] = ("openvino", "onnx")

_VERSION = "1"


def build(
    faithful_dir: str | os.PathLike[str],
    vivid_dir: str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    *,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
    format: Format = "saved_model",
    int8_photos: str | os.PathLike[str] | None = None,
) -> Path:
    """Writes the fused model of two generators, complete or not at all.

    Args:
        faithful_dir: SavedModel of I_g, or a directory of numbered versions (the latest is taken).
        vivid_dir: SavedModel of I_G, likewise.
        output_dir: The model goes to `output_dir`/1, which must not exist.
        threshold: "joint", "per_channel" or "luma"; see `fusion.fused_model.fuse`.
        delta: "as_read" or "as_printed"; see `fusion.fused_model.fuse`.
        format: "saved_model", or what another runtime reads; see `portable_model`.
        int8_photos: For "onnx" and "openvino": compute in int8, with ranges measured on the LR
            photos in this folder; see `fusion.formats.int8`.

    Returns:
        `output_dir`/1.

    Raises:
        DataError: A generator is missing or unfit, the output exists, there are no photos, or the
            written model does not give what the one in memory gives.
        UsageError: Unknown `threshold`, `delta` or `format`, int8 in a format that does not have
            it, or a package that the format needs is not installed.
    """
    if format not in FORMATS:
        raise UsageError(f"format is {format!r}; choose one of {', '.join(FORMATS)}")
    target = Path(output_dir) / _VERSION
    if format != "saved_model":
        require_extra(format)
    photos = None if int8_photos is None else _photos(int8_photos, format)
    if target.exists():
        raise DataError(f"{target}: exists already; remove it or choose another output directory")
    faithful, vivid = find_saved_model(faithful_dir), find_saved_model(vivid_dir)
    with tqdm(total=3, desc="fusing", unit="step", disable=None, leave=False) as progress:
        import_tensorflow_quietly()
        from fusion.fused_model import FusedModel

        model = FusedModel(faithful, vivid, threshold=threshold, delta=delta)
        progress.update()
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_directory(target) as temporary:
            check = _write(model, temporary, format, photos)
            progress.update()
            check()
            progress.update()
    return target


def _photos(folder: str | os.PathLike[str], format: Format) -> Photos:
    """What ranges are measured on."""
    if format not in _INT8_FORMATS:
        choices = " or ".join(_INT8_FORMATS)
        raise UsageError(f"int8_photos has no effect on format {format!r}; choose {choices}")
    require_extra("onnx")
    from fusion.formats.int8 import calibration_photos

    return calibration_photos(folder)


def _write(
    model: FusedModel, directory: Path, format: Format, photos: Photos | None
) -> Callable[[], None]:
    """Writes the model; returns what compares the result with the model in memory."""
    if format == "saved_model":
        import tensorflow as tf

        functions = model.signature_functions
        tf.saved_model.save(model, os.fspath(directory), signatures=functions)
        return functools.partial(_check_reload, model, directory)
    from fusion.formats.portable_model import PortableModel
    from fusion.formats.runtime_check import check_runs

    portable = PortableModel(model)
    if photos is not None:
        from fusion.formats.int8 import check_quantized

        runs = _module(format).write(portable, directory, photos)
        return functools.partial(check_quantized, portable.functions, runs, photos)
    runs = _module(format).write(portable, directory)
    return functools.partial(check_runs, portable, runs, directory)


def _module(format: Format) -> Any:
    """What writes the format; its packages are imported no sooner."""
    if format == "onnx":
        from fusion.formats import onnx as onnx_format

        return onnx_format
    if format == "openvino":
        from fusion.formats import openvino as openvino_format

        return openvino_format
    from fusion.formats import litert as litert_format

    return litert_format


def find_saved_model(directory: str | os.PathLike[str]) -> Path:
    """The SavedModel in a directory: the directory itself, or its latest numbered version.

    Raises:
        DataError: There is none.
    """
    root = Path(directory)
    if not root.is_dir():
        raise DataError(f"{root}: no such directory; name the directory of an exported SavedModel")
    found = latest_version(root, "saved_model.pb")
    if found is None:
        raise DataError(
            f"{root}: no SavedModel (no saved_model.pb here, nor in a numbered version such as "
            f"{root / _VERSION}); export one with mr_srgan.export or wp_srgan.export"
        )
    return found


def _check_reload(model: FusedModel, directory: Path) -> None:
    """Compares the written model with the one in memory, on two small images of noise.

    Raises:
        DataError: They differ.
    """
    import tensorflow as tf

    image = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), np.uint8))
    generators = model.signature_functions["towers"](image=image)
    one_each = model.signature_functions["deviations"](**generators)["deviations"].shape[2]
    values: dict[str, Any] = {
        contract.IMAGE: image,
        **generators,
        "limits": tf.fill([2, one_each], 2.0),
        contract.XI: tf.constant([xi for xi, _ in contract.TRIED]),
        contract.MAX_DEVIATION: tf.constant([bound for _, bound in contract.TRIED]),
    }
    reloaded = tf.saved_model.load(os.fspath(directory))
    for name, function in model.signature_functions.items():
        written = reloaded.signatures[name]
        inputs = {key: values[key] for key in written.structured_input_signature[1]}
        contract.check_written(directory, name, function(**inputs), written(**inputs))


def cli_main() -> NoReturn:
    """Runs the command; the flags are defined here because `pretrained` imports this module."""
    flags.DEFINE_string("faithful", None, "SavedModel of the faithful generator (MR-SRGAN).")
    flags.DEFINE_string("vivid", None, "SavedModel of the vivid generator (WP-SRGAN, stage 2).")
    flags.DEFINE_string("output", None, "Directory of the fused model; it goes to OUTPUT/1.")
    flags.DEFINE_enum(
        "threshold",
        "joint",
        ["joint", "per_channel", "luma"],
        "What xi is a quantile of: |delta| over all channels, over each channel separately, or of "
        "its luma with the channels of a pixel moved together (keeps the hue).",
    )
    flags.DEFINE_enum(
        "delta",
        "as_read",
        ["as_read", "as_printed"],
        "Sign of delta in Eq. (9): faithful - vivid, or vivid - faithful as the paper prints it "
        "(moves away from the faithful image; no max_deviation).",
    )
    flags.DEFINE_enum(
        "format",
        "saved_model",
        list(FORMATS),
        "For TensorFlow, ONNX Runtime, OpenVINO or LiteRT; each but the first needs the extra of "
        "its name: pip install 'bi-gans-st[openvino]'.",
    )
    flags.DEFINE_string(
        "int8_photos",
        None,
        "With --format=openvino or onnx: compute in int8, with ranges measured on the photos in "
        "this folder, which are like those to be enlarged. Needs the extra onnx.",
    )
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    values = flags.FLAGS
    entry_point.refuse_positional(positional)
    for name in ("faithful", "vivid", "output"):
        if not values[name].value:
            raise UsageError(f"--{name}=DIR is missing")
    entry_point.warnings_only()
    path = build(
        values.faithful,
        values.vivid,
        values.output,
        threshold=values.threshold,
        delta=values.delta,
        format=values.format,
        int8_photos=values.int8_photos,
    )
    print(path)


if __name__ == "__main__":
    cli_main()
