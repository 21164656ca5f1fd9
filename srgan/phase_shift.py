"""Moves images under φ, so that its poolings do not stand still on the generator's pixels.

A pixel shuffle makes scale x scale pixels of one. Crops begin where LR pixels do, so the poolings
of VGG would meet the same of these pixels at the same place in all crops of a training. The
gradient of L_vgg is another at each place, in the mean over images too; the generator follows it
and prints a grid of `scale` pixels.
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
    offset = ops.cast(update, "int32") % (scale * scale)
    size = (batch, height - scale + 1, width - scale + 1, channels)
    return ops.slice(images, (0, offset // scale, offset % scale, 0), size)
