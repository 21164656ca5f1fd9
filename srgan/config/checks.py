"""Settings that are out of range or exclude each other are refused, before anything is loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sr_program.errors import UsageError
from srgan.config.data import DataConfig
from srgan.config.objective import ObjectiveConfig
from srgan.config.run import TrainingConfig
from srgan.losses.feature_terms import parse_feature_terms

# Blocks of a network, and channels: the paper's have 64 at most.
_MOST_OF_A_KIND = 4096


def check_run(config: TrainingConfig) -> TrainingConfig:
    """Checks the settings, alone and together, and bounds an epoch by the run.

    Raises:
        UsageError: A setting is missing or out of range.
    """
    run, data, objective = config.run, config.data, config.objective
    if not run.run_dir:
        raise UsageError("--run_dir is required: the folder of this run's results")
    if not data.data:
        raise UsageError("--data is required: folder:DIR with HR training images")
    if run.init_run and run.init_generator:
        raise UsageError("give --init_run or --init_generator, not both")
    _check_ranges(config)
    parse_feature_terms(objective.vgg_network, objective.vgg_layers)
    for name, least in (("lambda_lr", 20), ("lambda_texture", 24), ("lambda_grid", 40)):
        if getattr(objective, name) and data.crop_size < least:
            raise UsageError(
                f"--{name} needs a --crop_size of {least} or more, got {data.crop_size}"
            )
    multiple = 8 if objective.discriminator_unet else 16
    if objective.adversarial and data.crop_size % multiple:
        raise UsageError(f"--crop_size must divide by {multiple}, got {data.crop_size}")
    if objective.adversarial:
        _check_discriminator(objective)
    if data.teacher_dir:
        _check_teacher(data, adversarial=objective.adversarial)
    weights = ("lambda_pixel", "lambda_lr", "lambda_texture", "lambda_grid", "lambda_vgg")
    if not (objective.adversarial or any(getattr(objective, name) for name in weights)):
        raise UsageError("the loss has no term left: give --lambda_pixel or --lambda_vgg a weight")
    epoch = min(run.steps_per_epoch, run.steps)
    return dataclasses.replace(config, run=dataclasses.replace(run, steps_per_epoch=epoch))


def _check_discriminator(objective: ObjectiveConfig) -> None:
    """Raises a UsageError where two settings of the adversarial part exclude each other."""
    if objective.discriminator_patches and objective.discriminator_unet:
        raise UsageError("give --discriminator_patches or --discriminator_unet, not both")
    if objective.relativistic and not objective.logarithm:
        raise UsageError("--relativistic has a logarithm: it does not go with --nologarithm")
    for name in ("r1_gamma", "spectral_norm", "discriminator_unet"):
        if getattr(objective, name) and objective.discriminator_batch_norm:
            raise UsageError(f"--{name} needs --nodiscriminator_batch_norm")


def _check_teacher(data: DataConfig, *, adversarial: bool) -> None:
    """Raises a UsageError where a teacher's images cannot take HR's place."""
    if adversarial:
        raise UsageError(
            "--teacher_dir needs --noadversarial: the discriminator would learn them as photos"
        )
    if data.data.startswith("prepared:"):
        raise UsageError("--teacher_dir needs the photos themselves: a prepared set holds HR alone")


def _check_ranges(config: TrainingConfig) -> None:
    """Raises a UsageError that names the first number out of range; NaN is out of any."""
    infinity = float("inf")
    for part, names, low, below in (
        (config.run, ("steps", "steps_per_epoch", "keep_checkpoints"), 1, infinity),
        (config.run, ("steps_per_call", "devices"), 1, infinity),
        (config.run, ("checkpoint_every",), 0, infinity),
        (config.optimizer, ("warmup_steps", "discriminator_warmup", "clip_norm"), 0, infinity),
        (config.data, ("crop_size", "batch_size"), 1, infinity),
        # What numpy's and Keras' generators take.
        (config.data, ("seed",), 0, 2**32),
        (config.objective, ("lambda_pixel", "lambda_adv", "lambda_vgg"), 0, infinity),
        (config.objective, ("lambda_lr", "lambda_texture", "lambda_grid"), 0, infinity),
        (config.objective, ("feature_scale", "r1_gamma"), 0, infinity),
        (config.objective, ("r1_every", "discriminator_filters"), 1, infinity),
        (config.optimizer, ("discriminator_learning_rate",), 0, infinity),
        (config.optimizer, ("beta_1", "beta_2", "ema_decay"), 0, 1),
        (config.optimizer, ("discriminator_beta_1", "discriminator_beta_2"), 0, 1),
        (config.optimizer, ("output_rate",), 0, infinity),
        (config.initialization, ("residual_scale",), 0, infinity),
    ):
        for name in names:
            value = getattr(part, name)
            if not low <= value < below:
                limits = f"at least {low}" if below == infinity else f"in [{low}, {below})"
                raise UsageError(f"--{name} must be {limits}, got {value}")
    rate = config.optimizer.learning_rate
    if not 0 < rate < infinity:
        raise UsageError(f"--learning_rate must be above 0, got {rate}")
    for part, name in (
        (config.optimizer, "decay_at"),
        (config.data, "clean_share"),
        (config.data, "teacher_weight"),
    ):
        share = getattr(part, name)
        if not 0 <= share <= 1:
            raise UsageError(f"--{name} must be in [0, 1], got {share}")
    if not 0 < config.data.crop_energy <= 1:
        raise UsageError(f"--crop_energy must be in (0, 1], got {config.data.crop_energy}")


def check_counts(config: Any, names: Sequence[str]) -> None:
    """Whether a network can have so many blocks and channels.

    Args:
        config: A config dataclass.
        names: Of its counts.

    Raises:
        UsageError: A count is below 1, or so large that no machine holds the network.
    """
    for name in names:
        count = getattr(config, name)
        if count < 1:
            raise UsageError(f"--{name} must be at least 1, got {count}")
        if count > _MOST_OF_A_KIND:
            raise UsageError(f"--{name} must be at most {_MOST_OF_A_KIND}, got {count}")
