"""The terms of the generator's loss, each from one forward pass of the networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from srgan.config import ObjectiveConfig
from srgan.losses.equations import (
    adversarial_loss,
    lr_loss,
    perceptual_loss,
    pixel_loss,
    relativistic_adversarial_loss,
)
from srgan.losses.texture import grid_loss, texture_loss

# That of two pixel shuffles; another scale's divides it.
_PERIOD = 4


@dataclasses.dataclass(frozen=True)
class Passes:
    """What the networks made of one batch.

    Attributes:
        sr: G(lr), [B, H, W, 3] float32 in about [-1, 1].
        real_logits: D(hr), [B, 1], or [B, h, w, 1] of patches; None without a discriminator.
        fake_logits: D(G(lr)), the same shape; None without a discriminator.
        r1: The R1 penalty of D at hr, 0 in updates where it is not due; None without the penalty.
        real_features: φ(hr), [B, h, w, C], or a list of several layers'; None without a
            perceptual loss.
        fake_features: φ(G(lr)), the same shape or shapes; None without a perceptual loss.
    """

    sr: Any
    real_logits: Any = None
    fake_logits: Any = None
    r1: Any = None
    real_features: Any = None
    fake_features: Any = None


class LossTerms:
    """The terms that a branch's equation is put together from: name → (weight, unweighted value).

    Attributes:
        objective: The weights, and which form each term has.
        feature_scale: Factor of the features' distance, one a layer.
    """

    objective: ObjectiveConfig
    feature_scale: float | Sequence[float]

    def pixel_term(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """L_pixel, or nothing where its weight is 0."""
        weight = self.objective.lambda_pixel
        if not weight:
            return {}
        return {"pixel": (weight, pixel_loss(hr, passes.sr, self.objective.pixel_loss))}

    def lr_term(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """λ_lr·L_lr, or nothing where its weight is 0."""
        weight = self.objective.lambda_lr
        if not weight:
            return {}
        return {"lr": (weight, lr_loss(hr, passes.sr))}

    def texture_term(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """λ_texture·L_texture, or nothing where its weight is 0."""
        weight = self.objective.lambda_texture
        if not weight:
            return {}
        return {"texture": (weight, texture_loss(hr, passes.sr, _PERIOD))}

    def grid_term(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """λ_grid·L_grid, or nothing where its weight is 0."""
        weight = self.objective.lambda_grid
        if not weight:
            return {}
        return {"grid": (weight, grid_loss(hr, passes.sr, _PERIOD))}

    def adversarial_term(self, passes: Passes) -> dict[str, tuple[float, Any]]:
        """λ1·L_adv, or nothing without a discriminator."""
        if passes.fake_logits is None:
            return {}
        if self.objective.relativistic:
            value = relativistic_adversarial_loss(passes.real_logits, passes.fake_logits)
        else:
            value = adversarial_loss(passes.fake_logits, logarithm=self.objective.logarithm)
        return {"adversarial": (self.objective.lambda_adv, value)}

    def perceptual_term(self, passes: Passes) -> dict[str, tuple[float, Any]]:
        """λ2·L_vgg, or nothing without φ."""
        if passes.real_features is None:
            return {}
        value = perceptual_loss(
            passes.real_features,
            passes.fake_features,
            scale=self.feature_scale,
            distance=self.objective.vgg_distance,
        )
        return {"perceptual": (self.objective.lambda_vgg, value)}
