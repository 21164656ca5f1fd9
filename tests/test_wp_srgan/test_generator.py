import keras
import numpy as np
import pytest
import tensorflow as tf

from sr_program.errors import UsageError
from srgan.layers.bicubic_skip import BicubicUpsampling
from wp_srgan.config import GeneratorConfig
from wp_srgan.generator import build_generator

TINY = {"num_res_blocks": 2, "features": 4}


def tiny(dtype="float32", **changes) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_generator(GeneratorConfig(**{**TINY, **changes}), dtype)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)


def conv(k: int, inputs: int, outputs: int) -> int:
    return k * k * inputs * outputs + outputs


def parameters(res=16, c=64, batch_norm=False, doublings=2) -> int:
    """SPEC's table of WP-SRGAN, row by row."""
    head = conv(9, 3, c) + c  # … and a slope a channel
    norm = 4 * c if batch_norm else 0
    res_block = conv(3, c, c) + norm + c + conv(3, c, c) + norm
    long_skip = conv(3, c, c) + norm
    upsamplers = doublings * (conv(3, c, 4 * c) + c)
    return head + res * res_block + long_skip + upsamplers + conv(9, c, 3)


def test_parameter_count_of_the_paper():
    # Head 15616 + 64; 16 ResBlocks of 73920; 36928; 2·(147712 + 64); 15555.
    by_hand = 15680 + 16 * 73920 + 36928 + 295552 + 15555
    assert build_generator(GeneratorConfig()).count_params() == by_hand == parameters()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"num_res_blocks": 8}, parameters(res=8)),
        ({"num_res_blocks": 1}, parameters(res=1)),
        ({"num_res_blocks": 2, "batch_norm": True}, parameters(res=2, batch_norm=True)),
        ({"num_res_blocks": 2, "features": 24}, parameters(res=2, c=24)),
        ({"num_res_blocks": 1, "scale": 2}, parameters(res=1, doublings=1)),
        ({"num_res_blocks": 1, "scale": 8}, parameters(res=1, doublings=3)),
        ({"num_res_blocks": 1, "bicubic_skip": True}, parameters(res=1)),
    ],
)
def test_parameter_count_of_ablations(config, expected):
    assert build_generator(GeneratorConfig(**config)).count_params() == expected


@pytest.mark.parametrize(
    ("size", "scale"), [((1, 1), 4), ((5, 7), 4), ((6, 3), 4), ((5, 7), 2), ((3, 2), 8)]
)
def test_output_shape(size, scale):
    model = tiny(scale=scale)
    assert model(image(*size)).shape == (2, scale * size[0], scale * size[1], 3)
    assert model.output_shape == (None, None, None, 3)


@pytest.mark.parametrize("bicubic_skip", [False, True])
def test_output_is_linear(bicubic_skip):
    """The last layer's offset comes through unchanged, far beyond [-1, 1]."""
    model = tiny(bicubic_skip=bicubic_skip)
    before = np.asarray(model(image(3, 4)))
    model.get_layer("output").bias.assign([100.0, -50.0, 7.0])
    after = np.asarray(model(image(3, 4)))
    np.testing.assert_allclose(
        after - before, np.broadcast_to([100, -50, 7], after.shape), atol=1e-4
    )


def test_head_and_output_convolutions_are_9x9():
    model = tiny()
    assert model.get_layer("head_conv").kernel.shape == (9, 9, 3, 4)
    assert model.get_layer("output").kernel.shape == (9, 9, 4, 3)


def plain_network(model: keras.Model, x: np.ndarray, res=2) -> np.ndarray:
    """Figure 3 written out in double precision, with the model's weights."""

    def weights(name):
        return [tf.constant(w, tf.float64) for w in model.get_layer(name).get_weights()]

    def conv2d(y, name):
        kernel, bias = weights(name)
        return tf.nn.conv2d(y, kernel, 1, "SAME") + bias

    def prelu(y, name):
        return tf.where(y > 0, y, weights(name)[0] * y)

    y = head = prelu(conv2d(tf.constant(x, tf.float64), "head_conv"), "head_prelu")
    for i in range(1, res + 1):
        y = y + conv2d(prelu(conv2d(y, f"res{i}_conv1"), f"res{i}_prelu"), f"res{i}_conv2")
    y = head + conv2d(y, "trunk_conv")
    for i in (1, 2):
        y = prelu(tf.nn.depth_to_space(conv2d(y, f"upsample{i}_conv"), 2), f"upsample{i}_prelu")
    return np.asarray(conv2d(y, "output"))


def test_equals_figure_3_written_out():
    model = tiny()
    random = np.random.default_rng(2)
    model.set_weights([w + random.normal(0, 0.1, w.shape) for w in model.get_weights()])
    expected = plain_network(model, image(4, 5))
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(model(image(4, 5)), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("changes", [{}, {"bicubic_skip": True}, {"scale": 2}])
def test_every_weight_gets_a_gradient(changes):
    model = tiny(**changes)
    target = np.random.default_rng(3).normal(size=model(image(6, 7)).shape).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(image(6, 7), training=True) - target))
    variables = model.trainable_variables
    for variable, gradient in zip(
        variables, tape.gradient(loss, [v.value for v in variables]), strict=True
    ):
        assert gradient is not None and np.asarray(gradient).all(), variable.path


@pytest.mark.parametrize("bicubic_skip", [False, True])
def test_float32_output_under_mixed_precision(bicubic_skip):
    model = tiny("mixed_bfloat16", bicubic_skip=bicubic_skip)
    output = model(image(4, 5))
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model.get_layer("res2_conv1").compute_dtype == "bfloat16"
    float32 = np.asarray(tiny(bicubic_skip=bicubic_skip)(image(4, 5)))
    error = np.abs(np.asarray(output) - float32).max()
    assert 0 < error < 0.05 * np.abs(float32).max()


def test_untrained_with_a_bicubic_skip_is_nearly_the_interpolation():
    detail = np.asarray(
        tiny(features=16, bicubic_skip=True)(image(8, 9)) - BicubicUpsampling(4)(image(8, 9))
    )
    assert 0 < np.abs(detail).max() < 4 / 127.5  # four grey levels


def test_without_a_bicubic_skip_the_untrained_network_is_not():
    detail = np.asarray(tiny(features=16)(image(8, 9)) - BicubicUpsampling(4)(image(8, 9)))
    assert np.abs(detail).max() > 0.5


def test_batch_norm_is_off_unless_asked_for():
    def norms(model):
        return [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]

    assert not norms(tiny())
    assert len(norms(tiny(batch_norm=True))) == 2 * 2 + 1


def test_saved_model_file_gives_the_same_image(tmp_path):
    model = tiny(bicubic_skip=True)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(copy(image(3, 4)), model(image(3, 4)))


@pytest.mark.parametrize("scale", [0, 1, 3, 6])
def test_other_scales_are_usage_errors(scale):
    with pytest.raises(UsageError, match=f"--scale must be 2, 4, 8, …, got {scale}"):
        tiny(scale=scale)
