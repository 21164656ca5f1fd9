"""Makes a network in the format of ONNX compute in int8, with ranges measured on photos.

Post-training and static: what a convolution reads, uint8, has one range a tensor; its weights,
int8, have one an output channel; sums are int32. Where the processor has no instructions for that
the weights have 7 bits; so export on a machine like those that shall serve. The first and the last
convolution of a network, the interpolated skip and the merge stay in float32.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sr_data.sources import FolderSource
from sr_images.image_io import read_rgb
from sr_program.contract import DEFAULT_XI, IMAGE, MAX_DEVIATION, USE_XI, XI
from sr_program.errors import DataError
from sr_program.machine.precision import cpu_flags

# It imports TensorFlow, which takes seconds: a folder without photos is noticed before.
if TYPE_CHECKING:
    from fusion.formats.runtime_check import Run

Photos = Sequence[NDArray[np.uint8]]

# A convolution with fewer channels on one side is next to an image. There rounding is seen, and
# there is little to gain.
_LEAST_CHANNELS = 16

_MOST_PHOTOS = 16
_LARGEST_SIDE = 96  # LR pixels

# What the merge needs to run; ranges within the networks do not depend on it.
_NUMBERS = {XI: DEFAULT_XI, MAX_DEVIATION: USE_XI}

# Any of them adds products of 8 bits into 32.
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}

# The least PSNR of a result from float32's, dB. Trained networks are at 50 and more.
_NEAREST = 40.0


def calibration_photos(folder: str | os.PathLike[str]) -> list[NDArray[np.uint8]]:
    """The middle of photos on which ranges can be measured.

    Args:
        folder: Holds photos like those to be enlarged, that is LR ones.

    Returns:
        16 at most, evenly taken from the folder, uint8 [1, H, W, 3], no side over 96 pixels.

    Raises:
        DataError: There are none, or one cannot be read.
    """
    paths = FolderSource(Path(folder), recursive=False).paths
    chosen = np.unique(np.linspace(0, len(paths) - 1, _MOST_PHOTOS).round().astype(int))
    return [_middle(read_rgb(paths[index]))[np.newaxis] for index in chosen]


def quantize(path: Path, photos: Photos, *, outputs: bool) -> None:
    """Replaces a network by one that computes in int8 and float32.

    Args:
        path: An `.onnx` with an input "image", uint8 or float32 grey levels, [B, H, W, 3].
        photos: As of `calibration_photos`.
        outputs: Round the convolutions' outputs to 8 bits too. ONNX Runtime is faster then (a
            128x128 photo 0.68 s instead of 1.06 s), OpenVINO slower (0.34 s instead of 0.31 s).

    Raises:
        DataError: No convolution has 16 channels or more on both sides.
    """
    import onnx  # pyright: ignore[reportMissingImports]
    from onnxruntime import quantization  # pyright: ignore[reportMissingImports]
    from onnxruntime.quantization.shape_inference import (  # pyright: ignore[reportMissingImports]
        quant_pre_process,
    )

    with tempfile.TemporaryDirectory(prefix="bi-gans-st-") as folder:
        simplified = os.path.join(folder, "simplified.onnx")
        quant_pre_process(os.fspath(path), simplified, skip_symbolic_shape=True)
        graph = onnx.load(simplified).graph
        convolutions = _wide_convolutions(graph)
        if not convolutions:
            raise DataError(
                f"{path.name}: no convolution has {_LEAST_CHANNELS} channels or more on both "
                "sides, so int8 has nothing to gain; export without it"
            )
        quantization.quantize_static(
            simplified,
            os.fspath(path),
            _reader(photos, _dtypes(graph)),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_quantize=convolutions,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            reduce_range=_saturates(),
            extra_options={"OpTypesToExcludeOutputQuantization": [] if outputs else ["Conv"]},
        )


def check_quantized(functions: Mapping[str, Any], runs: Mapping[str, Run], photos: Photos) -> None:
    """Compares what was written with the model in memory, on photos.

    Args:
        functions: In memory, in float32, by name; they take and give tensors.
        runs: What was written, loaded again, by the same names.
        photos: As of `calibration_photos`.

    Raises:
        DataError: A result has less than 40 dB PSNR from that of float32.
    """
    for name, run in runs.items():
        signature = functions[name].input_signature
        wanted = {spec.name: np.dtype(spec.dtype.as_numpy_dtype) for spec in signature}
        errors: dict[str, list[float]] = {}
        for photo in photos:
            inputs = _inputs(photo, wanted)
            expected = functions[name](**inputs)
            for key, value in run(inputs).items():
                difference = np.asarray(value, float) - expected[key].numpy()
                errors.setdefault(key, []).append(float(np.mean(difference**2)))
        for key, squares in errors.items():
            psnr = 10 * np.log10(255**2 / max(np.mean(squares), 1e-9))
            if not psnr >= _NEAREST:
                raise DataError(
                    f"in int8 {key} of {name} is {psnr:.1f} dB from float32, which is too far; "
                    "calibrate with photos like those to be enlarged, or export without int8"
                )


def _saturates() -> bool:
    """Whether this processor is an x86 that adds pairs of products in 16 bits.

    Uint8 times int8 goes beyond them; with weights of at most 64 it does not.
    """
    flags = cpu_flags()
    return bool(flags) and not flags & _DOT_PRODUCTS


def _middle(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, side - _LARGEST_SIDE) // 2 for side in image.shape[:2])
    return image[top : top + _LARGEST_SIDE, left : left + _LARGEST_SIDE]


def _inputs(photo: NDArray[np.uint8], wanted: Mapping[str, np.dtype]) -> dict[str, np.ndarray]:
    numbers = {name: np.array([value]) for name, value in _NUMBERS.items()}
    everything = {IMAGE: photo, **numbers}
    return {key: everything[key].astype(dtype) for key, dtype in wanted.items()}


def _dtypes(graph: Any) -> dict[str, np.dtype]:
    """What a network takes, by name."""
    from onnx import helper  # pyright: ignore[reportMissingImports]

    return {
        value.name: helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        for value in graph.input
    }


def _wide_convolutions(graph: Any) -> list[str]:
    """Names of the convolutions that are not next to an image, nor one half of one that is."""
    kernels = {value.name: value.dims for value in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]

    def is_wide(node: Any) -> bool:
        return min(kernels.get(node.input[1], (0, 0))[:2]) >= _LEAST_CHANNELS

    # With nothing between them two convolutions are one that was taken apart.
    halves = {node.input[0] for node in convolutions if not is_wide(node)}
    return [node.name for node in convolutions if is_wide(node) and node.output[0] not in halves]


def _reader(photos: Photos, wanted: Mapping[str, np.dtype]) -> Any:
    """What ONNX Runtime takes photos from."""
    from onnxruntime.quantization import (  # pyright: ignore[reportMissingImports]
        CalibrationDataReader,
    )

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._rest = iter(photos)

        def get_next(self) -> dict[str, np.ndarray] | None:
            photo = next(self._rest, None)
            return None if photo is None else _inputs(photo, wanted)

    return Reader()
