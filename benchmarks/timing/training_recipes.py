"""What the training benchmark trains: the recipes, at the paper's sizes or smaller."""

from __future__ import annotations

import dataclasses

import mr_srgan.config
import wp_srgan.config
from srgan.config import ObjectiveConfig

GeneratorConfig = mr_srgan.config.GeneratorConfig | wp_srgan.config.GeneratorConfig

SCALE = 4


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large the networks and their batch are.

    Attributes:
        batch_size: Crops a step.
        crop_size: Side of the HR crops, pixels.
        features: Channels of the generators; 0: the paper's.
        blocks: WP's ResBlocks, MR's memory residual blocks; 0: the paper's.
    """

    batch_size: int = 16
    crop_size: int = 96
    features: int = 0
    blocks: int = 0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One way to train one branch.

    Attributes:
        title: Name in the tables.
        branch: "mr" or "wp".
        stage: WP's stage; 1 for MR.
        objective: The loss.
    """

    title: str
    branch: str
    stage: int
    objective: ObjectiveConfig

    def generator_config(self, sizes: Sizes) -> GeneratorConfig:
        """The architecture of the recipe's generator: the branch's defaults, but for `sizes`."""
        memory = self.branch == "mr"
        config: GeneratorConfig = (mr_srgan.config if memory else wp_srgan.config).GeneratorConfig()
        blocks = "num_mr_blocks" if memory else "num_res_blocks"
        asked = {"features": sizes.features, blocks: sizes.blocks}
        return dataclasses.replace(config, **{name: n for name, n in asked.items() if n})


def _recipes() -> dict[str, Recipe]:
    # The feature layers are those of configs/, not the paper's deeper ones.
    mr = dataclasses.replace(
        mr_srgan.config.PAPER_OBJECTIVE, vgg_network="vgg19", vgg_layer="block3_conv4"
    )
    wp_1, wp_2 = (wp_srgan.config.PAPER_OBJECTIVE[stage] for stage in (1, 2))
    wp_2 = dataclasses.replace(wp_2, vgg_layer="block3_conv4", vgg_before_relu=True)
    half = dataclasses.replace(wp_2, discriminator_filters=32)
    return {
        "mr_pixel": Recipe("MR pixel only", "mr", 1, _alone(mr)),
        "mr_full": Recipe("MR, Eq. (2)", "mr", 1, mr),
        "wp_pixel": Recipe("WP pixel only", "wp", 1, _alone(wp_1)),
        "wp_stage1": Recipe("WP stage 1", "wp", 1, wp_1),
        "wp_stage2": Recipe("WP stage 2", "wp", 2, wp_2),
        "wp_stage2_32": Recipe("WP stage 2, 32 filters in D", "wp", 2, half),
    }


def _alone(objective: ObjectiveConfig) -> ObjectiveConfig:
    """The generator alone, on the pixel loss."""
    return dataclasses.replace(objective, adversarial=False, lambda_vgg=0.0)


RECIPES = _recipes()
