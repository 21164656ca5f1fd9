"""How far a generator looks: computed from its layers, not measured."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import keras

from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.prelu import PReLU
from srgan.layers.subpixel import BLOCK, PixelShuffle, SubpixelConv2D

# Their results depend on nothing but the same pixel of their inputs.
_POINTWISE = (
    PReLU,
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.InputLayer,
    keras.layers.PReLU,
    keras.layers.ReLU,
)

# The interpolation reads 5 LR pixels.
_BICUBIC_REACH = 2


class _Reach(NamedTuple):
    """How far a tensor's pixel looks, and the tensor's resolution, as a multiple of the input's.

    Attributes:
        pixels: In LR pixels, whole fractions: half of one for one step on a doubled grid.
        scale: Pixels of the tensor along one LR pixel.
    """

    pixels: Fraction
    scale: int


def receptive_field(generator: keras.Model) -> int | None:
    """The LR pixels around its own that a pixel of the result depends on.

    Steps on finer grids add up before they are rounded: with shuffles of block 2, pixel i of the
    finest grid reads LR pixels from ⌊(i − p)/s⌋ to ⌊(i + p)/s⌋, where p is the sum of all steps in
    pixels of that grid and s its scale.

    Args:
        generator: A functional model from one image to one image.

    Returns:
        The distance in rows or columns, whichever is larger; None if there is a layer whose reach
        is not known here, or a layer that is used twice.
    """
    reaches: dict[int, _Reach] = {}
    try:
        for layer in generator.layers:  # in an order in which inputs come first
            inputs = [reaches[id(t)] for t in _tensors(layer.input) if id(t) in reaches]
            reaches[id(layer.output)] = _after(layer, inputs or [_Reach(Fraction(0), 1)])
        return math.ceil(reaches[id(generator.outputs[0])].pixels)
    except (AttributeError, KeyError, ValueError):
        return None


def _tensors(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _after(layer: keras.layers.Layer, inputs: list[_Reach]) -> _Reach:
    """What a layer makes of its inputs' reaches.

    Raises:
        ValueError: It is not known.
    """
    pixels, scale = max(reach.pixels for reach in inputs), max(reach.scale for reach in inputs)
    if isinstance(layer, _POINTWISE):
        return _Reach(pixels, scale)
    if isinstance(layer, PixelShuffle):
        return _Reach(pixels, BLOCK * scale)
    if isinstance(layer, BicubicUpsampling):
        return _Reach(pixels + Fraction(_BICUBIC_REACH, scale), layer.scale * scale)
    if isinstance(layer, SubpixelConv2D):
        # What it computes is the convolution after the shuffle, on the finer grid.
        return _Reach(pixels + Fraction(layer.kernel_size // 2, BLOCK * scale), BLOCK * scale)
    if isinstance(layer, keras.layers.Conv2D) and set(_tensors(layer.strides)) == {1}:
        sides = zip(_tensors(layer.kernel_size), _tensors(layer.dilation_rate), strict=True)
        return _Reach(pixels + Fraction(max((k // 2) * d for k, d in sides), scale), scale)
    raise ValueError(f"the reach of {type(layer).__name__} is not known")
