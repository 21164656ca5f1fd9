"""What sets one branch of the paper apart from the other, for the programs that both share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras

from srgan.steps.adversarial_model import AdversarialModel


@dataclasses.dataclass(frozen=True)
class Branch:
    """A branch, and of WP-SRGAN one of its stages.

    Attributes:
        name: Its package.
        architecture: The dataclass of its generator's settings.
        build_generator: (settings, dtype policy, initialization) → generator.
        gan: (generator, objective, **networks) → the model that is trained.
        select_best: Whether the epoch with the best validation SSIM is kept, not the last one.
        stage: 1 or 2; None where there are no stages.
    """

    name: str
    architecture: type[Any]
    build_generator: Callable[..., keras.Model]
    gan: Callable[..., AdversarialModel]
    select_best: bool
    stage: int | None = None
