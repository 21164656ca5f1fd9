import keras
import numpy as np
import pytest
import tensorflow as tf

from mr_srgan.gate import Conv2D as Gate
from mr_srgan.memory_block import memory_block
from srgan.residual_block import residual_block

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


def optimized_operations(gate: Gate, count: int) -> list[str]:
    """What TensorFlow makes of the gate: types of nodes, and what is fused into convolutions."""
    from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
    from tensorflow.python.framework.meta_graph import create_meta_graph_def
    from tensorflow.python.grappler import tf_optimizer

    shape = tf.TensorSpec((None, None, None, CHANNELS), tf.float32)
    function = tf.function(lambda *inputs: gate(list(inputs)), autograph=False)
    concrete = function.get_concrete_function(*[shape] * (1 + count))
    meta = create_meta_graph_def(graph=concrete.graph)
    outputs = meta_graph_pb2.CollectionDef()
    outputs.node_list.value.extend(tensor.name for tensor in concrete.outputs)
    meta.collection_def["train_op"].CopyFrom(outputs)
    optimized = tf_optimizer.OptimizeGraph(config_pb2.ConfigProto(), meta)
    fused = [str(name) for node in optimized.node for name in node.attr["fused_ops"].list.s]
    return [node.op for node in optimized.node] + fused


def test_specialized_no_memory_is_written_and_sums_stay_apart():
    """Each sum can be part of the convolution before it."""
    gate = gate_of(4)
    assert "ConcatV2" in optimized_operations(gate, 4)
    gate.specialize()
    operations = optimized_operations(gate, 4)
    assert "ConcatV2" not in operations and "AddN" not in operations
    assert operations.count("Snapshot") == 4


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
