"""R1: the squared gradient of the discriminator's judgement at real images."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def r1_penalty(discriminator: keras.Model, images: Any) -> Any:
    """The mean over the images of |∇ₓ D(x)|²; γ/2 times it is the paper's R1.

    D(x) is an image's logit, or the mean of its logits where the discriminator has many, so that
    one γ suits all of them. The discriminator is called in inference mode: the penalty leaves no
    trace in its variables. It has no BatchNorm, which would be another function then.

    Args:
        discriminator: Images to logits.
        images: float32 [B, H, W, 3], of HR.

    Returns:
        A float32 scalar, which can be differentiated by the discriminator's weights.

    Reference:
        Mescheder et al., arXiv 1801.04406, Eq. (9).
    """

    def judgement(x: Any) -> Any:
        logits = ops.cast(discriminator(x, training=False), "float32")
        places = tuple(range(1, len(logits.shape)))
        # Of the sum, each image's gradient is that of its own judgement.
        return ops.sum(ops.mean(logits, axis=places))

    slopes = ops.cast(_gradient(judgement, images), "float32")
    return ops.mean(ops.sum(ops.square(slopes), axis=(1, 2, 3)))


def lazy_r1(discriminator: keras.Model, images: Any, update: Any, every: int) -> Any:
    """`r1_penalty` in one of `every` updates; 0, which costs nothing, in the others.

    Args:
        discriminator: As in `r1_penalty`.
        images: As in `r1_penalty`.
        update: Number of the update, an integer scalar. The first, 0, is one in which it is due.
        every: How seldom it is due. To have the same effect it is then weighted as many times.

    Returns:
        A float32 scalar.

    Reference:
        Karras et al., arXiv 1912.04958, Section 3.1.
    """
    due = ops.equal(ops.cast(update, "int32") % every, 0)
    return ops.cond(
        due, lambda: r1_penalty(discriminator, images), lambda: ops.zeros((), "float32")
    )


def _gradient(function: Any, x: Any) -> Any:
    """The gradient of a scalar function, itself differentiable."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)(x)
    # Imported here so that the module can be used where TensorFlow is not installed.
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)
