"""What MR-SRGAN is made of and minimises; the defaults are the paper's (Sections 3.2, 4.1)."""

from __future__ import annotations

import dataclasses

from sr_program.settings import setting
from srgan.config import ObjectiveConfig, check_counts

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


@dataclasses.dataclass(frozen=True)
class GeneratorConfig:
    """The architecture of the faithful generator; the attributes' meaning is their help text."""

    num_mr_blocks: int = setting(
        7, "Memory residual blocks: 7 in the paper's experiments, 4 in its Figure 2."
    )
    num_res_blocks: int = setting(4, "ResBlocks in each memory residual block.")
    features: int = setting(64, "Channels of the trunk and of the upsamplers.")
    gate: bool = setting(
        True,
        "A 1x1 convolution gathers the outputs of all ResBlocks of a block. Without it, a block "
        "is its ResBlocks in sequence, plus the block's input.",
    )
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
        check_counts(self, ("num_mr_blocks", "num_res_blocks", "features"))
