import keras
import numpy as np
import pytest

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from srgan.config import InitializationConfig
from srgan.layers.initialization import ICNR, kernel_initializer, upsampler_initializer
from srgan.layers.subpixel import upsample


def kernels(model):
    return {
        v.path.removesuffix("/kernel"): keras.ops.convert_to_numpy(v)
        for v in model.trainable_variables
        if v.path.endswith("/kernel")
    }


def built(branch, initialization):
    keras.utils.set_random_seed(3)
    if branch == "mr":
        config = mr_srgan.config.GeneratorConfig(num_mr_blocks=1, num_res_blocks=2, features=8)
        return mr_srgan.generator.build_generator(config, initialization=initialization)
    config = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=8)
    return wp_srgan.generator.build_generator(config, initialization=initialization)


@pytest.mark.parametrize(
    ("branch", "ends"),
    [
        ("mr", {"mr1_res1_conv2", "mr1_res2_conv2", "mr1_gate"}),
        ("wp", {"res1_conv2", "res2_conv2"}),
    ],
)
def test_only_the_ends_of_residual_branches_are_scaled(branch, ends):
    paper = kernels(built(branch, InitializationConfig()))
    scaled = kernels(built(branch, InitializationConfig(residual_scale=0.1)))
    assert ends < paper.keys() == scaled.keys()
    for name, kernel in paper.items():
        factor = 0.1 if name in ends else 1.0
        np.testing.assert_allclose(scaled[name], factor * kernel, rtol=0, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("branch", ["mr", "wp"])
def test_the_papers_weights_are_within_glorots_bound_and_fill_it(branch):
    for name, kernel in kernels(built(branch, InitializationConfig())).items():
        height, width, inputs, outputs = kernel.shape
        bound = np.sqrt(6 / (height * width * (inputs + outputs)))
        assert np.abs(kernel).max() <= bound, name
        assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.2), name


def test_a_scale_of_zero_begins_with_nothing():
    assert not np.any(kernel_initializer(0.0)((3, 3, 4, 4)))


def test_icnr_repeats_he_over_the_phases():
    kernel = np.array(ICNR(phases=4)((3, 3, 64, 256)))
    for phase in range(1, 4):
        np.testing.assert_array_equal(kernel[..., 64 * phase : 64 * (phase + 1)], kernel[..., :64])
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)
    # the phases are the same, the channels of one are not
    assert np.abs(kernel[..., 0] - kernel[..., 1]).max() > 0.01


def test_an_icnr_upsampler_begins_by_repeating_pixels():
    keras.utils.set_random_seed(1)
    features = keras.Input((5, 6, 8))
    x = upsample(features, 8, name="up", initialization="icnr")
    image = np.random.default_rng(0).normal(size=(1, 5, 6, 8)).astype(np.float32)
    result = np.array(keras.Model(features, x)(image))
    small = result[:, ::2, ::2]
    np.testing.assert_array_equal(result, small.repeat(2, axis=1).repeat(2, axis=2))
    assert small.std() > 0.1


def test_icnr_survives_a_file(tmp_path):
    layer = keras.layers.Conv2D(8, 3, kernel_initializer=ICNR(4))
    again = keras.layers.Conv2D.from_config(layer.get_config())
    assert again.kernel_initializer.phases == 4


def test_icnr_needs_channels_that_divide():
    with pytest.raises(ValueError, match="6 channels do not divide into 4 phases"):
        ICNR(4)((3, 3, 4, 6))


def test_he_has_his_variance():
    kernel = np.array(upsampler_initializer("he", 4)((3, 3, 64, 256)))
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)
    assert np.abs(kernel[..., 64:128] - kernel[..., :64]).max() > 0.01


def test_another_kind_is_an_error():
    with pytest.raises(ValueError, match="got 'orthogonal'"):
        upsampler_initializer("orthogonal", 4)
