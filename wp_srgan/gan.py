"""What WP-SRGAN minimises in each of its two stages (Section 3.3)."""

from __future__ import annotations

from typing import Any

import keras

from srgan.config import ObjectiveConfig
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.loss_terms import Passes


class WpSrgan(AdversarialModel):
    """Stage 1, Eq. (6): L_pixel + λ1·L_adv. Stage 2, Eq. (7): λ1·L_adv + λ2·L_vgg.

    Args:
        generator: LR to SR images, both in [-1, 1].
        objective: The loss and its weights; a small λ_pixel in stage 2 (the paper: 0) keeps the
            colours in place.
        stage: 1 or 2.
        **networks: The other arguments of `AdversarialModel`.
    """

    def __init__(
        self, generator: keras.Model, objective: ObjectiveConfig, *, stage: int, **networks: Any
    ) -> None:
        super().__init__(generator, objective, **networks)
        self.stage = stage

    def generator_terms(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """The terms of the stage's equation."""
        terms = {
            **self.pixel_term(hr, passes),
            **self.lr_term(hr, passes),
            **self.texture_term(hr, passes),
            **self.grid_term(hr, passes),
            **self.adversarial_term(passes),
        }
        return terms if self.stage == 1 else {**terms, **self.perceptual_term(passes)}
