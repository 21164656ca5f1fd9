"""Puts a run's pieces together from its settings: networks, optimizer, data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from sr_data.degradations.photo_degradation import PhotoDegradation
from sr_data.patches import PatchDataset
from sr_data.sources import PairedFolder, open_source
from sr_data.teacher import Teacher
from sr_program.errors import UsageError
from srgan.config import ObjectiveConfig, TrainingConfig
from srgan.layers.discriminator import build_discriminator
from srgan.layers.unet_discriminator import build_unet_discriminator
from srgan.losses.feature_terms import FeatureTerm, parse_feature_terms
from srgan.runs.validation import check_pairs
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.devices import ONE_DEVICE, Devices
from srgan.steps.paired_optimizer import build_optimizer
from srgan.vgg.features import build_vgg_features, feature_scale


def build_networks(objective: ObjectiveConfig, crop_size: int, dtype: str) -> dict[str, Any]:
    """The networks beside the generator that an objective needs, as `AdversarialModel` takes them.

    Args:
        objective: The loss.
        crop_size: Side of the HR crops, pixels.
        dtype: Keras dtype policy.

    Returns:
        "discriminator", "features" and "feature_scale"; with several `vgg_layers` the features have
        an output, and a scale, for each.

    Raises:
        UsageError: An unknown layer, or one without a documented scale.
        DataError: The VGG weights cannot be had.
    """
    networks: dict[str, Any] = {"discriminator": None, "features": None}
    if objective.adversarial:
        networks["discriminator"] = make_discriminator(objective, crop_size, dtype)
    if objective.lambda_vgg:
        networks |= _build_features(objective, dtype)
    return networks


def make_discriminator(objective: ObjectiveConfig, crop_size: int, dtype: str) -> keras.Model:
    """Builds the discriminator that an objective asks for.

    Args:
        objective: The loss.
        crop_size: Side of the HR crops, pixels.
        dtype: Keras dtype policy.

    Raises:
        UsageError: The crop size does not suit it.
    """
    options: dict[str, Any] = {
        "spectral_norm": objective.spectral_norm,
        "base_filters": objective.discriminator_filters,
        "dtype": dtype,
    }
    if objective.discriminator_unet:
        return build_unet_discriminator(crop_size, **options)
    return build_discriminator(
        crop_size,
        batch_norm=objective.discriminator_batch_norm,
        patches=objective.discriminator_patches,
        **options,
    )


def _build_features(objective: ObjectiveConfig, dtype: str) -> dict[str, Any]:
    network, before = objective.vgg_network, objective.vgg_before_relu

    def scale_of(layer: str) -> float:
        if objective.feature_scale or objective.vgg_distance != "mse":
            return objective.feature_scale or 1.0
        return feature_scale(network, layer, before)

    named = parse_feature_terms(network, objective.vgg_layers)
    terms = named or (FeatureTerm(objective.vgg_layer),)
    layers: Any = [term.layer for term in terms]
    scales: Any = [term.weight * scale_of(term.layer) for term in terms]
    if len(terms) == 1:
        (layers,), (scales,) = layers, scales
    features = build_vgg_features(
        network, layers, before_relu=before, weights=objective.vgg_weights, dtype=dtype
    )
    return {"feature_scale": scales, "features": features}


def compile_model(model: AdversarialModel, config: TrainingConfig) -> None:
    """Attaches a run's optimizer to its model."""
    adversarial = model.discriminator is not None
    model.compile_pair(build_optimizer(config.optimizer, config.run.steps, adversarial=adversarial))


def open_data(
    config: TrainingConfig, scale: int, devices: Devices = ONE_DEVICE
) -> tuple[PatchDataset, PairedFolder | None]:
    """Opens the training patches and the validation images of a run.

    Args:
        config: The run.
        scale: The generator's enlargement.
        devices: The dataset holds this process's part of each batch.

    Raises:
        UsageError: The source has a form that is not known, a crop does not fit the scale, or a
            batch does not divide by the devices.
        DataError: No usable training image, or one for validation that cannot be used.
    """
    data = config.data
    devices.check_batch(data.batch_size)
    if data.crop_size % scale:
        raise UsageError(f"--crop_size must divide by the scale {scale}, got {data.crop_size}")
    # The small folder first: a typing mistake in it should not wait for the large one.
    validation = PairedFolder(data.val_dir) if data.val_dir else None
    if validation is not None:
        check_pairs(validation, scale)
    photo = data.degradation == "photo"
    degradation = PhotoDegradation(clean_share=data.clean_share) if photo else None
    dataset = PatchDataset(
        open_source(data.data),
        crop_size=data.crop_size,
        batch_size=data.batch_size,
        steps_per_epoch=config.run.steps_per_epoch,
        seed=data.seed,
        scale=scale,
        flips=data.flips,
        rotations=data.rotations,
        crop_energy=data.crop_energy,
        degradation=degradation,
        teacher=Teacher(Path(data.teacher_dir), data.teacher_weight) if data.teacher_dir else None,
        share=(devices.worker, devices.workers),
    )
    return dataset, validation
