"""How long a run takes, and all of its settings together."""

from __future__ import annotations

import dataclasses

from sr_program.machine.precision import PRECISIONS
from sr_program.settings import setting
from srgan.config.data import DataConfig
from srgan.config.objective import ObjectiveConfig
from srgan.config.optimizer import InitializationConfig, OptimizerConfig


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """How long to train, and where the results go."""

    run_dir: str = setting("", "Folder of this run: settings, weights, checkpoints, losses.")
    steps: int = setting(500_000, "Updates in all.")
    steps_per_epoch: int = setting(
        500, "Updates in an epoch; at the end of each, validation runs and a checkpoint is written."
    )
    checkpoint_every: int = setting(
        0, "Updates between additional checkpoints within an epoch; 0: none."
    )
    keep_checkpoints: int = setting(2, "How many checkpoints are kept besides the best one.")
    steps_per_call: int = setting(
        1,
        "Updates that JAX runs in one call on accelerators: raise it where Python bounds the "
        "speed. CPUs run them one by one, which is faster there.",
    )
    devices: int = setting(
        1,
        "Devices of this host that share each batch: GPUs or TPUs, else parts of the CPU. Several "
        "hosts: see docs/distributed.md.",
    )
    deterministic: bool = setting(
        False,
        "Use only operations that give the same bits in every run. A CPU does so anyway; "
        "accelerators become slower.",
    )
    precision: str = setting(
        "float32",
        "bfloat16 computes the convolutions in that type: faster where the machine has it, many "
        "times slower elsewhere; auto takes it where the machine has it. Weights, losses and "
        "optimizers stay float32.",
        PRECISIONS,
    )
    init_generator: str = setting(
        "", "Start from these generator weights (.weights.h5) instead of random ones."
    )
    init_run: str = setting(
        "",
        "Start from the run in this folder: from its generator and, where both runs have one, its "
        "discriminator.",
    )


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """Everything that one run is made of, but for the generator's architecture."""

    objective: ObjectiveConfig
    optimizer: OptimizerConfig
    data: DataConfig
    run: RunConfig
    initialization: InitializationConfig = InitializationConfig()
