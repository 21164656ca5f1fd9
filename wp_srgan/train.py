"""Trains WP-SRGAN, the vivid branch, one stage at a time (paper, Section 3.3, Eq. (6)-(7)).

    python -m wp_srgan.train --stage=1 --data=folder:DIR --val_dir=DIR --run_dir=runs/wp
    python -m wp_srgan.train --stage=2 --data=folder:DIR --val_dir=DIR --run_dir=runs/wp

Stage 2 starts from stage 1 in the same run folder, or from any run that --init_run names.
The flags' defaults are the paper's settings; flagfiles in configs/ hold the recipes of the shipped
weights. A run that was stopped continues when the same command is given again.
"""

from __future__ import annotations

import dataclasses

from absl import flags

from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_keras_quietly
from srgan.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig, check_run
from srgan.runs.places import check_places
from wp_srgan.config import PAPER_OBJECTIVE, GeneratorConfig
from wp_srgan.stages import STAGES, stage_1_of, stage_dir

# Section 4.1: the rate is divided by 10 at half of the run.
DEFAULTS = TrainingConfig(
    PAPER_OBJECTIVE[2], OptimizerConfig(schedule="step"), DataConfig(), RunConfig()
)


def main(arguments: list[str]) -> int:
    """Trains as the flags say; returns the exit code."""
    refuse_positional(arguments)
    if flags.FLAGS.stage is None:
        raise UsageError("--stage=1 or --stage=2 is required")
    stage = int(flags.FLAGS.stage)
    architecture = dataclass_flags.read(GeneratorConfig())
    config = check_run(dataclass_flags.read(DEFAULTS, **stage_weights(stage)))
    if stage == 1 and config.objective.lambda_vgg:
        raise UsageError("--lambda_vgg belongs to stage 2: Eq. (6) has no perceptual loss")
    if stage == 2 and config.run.init_generator:
        raise UsageError(
            "--init_generator belongs to stage 1: stage 2 starts from stage 1, or from the run "
            "that --init_run names"
        )
    check_places(config, architecture.scale)
    root = config.run.run_dir
    stage_run = dataclasses.replace(config.run, run_dir=str(stage_dir(root, stage)))
    start = None
    if stage == 2 and not config.run.init_run:
        start = stage_1_of(root, config.objective.adversarial)
    # Keras and its engine take seconds to import: the help and a wrong flag do without them.
    import_keras_quietly()
    from srgan.runs.start import train_branch
    from wp_srgan.branch import WP_SRGAN

    config = dataclasses.replace(config, run=stage_run)
    return train_branch(WP_SRGAN[stage], architecture, config, start)


def stage_weights(stage: int) -> dict[str, float]:
    """The weights of the stage's equation, for those that the command line leaves open."""
    paper = PAPER_OBJECTIVE[stage]
    return {
        name: getattr(paper, name)
        for name in ("lambda_pixel", "lambda_vgg")
        if not flags.FLAGS[name].present
    }


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    flags.DEFINE_enum(
        "stage",
        None,
        [str(stage) for stage in STAGES],
        "1: Eq. (6). 2: Eq. (7), from stage 1. The weights below are stage 2's defaults; in stage "
        "1 lambda_pixel is 1 and lambda_vgg 0. Required.",
    )
    dataclass_flags.define(GeneratorConfig(), DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
