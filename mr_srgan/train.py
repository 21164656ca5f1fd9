"""Trains MR-SRGAN, the faithful branch (paper, Section 3.2, Eq. (2)).

    python -m mr_srgan.train --data=folder:DIR --val_dir=DIR --run_dir=runs/mr

The flags' defaults are the paper's settings; flagfiles in configs/ hold the recipes of the shipped
weights. A run that was stopped continues when the same command is given again.
"""

from __future__ import annotations

from mr_srgan.config import PAPER_OBJECTIVE, GeneratorConfig
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.machine.tensorflow_start import import_keras_quietly
from srgan.config import DataConfig, OptimizerConfig, RunConfig, TrainingConfig, check_run

DEFAULTS = TrainingConfig(PAPER_OBJECTIVE, OptimizerConfig(), DataConfig(), RunConfig())


def main(arguments: list[str]) -> int:
    """Trains as the flags say; returns the exit code."""
    refuse_positional(arguments)
    config = check_run(dataclass_flags.read(DEFAULTS))
    return train_mr_srgan(dataclass_flags.read(GeneratorConfig()), config)


def train_mr_srgan(architecture: GeneratorConfig, config: TrainingConfig) -> int:
    """Trains one MR-SRGAN; returns the exit code.

    Args:
        architecture: The generator.
        config: The run, checked.
    """
    # Keras and its engine take seconds to import: the help and a wrong flag do without them.
    import_keras_quietly()
    from mr_srgan.gan import MrSrgan
    from mr_srgan.generator import build_generator
    from srgan.runs import building
    from srgan.runs.training import train
    from srgan.runs.weights import load_start
    from srgan.steps.devices import open_devices
    from srgan.steps.dtype_policy import dtype_policy
    from srgan.steps.seeding import seed_everything

    seed_everything(config.data.seed, deterministic=config.run.deterministic)
    devices = open_devices(config.run.devices)
    objective, run_config = config.objective, config.run
    dtype = dtype_policy(run_config.precision)
    with devices.scope():
        generator = build_generator(architecture, dtype, config.initialization)
        if run_config.init_generator:
            load_start(generator, run_config.init_generator)
        networks = building.build_networks(objective, config.data.crop_size, dtype)
        model = MrSrgan(generator, objective, **networks)
        building.compile_model(model, config)
        dataset, validation = building.open_data(config, architecture.scale, devices)
        pieces = {"architecture": architecture, "select_best": True, "devices": devices}
        return train(model, dataset, validation, config, **pieces)


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    dataclass_flags.define(GeneratorConfig(), DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
