"""The two generators written plainly with stock Keras layers, as a reference for timings.

Keras' PReLU, pixel shuffles in their place, and the output convolution at full resolution. The
weights are the same: every layer takes those of its namesake.
"""

from __future__ import annotations

import keras
from keras import layers, ops

import mr_srgan.config
import wp_srgan.config
from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.prelu import INITIAL_SLOPE

Config = mr_srgan.config.GeneratorConfig | wp_srgan.config.GeneratorConfig


def build_plain(generator: keras.Model, config: Config) -> keras.Model:
    """Builds a generator's plain twin.

    Args:
        generator: A generator of either branch, without BatchNorm, at scale 4.
        config: What it was built from.

    Returns:
        A model that computes the same.
    """
    memory = isinstance(config, mr_srgan.config.GeneratorConfig)
    ends = 3 if memory else 9
    lr = keras.Input((None, None, 3))
    x = _conv(lr, config.features, ends, "head_conv")
    head = x = _prelu(x, config, "head_prelu")
    if memory:
        for i in range(1, config.num_mr_blocks + 1):
            outputs, block = [], x
            for j in range(1, config.num_res_blocks + 1):
                x = _res_block(x, config, f"mr{i}_res{j}")
                outputs.append(x)
            if config.gate:
                x = layers.Concatenate()(outputs) if len(outputs) > 1 else x
                x = _conv(x, config.features, 1, f"mr{i}_gate")
            x = layers.Add()([block, x])
    else:
        for i in range(1, config.num_res_blocks + 1):
            x = _res_block(x, config, f"res{i}")
    x = layers.Add()([head, _conv(x, config.features, 3, "trunk_conv")])
    for i in (1, 2):
        x = _conv(x, 4 * config.features, 3, f"upsample{i}_conv")
        x = ops.depth_to_space(x, 2, data_format="channels_last")
        x = _prelu(x, config, f"upsample{i}_prelu")
    sr = _conv(x, 3, ends, "output")
    if config.bicubic_skip:
        sr = layers.Add()([BicubicUpsampling(4)(lr), sr])
    plain = keras.Model(lr, sr)
    for layer in plain.layers:
        if not layer.weights or layer.name.startswith("bicubic"):
            continue
        layer.set_weights(
            [
                w.reshape(v.shape)
                for v, w in zip(
                    layer.weights, generator.get_layer(layer.name).get_weights(), strict=True
                )
            ]
        )
    return plain


def _conv(x: keras.KerasTensor, filters: int, side: int, name: str) -> keras.KerasTensor:
    return layers.Conv2D(filters, side, padding="same", name=name)(x)


def _prelu(x: keras.KerasTensor, config: Config, name: str) -> keras.KerasTensor:
    slope = keras.initializers.Constant(INITIAL_SLOPE)
    shared = [1, 2, 3] if config.shared_slopes else [1, 2]
    return layers.PReLU(alpha_initializer=slope, shared_axes=shared, name=name)(x)


def _res_block(x: keras.KerasTensor, config: Config, name: str) -> keras.KerasTensor:
    y = _prelu(_conv(x, x.shape[-1], 3, f"{name}_conv1"), config, f"{name}_prelu")
    return layers.Add()([x, _conv(y, x.shape[-1], 3, f"{name}_conv2")])
