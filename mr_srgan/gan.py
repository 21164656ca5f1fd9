"""What MR-SRGAN minimises: pixel, adversarial and perceptual loss at once (Section 3.2)."""

from __future__ import annotations

from typing import Any

from srgan.adversarial_model import AdversarialModel, Passes
from srgan.config import ObjectiveConfig

# Eq. (4) has no logarithm. The paper does not give VGG16's layer; this is its last.
PAPER_OBJECTIVE = ObjectiveConfig(
    lambda_pixel=1.0,
    lambda_adv=1e-3,
    lambda_vgg=6e-3,
    logarithm=False,
    discriminator_batch_norm=True,
    vgg_network="vgg16",
    vgg_layer="block5_conv3",
)


class MrSrgan(AdversarialModel):
    """Eq. (2): L = L_pixel + λ1·L_adv + λ2·L_vgg, in one stage."""

    def generator_terms(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
        """All three terms."""
        return {
            **self.pixel_term(hr, passes),
            **self.adversarial_term(passes),
            **self.perceptual_term(passes),
        }
