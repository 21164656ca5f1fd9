"""WP-SRGAN's stages as the programs for training and export take them."""

import functools

from srgan.runs.branch import Branch
from wp_srgan.config import GeneratorConfig
from wp_srgan.gan import WpSrgan
from wp_srgan.generator import build_generator
from wp_srgan.stages import STAGES

# By number.
WP_SRGAN = {
    stage: Branch(
        "wp_srgan",
        GeneratorConfig,
        build_generator,
        functools.partial(WpSrgan, stage=stage),
        select_best=False,
        stage=stage,
    )
    for stage in STAGES
}
