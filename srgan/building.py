"""Puts a run's pieces together from its settings: networks, optimizer, data."""

from __future__ import annotations

import dataclasses
from typing import Any

from cli.errors import UsageError
from sr_data.patches import PatchDataset
from sr_data.sources import PairedFolder, open_source
from srgan.adversarial_model import AdversarialModel
from srgan.config import ObjectiveConfig, TrainingConfig
from srgan.discriminator import build_discriminator
from srgan.paired_optimizer import build_optimizer
from srgan.vgg_features import build_vgg_features, feature_scale


def build_networks(objective: ObjectiveConfig, crop_size: int, dtype: str) -> dict[str, Any]:
    """The networks beside the generator that an objective needs, as `AdversarialModel` takes them.

    Args:
        objective: The loss.
        crop_size: Side of the HR crops, pixels.
        dtype: Keras dtype policy.

    Returns:
        "discriminator", "features" and "feature_scale".

    Raises:
        UsageError: An unknown layer, or one without a documented scale.
        DataError: The VGG weights cannot be had.
    """
    networks: dict[str, Any] = {"discriminator": None, "features": None}
    if objective.adversarial:
        networks["discriminator"] = build_discriminator(
            crop_size, batch_norm=objective.discriminator_batch_norm, dtype=dtype
        )
    if objective.lambda_vgg:
        network, layer, before = (
            objective.vgg_network,
            objective.vgg_layer,
            objective.vgg_before_relu,
        )
        networks["feature_scale"] = objective.feature_scale or feature_scale(network, layer, before)
        networks["features"] = build_vgg_features(
            network, layer, before_relu=before, weights=objective.vgg_weights, dtype=dtype
        )
    return networks


def compile_model(model: AdversarialModel, config: TrainingConfig) -> None:
    """Attaches a run's optimizer to its model."""
    adversarial = model.discriminator is not None
    model.compile_pair(build_optimizer(config.optimizer, config.run.steps, adversarial=adversarial))


def check_run(config: TrainingConfig) -> TrainingConfig:
    """Checks what no single setting can, and bounds an epoch by the run.

    Raises:
        UsageError: A setting is missing or out of range.
    """
    run, data, optimizer = config.run, config.data, config.optimizer
    for flag, value in (
        ("steps", run.steps),
        ("steps_per_epoch", run.steps_per_epoch),
        ("batch_size", data.batch_size),
    ):
        if value < 1:
            raise UsageError(f"--{flag} must be at least 1, got {value}")
    if not run.run_dir:
        raise UsageError("--run_dir is required: the folder of this run's results")
    if not data.data:
        raise UsageError("--data is required: folder:DIR with HR training images")
    if optimizer.learning_rate <= 0:
        raise UsageError(f"--learning_rate must be above 0, got {optimizer.learning_rate}")
    if not 0 <= optimizer.ema_decay < 1:
        raise UsageError(f"--ema_decay must lie in [0, 1), got {optimizer.ema_decay}")
    if config.objective.adversarial and data.crop_size % 16:
        raise UsageError(f"--crop_size must divide by 16, got {data.crop_size}")
    epoch = min(run.steps_per_epoch, run.steps)
    return dataclasses.replace(config, run=dataclasses.replace(run, steps_per_epoch=epoch))


def open_data(config: TrainingConfig, scale: int) -> tuple[PatchDataset, PairedFolder | None]:
    """Opens the training patches and the validation images of a run.

    Args:
        config: The run.
        scale: The generator's enlargement.

    Raises:
        UsageError: The source has a form that is not known, or a crop does not fit the scale.
        DataError: No usable image.
    """
    data = config.data
    if data.crop_size % scale:
        raise UsageError(f"--crop_size must divide by the scale {scale}, got {data.crop_size}")
    # The small folder first: a typing mistake in it should not wait for the large one.
    validation = PairedFolder(data.val_dir) if data.val_dir else None
    dataset = PatchDataset(
        open_source(data.data),
        crop_size=data.crop_size,
        batch_size=data.batch_size,
        steps_per_epoch=config.run.steps_per_epoch,
        seed=data.seed,
        scale=scale,
        flips=data.flips,
        rotations=data.rotations,
    )
    return dataset, validation
