import keras
import numpy as np
import pytest
import tensorflow as tf

from sr_program.errors import UsageError
from srgan.layers.spectral_norm import SpectralConv2D
from srgan.layers.unet_discriminator import BilinearDoubling, build_unet_discriminator


def small(**options) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_unet_discriminator(**{"crop_size": 24, "base_filters": 4, **options})


def images(count: int, size: int = 24) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


def test_parameter_count():
    """Real-ESRGAN's: 4.4 M with 64 filters."""
    ends = 9 * 3 * 64 + 64 + 9 * 64 + 1
    down = 16 * (64 * 128 + 128 * 256 + 256 * 512)
    up = 9 * (512 * 256 + 256 * 128 + 128 * 64)
    assert build_unet_discriminator().count_params() == ends + down + up + 9 * 2 * 64 * 64


@pytest.mark.parametrize("size", [8, 24, 32])
def test_a_logit_for_each_pixel(size):
    model = small(crop_size=size)
    assert model.output_shape == (None, size, size, 1)
    assert tuple(model(images(2, size)).shape) == (2, size, size, 1)


def test_a_logit_sees_what_is_near_through_the_skip_and_the_whole_through_the_bottom():
    model = small(crop_size=64)
    image = tf.constant(images(1, 64))
    with tf.GradientTape() as tape:
        tape.watch(image)
        logit = model(image)[0, 30, 30, 0]
    seen = np.abs(np.array(tape.gradient(logit, image))[0]).sum(-1)
    assert seen.max() == seen[26:35, 26:35].max()
    rows = np.argwhere(seen > 0)[:, 0]
    assert rows.max() - rows.min() + 1 > 40


def test_skips_come_from_the_same_size_on_the_way_down():
    model = small()
    for number, name in enumerate(("down2", "down1", "first"), start=1):
        up, skip = model.get_layer(f"skip{number}").input
        assert up is model.get_layer(f"up{number}_activation").output
        assert skip is model.get_layer(f"{name}_activation").output


def test_which_layers_are_normalised():
    convolutions = {
        layer.name: isinstance(layer, SpectralConv2D)
        for layer in small(spectral_norm=True).layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    assert [name for name, spectral in convolutions.items() if not spectral] == ["first", "logits"]
    assert len(convolutions) == 10
    assert not any(isinstance(layer, SpectralConv2D) for layer in small().layers)


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_logits_are_float32(spectral_norm):
    model = small(dtype="mixed_bfloat16", spectral_norm=spectral_norm)
    assert model(images(1)).dtype == tf.float32
    assert {v.dtype for v in model.variables} == {"float32"}
    assert model.get_layer("down1").compute_dtype == "bfloat16"


@pytest.mark.parametrize("crop_size", [100, 0, -8, 4])
def test_crop_size_must_divide_by_8(crop_size):
    with pytest.raises(UsageError, match=rf"multiple of 8, not {crop_size}$"):
        build_unet_discriminator(crop_size)


def test_doubling_equals_tensorflows_resize():
    x = np.random.default_rng(2).normal(size=(2, 5, 3, 4)).astype(np.float32)
    expected = tf.image.resize(x, (10, 6), method="bilinear")
    np.testing.assert_allclose(BilinearDoubling()(x), expected, rtol=1e-5, atol=1e-6)
    # A single pixel has no neighbours.
    np.testing.assert_array_equal(BilinearDoubling()(x[:, :1, :1]), x[:, [0, 0]][:, :, [0, 0]])
