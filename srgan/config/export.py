"""What is exported of a run, and where to."""

from __future__ import annotations

import dataclasses

from sr_program.errors import UsageError
from sr_program.machine.precision import PRECISIONS
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """One SavedModel from one run; the attributes' meaning is their help text."""

    run_dir: str = setting(
        "", "Folder of a training run; for WP-SRGAN the parent of stage1. Required."
    )
    output: str = setting(
        "", "Writes OUTPUT/1, a SavedModel; for WP-SRGAN OUTPUT/stageN/1. Required."
    )
    precision: str = setting(
        "float32",
        "What the model computes in. bfloat16 is faster on machines that compute in it; auto "
        "chooses.",
        PRECISIONS,
    )
    last_update: bool = setting(
        False,
        "Export the weights as the last update left them: without their moving average "
        "(--ema_decay of the training), even if an earlier epoch was better.",
    )


def check_export(config: ExportConfig) -> ExportConfig:
    """Returns the settings.

    Raises:
        UsageError: A folder is not named.
    """
    if not config.run_dir or not config.output:
        raise UsageError("--run_dir and --output are required")
    return config
