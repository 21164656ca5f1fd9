import numpy as np
import pytest
import tensorflow as tf

from sr_images.imresize import imresize
from srgan.layers.bicubic_reduction import reduce_inside


@pytest.mark.parametrize(("scale", "size"), [(2, (16, 22)), (4, (32, 44))])
def test_is_matlabs_reduction_inside(scale, size):
    images = np.random.default_rng(scale).uniform(0, 255, (2, *size, 3)).astype(np.float32)
    found = np.array(reduce_inside(images, scale))
    for image, result in zip(images, found, strict=True):
        for channel in range(3):
            whole = imresize(image[..., channel].astype(np.float64), scale=1 / scale)
            np.testing.assert_allclose(result[..., channel], whole[2:-2, 2:-2], rtol=0, atol=1e-3)


def test_the_gradient_reaches_every_pixel_inside_alike():
    images = tf.ones((1, 48, 48, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(reduce_inside(images, 4))
    gradient = np.array(tape.gradient(total, images))[0, 16:32, 16:32, 0]
    # The cubic kernels of all LR pixels add up to 1 everywhere, 1/16 an HR pixel.
    np.testing.assert_allclose(gradient, 1 / 16, rtol=0, atol=1e-3)
