"""What WP-SRGAN is made of and minimises; the defaults are the paper's (Section 3.3)."""

from __future__ import annotations

import dataclasses

from sr_program.settings import setting
from srgan.config import ObjectiveConfig, check_counts

# Eq. (8) has the logarithm; the discriminator has no BatchNorm; φ is SRGAN's φ5,4.
_SHARED = ObjectiveConfig(
    lambda_adv=1e-3,
    logarithm=True,
    discriminator_batch_norm=False,
    vgg_network="vgg19",
    vgg_layer="block5_conv4",
)

# Stage → objective: Eq. (6) and Eq. (7).
PAPER_OBJECTIVE = {
    1: dataclasses.replace(_SHARED, lambda_pixel=1.0, lambda_vgg=0.0),
    2: dataclasses.replace(_SHARED, lambda_pixel=0.0, lambda_vgg=6e-3),
}


@dataclasses.dataclass(frozen=True)
class GeneratorConfig:
    """The architecture of the vivid generator; the attributes' meaning is their help text."""

    num_res_blocks: int = setting(16, "ResBlocks of the trunk.")
    features: int = setting(64, "Channels of the trunk and of the upsamplers.")
    batch_norm: bool = setting(
        False, "BatchNorm in the generator, as SRGAN has it; the paper removes it."
    )
    scale: int = setting(4, "Enlargement, a power of two.")
    bicubic_skip: bool = setting(
        False,
        "Add the interpolated input to the output (not in the paper): the network need not learn "
        "to interpolate, which saves training time.",
    )
    shared_slopes: bool = setting(
        False,
        "One slope for all channels in each PReLU, in place of one for each channel; the paper "
        "does not say which. Inference is faster: TensorFlow then computes a convolution and its "
        "PReLU in one pass.",
    )

    def __post_init__(self) -> None:
        """Rejects counts that make no network."""
        check_counts(self, ("num_res_blocks", "features"))
