import numpy as np
import pytest
import tensorflow as tf

from srgan.losses.phase_shift import moved, shifted


@pytest.mark.parametrize("scale", [2, 4])
def test_every_offset_once_in_scale_squared_updates(scale):
    rows, columns = np.meshgrid(np.arange(8), np.arange(12), indexing="ij")
    images = np.stack([rows, columns], axis=-1)[np.newaxis].astype(np.float32)
    corners = []
    for update in range(scale**2):
        found = np.array(shifted(images, update, scale))
        top, left = (int(value) for value in found[0, 0, 0])
        side = scale - 1
        expected = images[:, top : top + 8 - side, left : left + 12 - side]
        np.testing.assert_array_equal(found, expected)
        corners.append((top, left))
        again = shifted(images, update + scale**2, scale)
        np.testing.assert_array_equal(again, found)
    assert sorted(corners) == [(y, x) for y in range(scale) for x in range(scale)]


@pytest.mark.parametrize("scale", [2, 4])
def test_images_that_keep_their_size_are_moved_by_every_offset_and_mirrored(scale):
    images = np.random.default_rng(1).random((2, 7, 9, 3), np.float32)
    seen = set()
    for update in range(scale**2):
        found = np.array(moved(images, update, scale))
        assert found.shape == images.shape
        down, right = scale - 1 - update // scale, scale - 1 - update % scale
        np.testing.assert_array_equal(found[:, down:, right:], images[:, : 7 - down, : 9 - right])
        # The edge itself is not repeated: what is `down` rows before it is `down` rows after it.
        np.testing.assert_array_equal(found[:, :down, right:], images[:, down:0:-1, : 9 - right])
        np.testing.assert_array_equal(found[:, down:, :right], images[:, : 7 - down, right:0:-1])
        np.testing.assert_array_equal(moved(images, update + scale**2, scale), found)
        seen.add((down, right))
    assert len(seen) == scale**2


def test_moved_images_have_a_size_in_a_graph():
    """The discriminator's dense layer needs it."""
    specification = [tf.TensorSpec([None, 32, 32, 3]), tf.TensorSpec([], tf.int64)]
    function = tf.function(lambda x, update: moved(x, update, 4), input_signature=specification)
    assert function.get_concrete_function().output_shapes == tf.TensorShape([None, 32, 32, 3])
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.testing.assert_array_equal(function(images, 15), images)


def test_in_a_graph_with_sizes_that_are_not_known():
    specification = [tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([], tf.int64)]
    images = np.random.default_rng(0).random((2, 9, 10, 3), np.float32)
    function = tf.function(lambda x, update: shifted(x, update, 4), input_signature=specification)
    np.testing.assert_array_equal(function(images, 9), images[:, 2:8, 1:8])


def test_strides_meet_every_pixel_alike():
    """What the shift is for: a stride of 4 alone would leave 15 of 16 places without a gradient."""
    images = tf.ones((1, 24, 24, 1))
    total = np.zeros((4, 4))
    for update in range(16):
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(shifted(images, update, 4)[:, ::4, ::4])
        gradient = np.array(tape.gradient(loss, images))[0, 4:20, 4:20, 0]
        total += gradient.reshape(4, 4, 4, 4).mean(axis=(0, 2))
    np.testing.assert_array_equal(total, np.ones((4, 4)))
