"""Two generators' SavedModels become one fused model, for TensorFlow or another runtime."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from tqdm import tqdm

from fusion.saved_model_folder import VERSION, find_generator
from sr_program import contract
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.model_facts import write_facts

# TensorFlow takes seconds to import: --help and a wrong path do without it.
if TYPE_CHECKING:
    from fusion.formats.int8 import Photos
    from fusion.fused_model import FusedModel
    from fusion.modes import Delta, Threshold

Format = Literal["saved_model", "onnx", "openvino", "litert"]
FORMATS: tuple[Format, ...] = get_args(Format)
_INT8_FORMATS: tuple[Format, ...] = ("openvino", "onnx")


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
        faithful_dir: SavedModel of I_g, a directory of numbered versions (the latest is taken), or
            an ONNX file of any network that enlarges.
        vivid_dir: SavedModel of I_G, likewise.
        output_dir: The model goes to `output_dir`/1, which must not exist.
        threshold: "joint", "per_channel" or "luma"; see `fusion.fuse.fuse`.
        delta: "as_read" or "as_printed"; see `fusion.fuse.fuse`.
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
    target = Path(output_dir) / VERSION
    if format != "saved_model":
        require_extra(format)
    photos = None if int8_photos is None else _photos(int8_photos, format)
    if target.exists():
        raise DataError(f"{target}: exists already; remove it or choose another output directory")
    faithful, vivid = find_generator(faithful_dir), find_generator(vivid_dir)
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
        write_facts(directory, model.facts)
        return functools.partial(check_reload, model, directory)
    from fusion.formats.portable_model import PortableModel
    from fusion.formats.runtime_check import check_runs

    portable = PortableModel(model)
    if photos is not None:
        from fusion.formats.int8 import check_quantized

        runs = _module(format).write(portable, directory, photos)
        write_facts(directory, dataclasses.replace(model.facts, precision="int8"))
        return functools.partial(check_quantized, portable.functions, runs, photos)
    runs = _module(format).write(portable, directory)
    write_facts(directory, model.facts)
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


def check_reload(model: FusedModel, directory: Path) -> None:
    """Compares the written model with the one in memory, on two small images of noise.

    Raises:
        DataError: They differ.
    """
    import tensorflow as tf

    image = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), np.uint8))
    generators = model.signature_functions[contract.GENERATORS](image=image)
    one_each = model.signature_functions[contract.DEVIATIONS](**generators)["deviations"].shape[2]
    values: dict[str, Any] = {
        contract.IMAGE: image,
        contract.LEVELS: tf.cast(image, tf.float32) * 0.999,
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
