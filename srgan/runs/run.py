"""A run, put together: what the training loop works on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from sr_data.patches import PatchDataset
from sr_data.sources import PairedFolder
from srgan.config import TrainingConfig
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.devices import ONE_DEVICE, Devices


@dataclasses.dataclass(frozen=True)
class Run:
    """All that a training is made of.

    Attributes:
        model: Compiled by `compile_pair`.
        dataset: Batches by (epoch, index).
        validation: Scored at the end of every epoch; None for no validation.
        config: The settings.
        architecture: The generator's config dataclass, kept in `config.json`.
        select_best: `generator.weights.h5` follows the best validation SSIM, not the last epoch.
        devices: What the model was built for. Where they belong to several processes, each of them
            trains; the chief validates and writes.
    """

    model: AdversarialModel
    dataset: PatchDataset
    validation: PairedFolder | None
    config: TrainingConfig
    architecture: Any
    select_best: bool = False
    devices: Devices = ONE_DEVICE

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.config.run.run_dir)
