import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.timing.operations import parse
from mr_srgan.gate import Conv2D as Gate
from mr_srgan.memory_block import memory_block
from srgan.layers.residual_block import residual_block

CHANNELS = 3


def tensors(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(count).normal(size=(count, 2, 5, 4, CHANNELS)).astype("f4"))


def gate_of(count: int, dtype: str = "float32") -> Gate:
    gate = Gate(CHANNELS, dtype=dtype)
    gate.build([(None, None, None, CHANNELS)] * (1 + count))
    rng = np.random.default_rng(7)
    gate.set_weights([rng.normal(size=v.shape) for v in gate.weights])
    return gate


@pytest.mark.parametrize("specialized", [False, True])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_each_pixel_is_a_matrix_product(count, specialized):
    gate = gate_of(count)
    if specialized:
        gate.specialize()
    features, *outputs = tensors(1 + count)
    kernel, bias = (np.array(v, np.float64) for v in gate.get_weights())
    expected = features + np.concatenate(outputs, axis=-1) @ kernel[0, 0] + bias
    found = tf.function(gate)([features, *outputs])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_in_bfloat16_it_stays_in_bfloat16():
    gate = gate_of(2, "mixed_bfloat16")
    inputs = [tf.cast(x, tf.bfloat16) for x in tensors(3)]
    expected = np.array(tf.cast(gate(inputs), tf.float32))
    gate.specialize()
    found = gate(inputs)
    assert found.dtype == tf.bfloat16
    # Three roundings in place of one, to 8 bits.
    np.testing.assert_allclose(
        tf.cast(found, tf.float32), expected, rtol=0, atol=2**-6 * np.abs(expected).max()
    )


PROGRAM = """
import tensorflow as tf
from mr_srgan.gate import Conv2D
gate = Conv2D(64)
gate.build([(None, None, None, 64)] * 5)
gate.specialize()
shape = tf.TensorSpec((None, None, None, 64))
run = tf.function(lambda x: gate([tf.sin(x * i) for i in range(1, 6)]), input_signature=[shape])
run(tf.ones([1, 8, 8, 64]))
"""


def test_specialized_each_sum_is_part_of_its_convolution(subprocess_environment):
    """As oneDNN reports it, which computes TensorFlow's convolutions on x86; asked for, on any."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **subprocess_environment,
            "ONEDNN_VERBOSE": "profile_exec",
            "TF_ENABLE_ONEDNN_OPTS": "1",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    found = [parse(line) for line in done.stdout.splitlines()]
    titles = [operation.title for operation in found if operation is not None]
    if not titles:
        pytest.skip("needs a TensorFlow that computes with oneDNN: an x86 machine")
    convolutions = [title for title in titles if title.startswith("convolution")]
    assert convolutions == ["convolution 1x1, 64 → 64, at 8x8, and a sum"] * 4


def test_weights_of_a_plain_convolution_load(tmp_path):
    """Files from before the gate was a layer of its own."""
    lr = keras.Input((None, None, CHANNELS))
    x = lr
    for block in range(2):
        outputs, start = [], x
        for i in range(3):
            x = residual_block(x, name=f"old{block}_{i}")
            outputs.append(x)
        memory = keras.layers.Concatenate()(outputs)
        x = keras.layers.Add()([start, keras.layers.Conv2D(CHANNELS, 1)(memory)])
    old = keras.Model(lr, x)
    rng = np.random.default_rng(3)
    old.set_weights([rng.normal(0, 0.3, v.shape) for v in old.weights])
    old.save_weights(tmp_path / "old.weights.h5")

    x = lr = keras.Input((None, None, CHANNELS))
    for block in range(2):
        x = memory_block(x, name=f"new{block}", num_res_blocks=3)
    new = keras.Model(lr, x)
    new.load_weights(tmp_path / "old.weights.h5")
    image = tensors(1)[0]
    np.testing.assert_allclose(new(image), old(image), rtol=0, atol=1e-5)


def test_it_trains():
    gate = gate_of(3)
    inputs = [tf.constant(x) for x in tensors(4)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(gate(inputs))
    # The sum's gradient in each kernel entry is the sum of its input channel.
    kernel, bias = tape.gradient(loss, gate.trainable_variables)
    sums = np.concatenate([np.sum(x, axis=(0, 1, 2)) for x in inputs[1:]])
    np.testing.assert_allclose(kernel[0, 0], np.tile(sums[:, None], CHANNELS), atol=1e-4)
    np.testing.assert_array_equal(bias, np.full(CHANNELS, 2 * 5 * 4, np.float32))
