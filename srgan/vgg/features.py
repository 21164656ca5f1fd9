"""The perceptual feature network φ: VGG16 or VGG19 up to chosen layers, on images in [-1, 1].

This module owns the step from this project's pixel range to that of the ImageNet weights, and the
constants that keep the perceptual loss of any layer in the paper's balance with the pixel loss.

References: Ledig et al., arXiv 1609.04802, Section 2.2.1 (φ5,4 and the scale 1/12.75²);
Bi-GANs-ST, arXiv 1811.00367, Eq. (4) and (7).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import ops

from sr_program.errors import UsageError
from srgan.vgg.layers import IMAGENET_MEAN_BGR, ConvolutionLayer, layers_up_to
from srgan.vgg.weights import IMAGENET, load_vgg_weights

# The perceptual loss is scale · mean((φ(HR) − φ(SR))²). The paper's λ2 = 6e-3 weighs the raw mean
# of SRGAN's layer, whose scale is therefore 1 by definition: weights of block 5 were not at hand
# to measure it. The means of other layers are up to five orders of magnitude larger. Their scales
# make λ2 · L_vgg equal to the pixel loss (MSE in [-1, 1]) on bicubic-upscaled against original
# 96x96 crops of the 12 validation images, as printed by
# `python -m benchmarks.studies.feature_scale --data=VALDIR --vgg_weights=FILE`.
# VGG16's weights are those of docs/perceptual_weights.md, whose last block is not trusted.
# Keys: network, layer, before its ReLU.
FEATURE_SCALE: dict[tuple[str, str, bool], float] = {
    ("vgg19", "block1_conv1", False): 6.1e-3,
    ("vgg19", "block1_conv1", True): 2.8e-3,
    ("vgg19", "block1_conv2", False): 4.2e-4,
    ("vgg19", "block1_conv2", True): 2.5e-4,
    ("vgg19", "block2_conv1", False): 1.7e-4,
    ("vgg19", "block2_conv1", True): 6.2e-5,
    ("vgg19", "block2_conv2", False): 1.0e-4,
    ("vgg19", "block2_conv2", True): 3.7e-5,
    ("vgg19", "block3_conv1", False): 9.5e-5,
    ("vgg19", "block3_conv1", True): 2.6e-5,
    ("vgg19", "block3_conv2", False): 8.0e-5,
    ("vgg19", "block3_conv2", True): 3.4e-5,
    ("vgg19", "block3_conv3", False): 3.7e-5,
    ("vgg19", "block3_conv3", True): 2.6e-5,
    ("vgg19", "block3_conv4", False): 1.0e-5,
    ("vgg19", "block3_conv4", True): 7.0e-6,
    ("vgg19", "block5_conv4", False): 1.0,
    ("vgg19", "block5_conv4", True): 1.0,
    ("vgg16", "block1_conv1", False): 5.2e-3,
    ("vgg16", "block1_conv1", True): 2.4e-3,
    ("vgg16", "block1_conv2", False): 3.1e-4,
    ("vgg16", "block1_conv2", True): 1.8e-4,
    ("vgg16", "block2_conv1", False): 8.8e-5,
    ("vgg16", "block2_conv1", True): 3.9e-5,
    ("vgg16", "block2_conv2", False): 3.8e-5,
    ("vgg16", "block2_conv2", True): 1.5e-5,
    ("vgg16", "block3_conv1", False): 2.9e-5,
    ("vgg16", "block3_conv1", True): 8.6e-6,
    ("vgg16", "block3_conv2", False): 2.6e-5,
    ("vgg16", "block3_conv2", True): 8.9e-6,
    ("vgg16", "block3_conv3", False): 3.0e-5,
    ("vgg16", "block3_conv3", True): 1.0e-5,
    ("vgg16", "block4_conv1", False): 5.4e-5,
    ("vgg16", "block4_conv1", True): 1.2e-5,
    ("vgg16", "block4_conv2", False): 1.5e-4,
    ("vgg16", "block4_conv2", True): 3.2e-5,
    ("vgg16", "block4_conv3", False): 8.5e-4,
    ("vgg16", "block4_conv3", True): 9.5e-5,
    ("vgg16", "block5_conv3", False): 1.0,
    ("vgg16", "block5_conv3", True): 1.0,
}


def feature_scale(network: str, layer: str, before_relu: bool = False) -> float:
    """Looks up the factor that gives a layer's feature loss the paper's weight.

    Args:
        network: "vgg16" or "vgg19".
        layer: the feature layer, e.g. "block3_conv4".
        before_relu: whether the features are taken before the layer's ReLU.

    Raises:
        UsageError: unknown network or layer, or no constant was measured for it.
    """
    layers_up_to(network, layer)
    key = (network, layer, before_relu)
    if key not in FEATURE_SCALE:
        raise UsageError(
            f"no measured feature scale for {network} {layer}: set --feature_scale (python -m "
            "benchmarks.studies.feature_scale measures it)"
        )
    return FEATURE_SCALE[key]


@keras.saving.register_keras_serializable(package="srgan")
class CaffePreprocessing(keras.layers.Layer):
    """RGB in [-1, 1] to BGR grey levels with ImageNet's mean subtracted, always in float32.

    bfloat16 resolves 255 grey levels to steps of 1 only, so the conversion must come before any
    cast to it; after it the first convolution's input is centred on zero.

    Input shape:
        [B, H, W, 3], RGB.

    Output shape:
        [B, H, W, 3], BGR.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Takes the arguments of `keras.layers.Layer`; the dtype is float32 whatever they say."""
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, images: Any) -> Any:
        """Converts the images."""
        grey_levels = (ops.flip(images, axis=-1) + 1.0) * 127.5
        return grey_levels - ops.convert_to_tensor(IMAGENET_MEAN_BGR, dtype="float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """The input's shape."""
        return input_shape


