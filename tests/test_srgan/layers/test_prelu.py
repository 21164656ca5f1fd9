import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.layers.prelu import PReLU


def values(channels: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 3, 5, channels)).astype(np.float32)


def test_slopes_start_at_a_quarter_one_a_channel():
    layer = PReLU()
    output = np.asarray(layer(np.array([[[[-8.0, -4.0, 0.0, 2.0]]]], np.float32)))
    np.testing.assert_array_equal(output, [[[[-2.0, -1.0, 0.0, 2.0]]]])
    np.testing.assert_array_equal(layer.slope, [0.25] * 4)
    assert [weight.name for weight in layer.trainable_weights] == ["slope"]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_equals_keras_prelu_with_shared_axes(dtype):
    slopes = np.array([0.25, 1.5, -0.5, 0.0, 1.0], np.float32)  # all exact in bfloat16
    layer, reference = PReLU(dtype=dtype), keras.layers.PReLU(shared_axes=[1, 2], dtype=dtype)
    layer.build((None, None, None, 5))
    reference.build((None, 3, 5, 5))
    layer.slope.assign(slopes)
    reference.alpha.assign(slopes[None, None])
    output, expected = layer(values(5)), reference(values(5))
    assert output.dtype == expected.dtype
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(keras.ops.cast(output, "float32")),
        keras.ops.convert_to_numpy(keras.ops.cast(expected, "float32")),
    )


def test_slopes_above_one_and_below_zero():
    layer = PReLU()
    layer.build((None, None, None, 3))
    layer.slope.assign([2.0, -1.0, 0.5])
    inputs = np.array([[[[-3.0, -3.0, -3.0], [3.0, 3.0, 3.0]]]], np.float32)
    np.testing.assert_array_equal(layer(inputs), [[[[-6.0, 3.0, -1.5], [3.0, 3.0, 3.0]]]])


def test_slopes_repeat_for_each_phase():
    layer = PReLU(phases=4)
    inputs = -np.ones((1, 1, 1, 8), np.float32)
    layer.build(inputs.shape)
    assert layer.slope.shape == (2,)
    layer.slope.assign([0.5, 3.0])
    # Phase-major: (phase 0: channels 0, 1), (phase 1: channels 0, 1), …
    expected = [-0.5, -3.0] * 4
    np.testing.assert_array_equal(np.asarray(layer(inputs)).ravel(), expected)


@pytest.mark.parametrize("arguments", [{}, {"phases": 4}, {"shared": True, "name": "x"}])
def test_config_round_trip(arguments):
    layer = PReLU(dtype="mixed_bfloat16", **arguments)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(copy, PReLU)
    assert copy.get_config() == layer.get_config()
    assert (copy.phases, copy.shared) == (arguments.get("phases", 1), "shared" in arguments)


def test_saved_model_file_holds_the_slopes(tmp_path):
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, PReLU(phases=4)(inputs))
    model.layers[-1].slope.assign([0.75, -2.0])
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(copy(values(8)), model(values(8)))


@pytest.mark.parametrize(("phases", "channels"), [(4, 6), (2, 3)])
def test_channels_that_are_no_phases_are_an_error(phases, channels):
    with pytest.raises(ValueError, match=f"{channels} channels do not divide into {phases} phases"):
        PReLU(phases=phases).build((None, None, None, channels))


def test_phases_below_one_are_an_error():
    with pytest.raises(ValueError, match="phases must be at least 1, got 0"):
        PReLU(phases=0)


def test_a_shared_slope_is_keras_prelu_over_all_axes():
    layer, reference = PReLU(phases=4, shared=True), keras.layers.PReLU(shared_axes=[1, 2, 3])
    layer.build((None, None, None, 8))
    reference.build((None, 3, 5, 8))
    layer.slope.assign([1.5])
    reference.alpha.assign([[[1.5]]])
    np.testing.assert_array_equal(layer(values(8)), reference(values(8)))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("shared", "slopes", "operations"),
    [
        (True, [0.3], {"LeakyRelu"}),
        (True, [1.7], {"LeakyRelu"}),
        (False, [0.25, 1.0, -0.5, 0.0], {"Maximum", "Mul"}),
        (False, [0.25, 1.5, -0.5, 0.0], {"Maximum", "Minimum", "Mul", "AddV2"}),
    ],
)
def test_specialized_it_gives_the_same_in_fewer_operations(dtype, shared, slopes, operations):
    layer = PReLU(shared=shared, dtype=dtype)
    layer.build((None, None, None, 4))
    layer.slope.assign(slopes)
    inputs = tf.cast(values(4), layer.compute_dtype)
    expected = layer(inputs)
    layer.specialize()
    graph = tf.function(layer).get_concrete_function(inputs).graph
    found = {operation.type for operation in graph.get_operations()}
    passes = {"LeakyRelu", "Maximum", "Minimum", "Mul", "AddV2"}
    assert found & passes == operations
    # Rounded to bfloat16, a slope of 0.3 is not quite the constant.
    tolerance = 4e-3 if dtype == "mixed_bfloat16" and shared else 1e-6
    found = keras.ops.convert_to_numpy(keras.ops.cast(layer(inputs), "float32"))
    wanted = keras.ops.convert_to_numpy(keras.ops.cast(expected, "float32"))
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=0)


def test_training_takes_two_passes_over_memory():
    layer = PReLU()
    layer.build((None, None, None, 4))
    graph = tf.function(layer).get_concrete_function(tf.constant(values(4))).graph
    passes = {"Maximum", "Minimum", "Mul", "AddV2", "Relu", "SelectV2"}
    assert {o.type for o in graph.get_operations()} & passes == {"Mul", "SelectV2"}


@pytest.mark.parametrize("slope", [0.25, 1.5, -0.5])
def test_gradients_by_hand(slope):
    layer = PReLU()
    layer.build((None, None, None, 3))
    layer.slope.assign([slope] * 3)
    inputs, weights = tf.constant(values(3)), values(3)[::-1]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) * weights)
    gradients = tape.gradient(loss, [inputs, layer.slope.value])
    by_input, by_slope = (np.asarray(tf.convert_to_tensor(one)) for one in gradients)
    np.testing.assert_allclose(by_input, np.where(inputs > 0, 1, slope) * weights, rtol=1e-6)
    expected = (np.minimum(inputs, 0) * weights).sum((0, 1, 2))
    np.testing.assert_allclose(by_slope, expected, rtol=1e-5)
