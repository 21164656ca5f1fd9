"""The plain twins compute what the generators compute: the timings compare like with like."""

import keras
import numpy as np
import pytest

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from benchmarks.peers.plain_networks import build_plain
from srgan.layers.prelu import PReLU

MR = mr_srgan.config.GeneratorConfig(num_mr_blocks=2, num_res_blocks=2, features=8)
MR_SKIP = mr_srgan.config.GeneratorConfig(
    num_mr_blocks=1, num_res_blocks=3, features=8, gate=False, bicubic_skip=True
)
WP = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=8)
MR_SHARED = mr_srgan.config.GeneratorConfig(
    num_mr_blocks=1, num_res_blocks=2, features=8, shared_slopes=True
)
WP_SHARED = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=8, shared_slopes=True)
WP_SKIP = wp_srgan.config.GeneratorConfig(num_res_blocks=1, features=8, bicubic_skip=True)


@pytest.mark.parametrize(
    ("build", "config"),
    [
        (mr_srgan.generator.build_generator, MR),
        (mr_srgan.generator.build_generator, MR_SKIP),
        (wp_srgan.generator.build_generator, WP),
        (wp_srgan.generator.build_generator, WP_SKIP),
        (mr_srgan.generator.build_generator, MR_SHARED),
        (wp_srgan.generator.build_generator, WP_SHARED),
    ],
)
def test_plain_twin_gives_the_same_image(build, config):
    generator = build(config)
    rng = np.random.default_rng(0)
    for variable in generator.variables:
        variable.assign(variable + 0.1 * rng.standard_normal(variable.shape))
    plain = build_plain(generator, config)
    lr = rng.uniform(-1, 1, (2, 11, 8, 3)).astype(np.float32)
    expected = np.asarray(plain(lr))
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(np.asarray(generator(lr)), expected, rtol=1e-4, atol=2e-5)


def test_plain_twin_has_stock_layers_only():
    generator = wp_srgan.generator.build_generator(WP)
    plain = build_plain(generator, WP)
    assert not any(isinstance(layer, PReLU) for layer in plain.layers)
    assert sum(isinstance(layer, keras.layers.PReLU) for layer in plain.layers) == 5
    assert plain.get_layer("output").kernel.shape == (9, 9, 8, 3)
    assert plain.count_params() == generator.count_params()
