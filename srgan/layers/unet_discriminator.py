"""A discriminator that judges each pixel: a U-Net, whose decoder sees the whole and the detail.

Reference: Schönfeld et al., arXiv 2002.12655; in the form of Real-ESRGAN, arXiv 2107.10833,
Section 3.3: three halvings, bilinear enlargement, and skips that are added. Not in the paper of
Bi-GANs-ST.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from sr_program.errors import UsageError
from srgan.layers.discriminator import LEAKY_SLOPE
from srgan.layers.spectral_norm import SpectralConv2D

# Three convolutions halve the image.
CROP_MULTIPLE = 8


def build_unet_discriminator(
    crop_size: int = 96,
    *,
    spectral_norm: bool = False,
    base_filters: int = 64,
    dtype: str | None = None,
) -> keras.Model:
    """Builds the U-Net, which gives one logit per pixel.

    With F filters: a 3x3 convolution to F; three 4x4 ones of stride 2 to 2F, 4F and 8F; three
    times a bilinear enlargement and a 3x3 convolution to 4F, 2F and F, to which the features of
    the same size on the way down are added; two 3x3 convolutions of F, and one to the logits. The
    first and the last have a bias; they are never normalised.

    With `dtype="mixed_bfloat16"` all convolutions but the last run in bfloat16.

    Args:
        crop_size: Height and width of the images in pixels, a multiple of 8.
        spectral_norm: Normalise the convolutions between the first and the last
            (`srgan.layers.spectral_norm`), as the references do.
        base_filters: F.
        dtype: A Keras dtype policy name; None takes the global policy.

    Returns:
        A model from images float32 [B, crop_size, crop_size, 3] in [-1, 1] to logits float32
        [B, crop_size, crop_size, 1]; positive means HR.

    Raises:
        UsageError: `crop_size` is not a positive multiple of 8.
    """
    if crop_size <= 0 or crop_size % CROP_MULTIPLE:
        raise UsageError(
            "the U-Net discriminator needs a crop size that is a positive multiple of "
            f"{CROP_MULTIPLE}, not {crop_size}"
        )
    inner = SpectralConv2D if spectral_norm else keras.layers.Conv2D

    def conv(x: Any, multiple: int, name: str, *, side: int = 3, first: bool = False) -> Any:
        kind = keras.layers.Conv2D if first else inner
        x = kind(
            multiple * base_filters,
            side,
            strides=2 if side == 4 else 1,
            padding="same",
            use_bias=first,
            dtype=dtype,
            name=name,
        )(x)
        activation = keras.layers.LeakyReLU(
            negative_slope=LEAKY_SLOPE, dtype=dtype, name=f"{name}_activation"
        )
        return activation(x)

    images = keras.Input((crop_size, crop_size, 3), dtype="float32", name="images")
    x = conv(images, 1, "first", first=True)
    levels = [x]
    for number, multiple in enumerate((2, 4, 8), start=1):
        x = conv(x, multiple, f"down{number}", side=4)
        levels.append(x)
    levels.pop()
    for number, multiple in enumerate((4, 2, 1), start=1):
        x = BilinearDoubling(dtype=dtype, name=f"enlarge{number}")(x)
        x = conv(x, multiple, f"up{number}")
        x = keras.layers.Add(dtype=dtype, name=f"skip{number}")([x, levels.pop()])
    for number in (1, 2):
        x = conv(x, 1, f"pixel{number}")
    logits = keras.layers.Conv2D(1, 3, padding="same", dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


@keras.saving.register_keras_serializable(package="srgan")
class BilinearDoubling(keras.layers.Layer):
    """Twice the size by bilinear interpolation; pixels are squares, edge pixels replicated.

    What `resize` operations compute; made of sums, which can be differentiated twice, as R1 needs
    it.

    Input shape:
        [B, H, W, C], float.

    Output shape:
        [B, 2·H, 2·W, C].
    """

    def call(self, inputs: Any) -> Any:
        """Interpolates along the rows, then along the columns."""
        return _doubled(_doubled(inputs, 1), 2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        """[B, 2·H, 2·W, C]."""
        batch, *sides, channels = input_shape
        return batch, *(None if side is None else 2 * side for side in sides), channels


def _doubled(x: Any, axis: int) -> Any:
    """Each sample gives two, a quarter of the way to its neighbours."""
    first, rest = ops.split(x, [1], axis=axis)
    most, last = ops.split(x, [x.shape[axis] - 1], axis=axis)
    before = ops.concatenate([first, most], axis=axis)
    after = ops.concatenate([rest, last], axis=axis)
    pairs = ops.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=axis + 1)
    shape = list(x.shape)
    shape[axis] *= 2
    return ops.reshape(pairs, (-1, *shape[1:]))
