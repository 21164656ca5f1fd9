"""How a branch is trained: frozen settings, each with the help text of its flag.

The paper's values are the defaults (Section 4.1); a branch's `train.py` replaces those that
differ between the branches.
"""

from sr_program.settings import setting
from srgan.config.checks import check_counts, check_run
from srgan.config.data import DataConfig
from srgan.config.export import ExportConfig, check_export
from srgan.config.objective import ObjectiveConfig
from srgan.config.optimizer import InitializationConfig, OptimizerConfig
from srgan.config.run import RunConfig, TrainingConfig

__all__ = [
    "DataConfig",
    "ExportConfig",
    "InitializationConfig",
    "ObjectiveConfig",
    "OptimizerConfig",
    "RunConfig",
    "TrainingConfig",
    "check_counts",
    "check_export",
    "check_run",
    "setting",
]
