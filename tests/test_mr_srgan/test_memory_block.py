import keras
import numpy as np
import pytest

from mr_srgan.memory_block import memory_block


def block(channels: int = 1, num_res_blocks: int = 4, **options) -> keras.Model:
    features = keras.Input((None, None, channels))
    return keras.Model(
        features, memory_block(features, name="mr", num_res_blocks=num_res_blocks, **options)
    )


def set_centre(model: keras.Model, name: str, weight: float, bias: float = 0.0) -> None:
    """On a single pixel a 3x3 convolution is its centre tap."""
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = weight
    model.get_layer(name).set_weights([kernel, np.array([bias])])


def with_numbers(**options) -> keras.Model:
    """ResBlock i adds i to what it gets: conv2's bias is i and its weight 0."""
    model = block(**options)
    for i in range(1, options.get("num_res_blocks", 4) + 1):
        set_centre(model, f"mr_res{i}_conv1", 1.0)
        set_centre(model, f"mr_res{i}_conv2", 0.0, bias=i)
    return model


def pixel(value: float) -> np.ndarray:
    return np.full((1, 1, 1, 1), value, np.float32)


def test_the_gate_sees_all_four_outputs():
    """An input of 10 becomes 11, 13, 16 and 20 after the four ResBlocks."""
    model = with_numbers()
    gate = model.get_layer("mr_gate")
    # 0.5·11 + 2·13 - 1·16 + 0.25·20 = 20.5; the gate's bias is 3; the block's input is added.
    gate.set_weights([np.reshape([0.5, 2.0, -1.0, 0.25], (1, 1, 4, 1)), np.array([3.0])])
    assert float(model(pixel(10.0))[0, 0, 0, 0]) == 10 + 20.5 + 3
    for i, after in enumerate((11.0, 13.0, 16.0, 20.0)):
        kernel = np.zeros((1, 1, 4, 1))
        kernel[0, 0, i] = 1
        gate.set_weights([kernel, np.zeros(1)])
        assert float(model(pixel(10.0))[0, 0, 0, 0]) == 10 + after


def test_without_a_gate_the_last_output_takes_its_place():
    assert float(with_numbers(gate=False)(pixel(10.0))[0, 0, 0, 0]) == 10 + 20


def test_a_single_res_block_still_has_its_gate():
    model = with_numbers(num_res_blocks=1)
    model.get_layer("mr_gate").set_weights([np.full((1, 1, 1, 1), 2.0), np.array([0.5])])
    assert float(model(pixel(10.0))[0, 0, 0, 0]) == 10 + (2 * 11 + 0.5)


def test_res_blocks_have_their_prelu():
    """-2 through conv (3·x), PReLU (slope 0.25) and conv (2·x) is -3, plus the ResBlock's input."""
    model = block(num_res_blocks=1, gate=False)
    set_centre(model, "mr_res1_conv1", 3.0)
    set_centre(model, "mr_res1_conv2", 2.0)
    assert float(model(pixel(-2.0))[0, 0, 0, 0]) == -2 + (-2 - 3)
    assert float(model(pixel(2.0))[0, 0, 0, 0]) == 2 + (2 + 12)


def res_block(channels: int) -> int:
    """Two 3x3 convolutions with bias, and the slopes."""
    return 2 * (9 * channels * channels + channels) + channels


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.parametrize("channels", [4, 64])
def test_parameter_counts(count, channels):
    gate = count * channels * channels + channels
    body = count * res_block(channels)
    assert block(channels, count).count_params() == body + gate
    assert block(channels, count, gate=False).count_params() == body
    # Two BatchNorms a ResBlock, of four numbers a channel.
    norms = count * 2 * 4 * channels
    assert block(channels, count, batch_norm=True).count_params() == body + gate + norms
