import keras
import numpy as np
import pytest

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from srgan.layers.receptive_field import receptive_field
from srgan.layers.residual_block import conv, residual_block
from srgan.layers.tail import image_tail


def network(head: int, blocks: int, output: int, scale: int = 4, skip: bool = False):
    lr = keras.Input((None, None, 3))
    x = conv(4, head, name="head")(lr)
    for i in range(blocks):
        x = residual_block(x, name=f"block{i}")
    tail = {"scale": scale, "filters": 4, "output_kernel": output, "bicubic_skip": skip}
    return keras.Model(lr, image_tail(x, lr, **tail))


def seen_reach(model: keras.Model, side: int = 65) -> int:
    """The distance at which a change of one LR pixel is still seen, every weight positive."""
    for variable in model.variables:
        variable.assign(np.full(variable.shape, 1 / np.prod(variable.shape[:-1] or (1,))))
    image = np.zeros((1, side, side, 3), np.float32)
    before = np.asarray(model(image))
    image[0, side // 2, side // 2] = 1e6
    rows, columns = np.nonzero((np.asarray(model(image)) != before)[0].any(axis=-1))
    scale = before.shape[1] // side
    return int(max(np.abs(np.concatenate([rows, columns]) // scale - side // 2)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # Steps on the LR grid, on the doubled one, on the finest; their sum rounded up.
        ({"head": 1, "blocks": 0, "output": 1}, 2),  # 1 + 1/2
        ({"head": 3, "blocks": 0, "output": 3}, 3),  # 2 + 1/2 + 1/4
        ({"head": 9, "blocks": 1, "output": 9}, 9),  # 4 + 2 + 1 + 1/2 + 4/4
        ({"head": 3, "blocks": 2, "output": 5}, 7),  # 1 + 4 + 1 + 1/2 + 2/4
        ({"head": 1, "blocks": 0, "output": 3, "scale": 2}, 2),  # 1 + 1/2
        ({"head": 1, "blocks": 0, "output": 1, "scale": 2, "skip": True}, 2),  # the interpolation
    ],
)
def test_by_hand_and_as_seen(arguments, expected):
    model = network(**arguments)
    assert receptive_field(model) == expected
    assert seen_reach(model) == expected


def test_the_papers_networks():
    # 1 + 7·4·2 + 1 convolutions 3x3, then 1, 1/2 and 1/4 LR pixel in the tail.
    mr = mr_srgan.generator.build_generator(mr_srgan.config.GeneratorConfig(bicubic_skip=True))
    assert receptive_field(mr) == 60
    # 4 + 16·2 + 1, then 1, 1/2 and 4/4.
    wp = wp_srgan.generator.build_generator(wp_srgan.config.GeneratorConfig())
    assert receptive_field(wp) == 40


def test_normalisation_and_the_gate_look_nowhere_else():
    config = mr_srgan.config.GeneratorConfig(
        num_mr_blocks=1, num_res_blocks=2, features=4, batch_norm=True
    )
    assert receptive_field(mr_srgan.generator.build_generator(config)) == 8  # 1 + 4 + 1 + 7/4


def test_an_unknown_layer_or_a_shared_one_is_not_guessed():
    lr = keras.Input((None, None, 3))
    pooled = keras.layers.AveragePooling2D(3, strides=1, padding="same")(lr)
    assert receptive_field(keras.Model(lr, pooled)) is None
    strided = keras.layers.Conv2D(3, 3, strides=2, padding="same")(lr)
    assert receptive_field(keras.Model(lr, strided)) is None
    shared = conv(3, 3, name="shared")
    assert receptive_field(keras.Model(lr, shared(shared(lr)))) is None
