"""Trains WP-SRGAN, the vivid branch, one stage at a time (paper, Section 3.3, Eq. (6)-(7)).

    python -m wp_srgan.train --stage=1 --data=folder:DIR --val_dir=DIR --run_dir=runs/wp
    python -m wp_srgan.train --stage=2 --data=folder:DIR --val_dir=DIR --run_dir=runs/wp

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
from wp_srgan.config import PAPER_OBJECTIVE, GeneratorConfig
from wp_srgan.stages import STAGES, check_architecture, stage_dir, start_from_stage_1

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
    config = check_run(dataclass_flags.read(DEFAULTS, **stage_weights(stage)))
    if stage == 1 and config.objective.lambda_vgg:
        raise UsageError("--lambda_vgg belongs to stage 2: Eq. (6) has no perceptual loss")
    if stage == 2 and config.run.init_generator:
        raise UsageError("--init_generator belongs to stage 1: stage 2 starts from stage 1")
    return train_stage(stage, dataclass_flags.read(GeneratorConfig()), config)


def stage_weights(stage: int) -> dict[str, float]:
    """The weights of the stage's equation, for those that the command line leaves open."""
    paper = PAPER_OBJECTIVE[stage]
    return {
        name: getattr(paper, name)
        for name in ("lambda_pixel", "lambda_vgg")
        if not flags.FLAGS[name].present
    }


def train_stage(stage: int, architecture: GeneratorConfig, config: TrainingConfig) -> int:
    """Trains one stage of a WP-SRGAN; returns the exit code.

    Args:
        stage: 1 or 2.
        architecture: The generator.
        config: The run, checked; `run_dir` is the parent of both stages' folders.
    """
    # Keras and its engine take seconds to import: the help and a wrong flag do without them.
    import_keras_quietly()
    from srgan.runs import building
    from srgan.runs.training import train
    from srgan.runs.weights import load_start
    from srgan.steps.devices import open_devices
    from srgan.steps.dtype_policy import dtype_policy
    from srgan.steps.seeding import seed_everything
    from wp_srgan.gan import WpSrgan
    from wp_srgan.generator import build_generator

    seed_everything(config.data.seed, deterministic=config.run.deterministic)
    devices = open_devices(config.run.devices)
    root = config.run.run_dir
    folder = str(stage_dir(root, stage))
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, run_dir=folder))
    objective, run_config = config.objective, config.run
    dtype = dtype_policy(run_config.precision)
    with devices.scope():
        generator = build_generator(architecture, dtype, config.initialization)
        networks = building.build_networks(objective, config.data.crop_size, dtype)
        model = WpSrgan(generator, objective, stage=stage, **networks)
        if stage == 2:
            start_from_stage_1(model, root)
            check_architecture(architecture, root)
        elif run_config.init_generator:
            load_start(generator, run_config.init_generator)
        building.compile_model(model, config)
        dataset, validation = building.open_data(config, architecture.scale, devices)
        pieces = {"architecture": architecture, "select_best": False, "devices": devices}
        return train(model, dataset, validation, config, **pieces)


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    flags.DEFINE_enum(
        "stage", None, [str(stage) for stage in STAGES], "1: Eq. (6). 2: Eq. (7), from stage 1."
    )
    dataclass_flags.define(GeneratorConfig(), DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
