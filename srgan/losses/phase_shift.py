"""Moves images under φ and D, so that their strides do not stand still on the generator's pixels.

A pixel shuffle makes scale x scale pixels of one. Crops begin where LR pixels do, so the poolings
of VGG, and the strides of the discriminator, would meet the same of these pixels at the same place
in all crops of a training. The gradients of L_vgg and L_adv are others at each place, in the mean
over images too; the generator follows them and prints a grid of `scale` pixels.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def shifted(images: Any, update: Any, scale: Any) -> Any:
    """Leaves out up to scale − 1 rows and columns in front, and the rest of them behind.

    Args:
        images: [B, H, W, C].
        update: Number of the update, an integer scalar. scale² updates one after the other meet
            all offsets; nothing is random, so a resumed run goes on alike.
        scale: Enlargement.

    Returns:
        [B, H − scale + 1, W − scale + 1, C].
    """
    batch, height, width, channels = ops.shape(images)
    size = (batch, height - scale + 1, width - scale + 1, channels)
    return ops.slice(images, _corner(update, scale), size)


def moved(images: Any, update: Any, scale: Any) -> Any:
    """Moves images by up to scale − 1 pixels down and to the right; mirrors fill what is free.

    For a network that takes one size only. What moves out is left out.

    Args:
        images: [B, H, W, C], sides of `scale` or more.
        update: As in `shifted`.
        scale: Enlargement, a number.

    Returns:
        [B, H, W, C].
    """
    margin = (scale - 1, 0)
    padded = ops.pad(images, ((0, 0), margin, margin, (0, 0)), mode="reflect")
    return ops.slice(padded, _corner(update, scale), ops.shape(images))


def _corner(update: Any, scale: Any) -> tuple[Any, ...]:
    offset = ops.cast(update, "int32") % (scale * scale)
    return 0, offset // scale, offset % scale, 0
