"""A GAN of a few hundred weights, and the settings to train it for a few steps."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srgan.config import (
    DataConfig,
    InitializationConfig,
    ObjectiveConfig,
    OptimizerConfig,
    RunConfig,
    TrainingConfig,
)

CROP = 16
PARTS = (ObjectiveConfig, OptimizerConfig, DataConfig, RunConfig, InitializationConfig)


@pytest.fixture(scope="session")
def training_config(photo_dir: Path) -> Callable[..., TrainingConfig]:
    """Makes the settings of a short run; arguments are settings by name."""
    short = {
        **{"data": f"folder:{photo_dir}", "crop_size": CROP, "batch_size": 2},
        **{"run_dir": "run", "steps": 6, "steps_per_epoch": 3},
        **{"lambda_vgg": 0.0, "lambda_adv": 0.1, "learning_rate": 1e-2},
    }

    def make(**changes: Any) -> TrainingConfig:
        settings = {**short, **changes}
        parts = []
        for part in PARTS:
            names = [field.name for field in dataclasses.fields(part) if field.name in settings]
            parts.append(part(**{name: settings.pop(name) for name in names}))
        assert not settings
        return TrainingConfig(*parts)

    return make


@pytest.fixture(scope="session")
def vgg16_file() -> str:
    """VGG16 with ImageNet's weights; tests that need it are skipped where no file is named."""
    path = os.environ.get("BIGANS_VGG16")
    if not path:
        pytest.skip("needs the VGG16 of docs/perceptual_weights.md: BIGANS_VGG16=FILE names it")
    return path


@pytest.fixture(scope="session")
def tiny_model() -> Callable[..., Any]:
    """Builds a compiled model for a run's settings, with BatchNorm in both networks."""
    import keras

    from srgan.layers.discriminator import build_discriminator
    from srgan.layers.residual_block import conv
    from srgan.layers.tail import image_tail
    from srgan.runs.building import compile_model
    from srgan.steps.adversarial_model import AdversarialModel
    from srgan.steps.loss_terms import Passes

    class TinyGan(AdversarialModel):
        def generator_terms(self, hr: Any, passes: Passes) -> dict[str, tuple[float, Any]]:
            return {**self.pixel_term(hr, passes), **self.adversarial_term(passes)}

    def make(config: TrainingConfig, features: int = 2) -> TinyGan:
        keras.utils.set_random_seed(config.data.seed)
        lr = keras.Input((None, None, 3), name="lr")
        x = conv(features, 3, name="head")(lr)
        x = keras.layers.BatchNormalization(name="norm")(x)
        sr = image_tail(x, lr, scale=4, filters=2, output_kernel=3, bicubic_skip=True)
        discriminator = None
        if config.objective.adversarial:
            discriminator = build_discriminator(
                CROP,
                batch_norm=config.objective.discriminator_batch_norm,
                base_filters=2,
                dense_units=4,
            )
        generator = keras.Model(lr, sr, name="tiny")
        model = TinyGan(generator, config.objective, discriminator=discriminator)
        compile_model(model, config)
        return model

    return make
