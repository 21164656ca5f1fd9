"""What MR-SRGAN minimises: pixel, adversarial and perceptual loss at once (Section 3.2)."""

from __future__ import annotations

from typing import Any

from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.loss_terms import Passes


class MrSrgan(AdversarialModel):
    """Eq. (2): L = L_pixel + λ1·L_adv + λ2·L_vgg, in one stage."""

    def generator_terms(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """All three terms, and L_lr if it has a weight."""
        return {
            **self.pixel_term(hr, passes),
            **self.lr_term(hr, passes),
            **self.texture_term(hr, passes),
            **self.grid_term(hr, passes),
            **self.adversarial_term(passes),
            **self.perceptual_term(passes),
        }
