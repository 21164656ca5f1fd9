"""SRGAN's discriminator: eight convolutions and two dense layers that tell HR from SR.

Reference: Ledig et al., arXiv 1609.04802, Figure 4. MR-SRGAN uses it as it is (Bi-GANs-ST, arXiv
1811.00367, Section 3.2); WP-SRGAN uses it without batch normalisation (Section 3.3).
"""

import keras

from sr_program.errors import UsageError
from srgan.layers.batch_norm import batch_normalization
from srgan.layers.spectral_norm import SpectralConv2D, SpectralDense

# Filters as multiples of `base_filters`, and the stride, of each 3x3 convolution in turn.
CONVOLUTIONS = ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2))
LEAKY_SLOPE = 0.2

# Four of the convolutions halve the image.
CROP_MULTIPLE = 16


def build_discriminator(
    crop_size: int = 96,
    *,
    batch_norm: bool = True,
    patches: bool = False,
    spectral_norm: bool = False,
    base_filters: int = 64,
    dense_units: int = 1024,
    dtype: str | None = None,
) -> keras.Model:
    """Builds the discriminator, which gives one logit per image.

    The network ends at the logit: the losses apply the sigmoid, which is exact where a separate
    sigmoid and logarithm would saturate. Convolutions that a BatchNormalization follows have no
    bias, since the normalisation subtracts it again (its beta takes its place).

    With `dtype="mixed_bfloat16"` convolutions and the first dense layer run in bfloat16;
    BatchNormalization computes in float32 (Keras upcasts inside the layer) and so does the last
    dense layer. Weights are float32.

    Args:
        crop_size: height and width of the images in pixels, a multiple of 16.
        batch_norm: whether to normalise after every convolution but the first.
        patches: whether each place of the last feature map gets a logit of its own, from the 61x61
            pixels that it sees: the dense layers then run at every place with the same weights
            (Isola et al., arXiv 1611.07004, Section 3.2.2), and there are 16 M weights less.
        spectral_norm: whether every convolution and dense layer divides its kernel by its largest
            singular value (`srgan.layers.spectral_norm`).
        base_filters: filters of the first convolution; the last has 8 times as many.
        dense_units: width of the hidden dense layer.
        dtype: a Keras dtype policy name; None takes the global policy.

    Returns:
        A model from images float32 [B, crop_size, crop_size, 3] in [-1, 1] to logits float32
        [B, 1], or [B, crop_size / 16, crop_size / 16, 1] of patches; positive means HR.

    Raises:
        UsageError: `crop_size` is not a positive multiple of 16.
    """
    if crop_size <= 0 or crop_size % CROP_MULTIPLE:
        raise UsageError(
            f"the discriminator needs a crop size that is a positive multiple of {CROP_MULTIPLE}, "
            f"not {crop_size}"
        )
    conv, dense = (
        (SpectralConv2D, SpectralDense)
        if spectral_norm
        else (keras.layers.Conv2D, keras.layers.Dense)
    )
    images = keras.Input((crop_size, crop_size, 3), dtype="float32", name="images")
    x = images
    for number, (multiple, stride) in enumerate(CONVOLUTIONS, start=1):
        normalised = batch_norm and number > 1
        x = conv(
            multiple * base_filters,
            3,
            strides=stride,
            padding="same",
            use_bias=not normalised,
            dtype=dtype,
            name=f"conv{number}",
        )(x)
        if normalised:
            x = batch_normalization(dtype=dtype, name=f"norm{number}")(x)
        x = _leaky_relu(f"conv{number}_activation", dtype)(x)
    if not patches:
        x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
    x = dense(dense_units, dtype=dtype, name="dense")(x)
    x = _leaky_relu("dense_activation", dtype)(x)
    logits = dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


def _leaky_relu(name: str, dtype: str | None) -> keras.layers.Layer:
    return keras.layers.LeakyReLU(negative_slope=LEAKY_SLOPE, dtype=dtype, name=name)
