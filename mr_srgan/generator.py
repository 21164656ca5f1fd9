"""The MR-SRGAN generator (paper, Section 3.2 and Figure 2).

    lr [B, H, W, 3] in [-1, 1]
     │
    head: conv 3x3 → 64, PReLU ──────────────┐ long skip
     │                                       │
    memory residual block, 7 times           │
     │    ResBlock → ResBlock → ResBlock → ResBlock
     │    gate: conv 1x1 of all four outputs, 256 → 64
     │    + the block's input                │
     │                                       │
    conv 3x3 ─────────────────────────────── +
     │
    tail: (conv 3x3 → 256, pixel shuffle 2, PReLU) twice, conv 3x3 → 3
     │                                      (+ the bicubic enlargement of lr, if --bicubic_skip)
    sr [B, 4H, 4W, 3] in about [-1, 1]

A ResBlock is conv 3x3, PReLU, conv 3x3 and a sum, without BatchNorm.

Read next: `memory_block` (the body), `gate`, `srgan.layers.residual_block`, `srgan.layers.tail`
(whose last convolution is computed before the pixel shuffle, with the same result), then `gan` for
the loss.
"""

from __future__ import annotations

import keras

from mr_srgan.config import GeneratorConfig
from mr_srgan.memory_block import memory_block
from srgan.config import InitializationConfig
from srgan.layers.batch_norm import batch_normalization
from srgan.layers.initialization import PAPER_INITIALIZATION
from srgan.layers.prelu import PReLU
from srgan.layers.residual_block import conv
from srgan.layers.tail import image_tail


def build_generator(
    config: GeneratorConfig,
    dtype: str = "float32",
    initialization: InitializationConfig = PAPER_INITIALIZATION,
) -> keras.Model:
    """Builds the faithful generator.

    conv 3x3 – PReLU, the memory residual blocks, conv 3x3 with the long skip, two upsamplers,
    conv 3x3 to RGB.

    Args:
        config: The architecture.
        dtype: Keras dtype policy; under "mixed_bfloat16" the output is float32 all the same.
        initialization: The first weights; the paper's by default.

    Returns:
        A model from LR images, float32 [B, H, W, 3] in [-1, 1], to float32
        [B, scale·H, scale·W, 3] in about that range (the output is linear).
    """
    lr = keras.Input((None, None, 3), name="lr", dtype="float32")
    x = conv(config.features, 3, name="head_conv", dtype=dtype)(lr)
    head = x = PReLU(shared=config.shared_slopes, name="head_prelu", dtype=dtype)(x)
    for i in range(1, config.num_mr_blocks + 1):
        x = memory_block(
            x,
            name=f"mr{i}",
            num_res_blocks=config.num_res_blocks,
            gate=config.gate,
            batch_norm=config.batch_norm,
            shared_slopes=config.shared_slopes,
            residual_scale=initialization.residual_scale,
            dtype=dtype,
        )
    x = conv(config.features, 3, name="trunk_conv", dtype=dtype)(x)
    if config.batch_norm:
        x = batch_normalization(momentum=0.8, name="trunk_bn", dtype=dtype)(x)
    x = keras.layers.Add(name="long_skip", dtype=dtype)([head, x])
    sr = image_tail(
        x,
        lr,
        scale=config.scale,
        filters=config.features,
        output_kernel=3,
        bicubic_skip=config.bicubic_skip,
        shared_slopes=config.shared_slopes,
        upsampler_init=initialization.upsampler_init,
        dtype=dtype,
    )
    return keras.Model(lr, sr, name="mr_srgan")
