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
from srgan.runs.places import check_places

DEFAULTS = TrainingConfig(PAPER_OBJECTIVE, OptimizerConfig(), DataConfig(), RunConfig())


def main(arguments: list[str]) -> int:
    """Trains as the flags say; returns the exit code."""
    refuse_positional(arguments)
    config = check_run(dataclass_flags.read(DEFAULTS))
    architecture = dataclass_flags.read(GeneratorConfig())
    check_places(config, architecture.scale)
    # Keras and its engine take seconds to import: the help and a wrong flag do without them.
    import_keras_quietly()
    from mr_srgan.branch import MR_SRGAN
    from srgan.runs.start import train_branch

    return train_branch(MR_SRGAN, architecture, config)


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    dataclass_flags.define(GeneratorConfig(), DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
