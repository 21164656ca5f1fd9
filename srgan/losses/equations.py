"""The losses of both branches, Eq. (2)-(8), and those beyond the paper, as pure functions."""

from __future__ import annotations

from typing import Any

from keras import ops

from srgan.layers.bicubic_reduction import reduce_inside
from srgan.losses.feature_distances import FEATURE_DISTANCES


def pixel_loss(hr: Any, sr: Any, kind: str = "mse") -> Any:
    """Eq. (3): the mean error of all pixels and channels, for images in [-1, 1].

    Args:
        hr: [B, H, W, 3] float.
        sr: The same shape.
        kind: "mse", the paper's, or "l1", the mean absolute error.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: Another kind.
    """
    difference = ops.cast(hr, "float32") - ops.cast(sr, "float32")
    if kind == "mse":
        return ops.mean(ops.square(difference))
    if kind == "l1":
        return ops.mean(ops.abs(difference))
    raise ValueError(f'pixel loss must be "mse" or "l1", got {kind!r}')


def lr_loss(hr: Any, sr: Any) -> Any:
    """The mean absolute error of both images reduced to a quarter, MATLAB's bicubic.

    Args:
        hr: [B, H, W, 3] float; sides of 20 or more, multiples of 4.
        sr: The same shape.

    Returns:
        A float32 scalar.
    """
    difference = ops.cast(hr, "float32") - ops.cast(sr, "float32")
    return ops.mean(ops.abs(reduce_inside(difference, 4)))


def adversarial_loss(fake_logits: Any, *, logarithm: bool) -> Any:
    """What the generator pays for D(G(x)): Eq. (8), or without the logarithm Eq. (4).

    Eq. (8): mean of -log D(G(x)) = softplus(-logit), which does not saturate where D is sure
    of itself. Eq. (4): mean of -D(G(x)) = -sigmoid(logit).

    Args:
        fake_logits: [B, 1] or [B, h, w, 1], D's logits of generated images.
        logarithm: Which of the two.

    Returns:
        A float32 scalar.
    """
    logits = ops.cast(fake_logits, "float32")
    return ops.mean(ops.softplus(-logits)) if logarithm else -ops.mean(ops.sigmoid(logits))


def discriminator_loss(real_logits: Any, fake_logits: Any, *, logarithm: bool) -> Any:
    """What the discriminator pays: binary cross-entropy, or without the logarithm -D(x) + D(G(x)).

    Args:
        real_logits: [B, 1] or [B, h, w, 1], D's logits of HR images.
        fake_logits: [B, 1] or [B, h, w, 1], D's logits of generated images.
        logarithm: Cross-entropy (the partner of Eq. (8)), else the partner of Eq. (4).

    Returns:
        A float32 scalar; the two classes' terms are summed.
    """
    real = ops.cast(real_logits, "float32")
    fake = ops.cast(fake_logits, "float32")
    if logarithm:
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
    return ops.mean(ops.sigmoid(fake)) - ops.mean(ops.sigmoid(real))


def relativistic_adversarial_loss(real_logits: Any, fake_logits: Any) -> Any:
    """What the generator pays a relativistic average discriminator.

    Such a discriminator says how much more real an image is than the mean image of the other kind.
    With r and f the logits and r̄ and f̄ their means, the loss is the mean of the two terms
    softplus(r̄ - f), f to look more real than HR, and softplus(r - f̄), HR to look less real. At
    chance it is log 2, and so is Eq. (8), whose gradient it has there too: λ1 keeps its meaning.

    The means are those of the batch at hand; on several devices of TensorFlow, of the part that
    the device holds, so that the loss is not that of one device with the whole batch.

    Args:
        real_logits: [B, 1] or [B, h, w, 1], D's logits of HR images.
        fake_logits: The same shape, D's logits of generated images.

    Returns:
        A float32 scalar.

    Reference:
        Jolicoeur-Martineau, arXiv 1807.00734; with the logarithm as in ESRGAN, arXiv 1809.00219.
    """
    # The two terms are the discriminator's with the parts exchanged.
    return 0.5 * relativistic_discriminator_loss(fake_logits, real_logits)


def relativistic_discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """What the relativistic average discriminator pays: softplus(f̄ - r) + softplus(f - r̄).

    The two terms are summed, so that at chance it is 2·log 2, as the cross-entropy of
    `discriminator_loss`. The means are taken as in `relativistic_adversarial_loss`.

    Args:
        real_logits: [B, 1] or [B, h, w, 1], D's logits of HR images.
        fake_logits: The same shape, D's logits of generated images.

    Returns:
        A float32 scalar.

    Reference:
        Jolicoeur-Martineau, arXiv 1807.00734.
    """
    real = ops.cast(real_logits, "float32")
    fake = ops.cast(fake_logits, "float32")
    lead = real - ops.mean(fake)
    lag = fake - ops.mean(real)
    return ops.mean(ops.softplus(-lead)) + ops.mean(ops.softplus(lag))


def perceptual_loss(
    hr_features: Any, sr_features: Any, *, scale: Any, distance: str = "mse"
) -> Any:
    """Eq. (5): `scale` times the mean squared error of VGG features; summed where φ has several.

    Args:
        hr_features: [B, h, w, C], φ of the HR images; or a list, one of each layer.
        sr_features: The same shape, φ of the generated images.
        scale: Brings the features of a layer to the magnitude for which the paper's λ2 is
            meant (`srgan.vgg.features.feature_scale`); for lists a factor of each layer.
        distance: What takes the squared error's place, see `srgan.losses.feature_distances`.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: Another distance.
    """
    if distance not in FEATURE_DISTANCES:
        choices = ", ".join(FEATURE_DISTANCES)
        raise ValueError(f"the distance must be one of {choices}, got {distance!r}")
    between = FEATURE_DISTANCES[distance]
    if not isinstance(hr_features, list):
        hr_features, sr_features, scale = [hr_features], [sr_features], [scale]
    return sum(
        factor * between(ops.cast(hr, "float32"), ops.cast(sr, "float32"))
        for hr, sr, factor in zip(hr_features, sr_features, scale, strict=True)
    )