def build_vgg_features(
    network: str = "vgg19",
    layer: str | Sequence[str] = "block5_conv4",
    *,
    before_relu: bool = False,
    weights: str | Path | None = IMAGENET,
    dtype: str | None = None,
) -> keras.Model:
    """Builds φ with frozen weights; layers after the last chosen one do not exist in it.

    Args:
        network: "vgg16" or "vgg19".
        layer: the layer whose output is taken, a convolution named as in keras.applications; or
            several, in any order.
        before_relu: take the output before the layer's ReLU.
        weights: "imagenet" or a file, see `load_vgg_weights`; None leaves them random.
        dtype: a Keras dtype policy name; None takes the global policy. With "mixed_bfloat16" the
            convolutions run in bfloat16.

    Returns:
        A model that is not trainable, from RGB images float32 [B, H, W, 3] in [-1, 1] to features
        float32 [B, H / 2ⁿ, W / 2ⁿ, C], n the number of poolings before the layer; of several
        layers a list, in the order of their names, from one pass.

    Raises:
        UsageError: unknown network or layer.
        DataError: the weights cannot be had, see `load_vgg_weights`.
    """
    wanted = [layer] if isinstance(layer, str) else list(layer)
    layers = max((layers_up_to(network, name) for name in wanted), key=len)
    deepest = layers[-1].name
    loaded = {} if weights is None else load_vgg_weights(network, deepest, weights)
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    taken = _tap(
        CaffePreprocessing(name="caffe_preprocessing")(images),
        layers,
        wanted,
        before_relu=before_relu,
        dtype=dtype,
    )
    features = taken[layer] if isinstance(layer, str) else [taken[name] for name in wanted]
    model = keras.Model(images, features, name="_".join([network, *wanted]))
    for name, layer_weights in loaded.items():
        model.get_layer(name).set_weights(layer_weights)
    model.trainable = False
    return model


def _tap(
    x: Any,
    layers: Sequence[ConvolutionLayer],
    wanted: Sequence[str],
    *,
    before_relu: bool,
    dtype: str | None,
) -> dict[str, Any]:
    """Runs the layers on x one after the other; the wanted ones' outputs, float32, by name."""
    taken = {}
    for each in layers:
        if each.block > 1 and each.position == 1:
            x = keras.layers.MaxPooling2D(2, dtype=dtype, name=f"block{each.block - 1}_pool")(x)
        linear = before_relu and each.name in wanted
        x = keras.layers.Conv2D(
            each.filters,
            3,
            padding="same",
            activation=None if linear else "relu",
            dtype=dtype,
            name=each.name,
        )(x)
        if each.name in wanted:
            name = "features" if len(wanted) == 1 else f"{each.name}_features"
            taken[each.name] = keras.layers.Activation("linear", dtype="float32", name=name)(x)
        if linear and each is not layers[-1]:
            x = keras.layers.Activation("relu", dtype=dtype, name=f"{each.name}_relu")(x)
    return taken
