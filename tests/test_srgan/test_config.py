import dataclasses
import math
from typing import Any

import pytest

from sr_program.errors import UsageError
from srgan.config import (
    DataConfig,
    InitializationConfig,
    ObjectiveConfig,
    OptimizerConfig,
    RunConfig,
    TrainingConfig,
    check_run,
)

PARTS = (ObjectiveConfig, OptimizerConfig, DataConfig, RunConfig, InitializationConfig)


def config(**changes: Any) -> TrainingConfig:
    """A run that could start, with changed settings."""
    changes = {"data": "folder:photos", "run_dir": "run", **changes}
    parts = []
    for part in PARTS:
        names = [field.name for field in dataclasses.fields(part)]
        parts.append(part(**{name: changes.pop(name) for name in names if name in changes}))
    assert not changes
    return TrainingConfig(*parts)


@pytest.mark.parametrize("part", PARTS)
def test_every_setting_has_a_sentence_of_help_and_a_possible_default(part):
    for field in dataclasses.fields(part):
        assert field.metadata["help"].endswith("."), field.name
        choices = field.metadata["choices"]
        assert not choices or field.default in choices


def test_names_are_unique_since_they_are_flags():
    names = [field.name for part in PARTS for field in dataclasses.fields(part)]
    assert len(names) == len(set(names))


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DataConfig().seed = 1  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("steps", "per_epoch", "expected"), [(10, 4, 4), (10, 10, 10), (10, 500, 10), (1, 1, 1)]
)
def test_an_epoch_is_not_longer_than_the_run(steps, per_epoch, expected):
    start = config(steps=steps, steps_per_epoch=per_epoch)
    run = dataclasses.replace(start.run, steps_per_epoch=expected)
    assert check_run(start) == dataclasses.replace(start, run=run)


NAN, INFINITY = math.nan, math.inf
REFUSED = {
    "data": [""],
    "run_dir": [""],
    "steps": [0, -3],
    "steps_per_epoch": [0],
    "batch_size": [0, -1],
    "clean_share": [-0.1, 1.5, NAN],
    "teacher_weight": [-0.1, 1.5, NAN],
    "crop_size": [0, -16, 24],
    "seed": [-1, 2**32],
    "lambda_pixel": [-1.0, NAN, INFINITY],
    "lambda_adv": [-1e-9, NAN, INFINITY],
    "lambda_vgg": [-1.0, NAN, INFINITY],
    "lambda_lr": [-1.0, NAN, INFINITY],
    "lambda_texture": [-1.0, NAN, INFINITY],
    "lambda_grid": [-1.0, NAN, INFINITY],
    "feature_scale": [-1.0, NAN, INFINITY],
    "r1_gamma": [-1.0, NAN, INFINITY],
    "r1_every": [0, -1],
    "discriminator_filters": [0, -1],
    "learning_rate": [0.0, -1e-4, NAN, INFINITY],
    "discriminator_learning_rate": [-1e-4, NAN, INFINITY],
    "decay_at": [-0.1, 1.1, NAN],
    "output_rate": [-0.1, NAN, INFINITY],
    "beta_2": [-0.1, 1.0, NAN],
    "discriminator_beta_1": [-0.1, 1.0, NAN],
    "discriminator_beta_2": [-0.1, 1.0, NAN],
    "residual_scale": [-0.1, NAN, INFINITY],
    "crop_energy": [0.0, -0.1, 1.1, NAN],
    "beta_1": [-0.1, 1.0, NAN],
    "ema_decay": [-0.1, 1.0, NAN],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_what_is_refused(name, value):
    with pytest.raises(UsageError) as caught:
        check_run(config(**{name: value}))
    message = str(caught.value)
    assert message.startswith(f"--{name} ") and "\n" not in message
    assert value == "" or message.endswith(f", got {value}")


@pytest.mark.parametrize(
    "changes",
    [
        {"lambda_pixel": 0.0, "lambda_adv": 0.0, "lambda_vgg": 0.0},
        {"seed": 2**32 - 1, "beta_1": 0.0, "ema_decay": 0.999, "decay_at": 0.0},
        {"decay_at": 1.0, "feature_scale": 1e-9, "learning_rate": 1e30},
        {"crop_size": 24, "adversarial": False},
        {"steps": 1, "steps_per_epoch": 1, "batch_size": 1, "crop_size": 16},
    ],
)
def test_what_is_not(changes):
    check_run(config(**changes))


@pytest.mark.parametrize(
    ("name", "least"), [("lambda_lr", 20), ("lambda_texture", 24), ("lambda_grid", 40)]
)
def test_crops_too_small_for_a_term_are_refused(name, least):
    message = f"--{name} needs a --crop_size of {least} or more, got 16"
    with pytest.raises(UsageError, match=f"^{message}$"):
        check_run(config(crop_size=16, **{name: 0.5}))
    check_run(config(crop_size=16))
    check_run(config(crop_size=48, **{name: 0.5}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"discriminator_patches": True, "discriminator_unet": True},
            "give --discriminator_patches or --discriminator_unet, not both",
        ),
        (
            {"relativistic": True, "logarithm": False},
            "--relativistic has a logarithm: it does not go with --nologarithm",
        ),
        ({"r1_gamma": 1.0}, "--r1_gamma needs --nodiscriminator_batch_norm"),
        ({"spectral_norm": True}, "--spectral_norm needs --nodiscriminator_batch_norm"),
        ({"discriminator_unet": True}, "--discriminator_unet needs --nodiscriminator_batch_norm"),
    ],
)
def test_settings_of_the_discriminator_that_exclude_each_other(changes, message):
    with pytest.raises(UsageError) as caught:
        check_run(config(**changes))
    assert str(caught.value) == message


def test_settings_of_the_discriminator_that_go_together():
    everything = {"relativistic": True, "r1_gamma": 5.0, "r1_every": 1, "spectral_norm": True}
    for kind in ("discriminator_patches", "discriminator_unet"):
        check_run(config(**everything, **{kind: True}, discriminator_batch_norm=False))


def test_the_unet_takes_crops_that_divide_by_8():
    unet = {"discriminator_unet": True, "discriminator_batch_norm": False}
    check_run(config(crop_size=24, **unet))
    with pytest.raises(UsageError, match="^--crop_size must divide by 8, got 20$"):
        check_run(config(crop_size=20, **unet))


def test_layers_are_checked_before_the_run():
    check_run(config(vgg_layers="block1_conv2:0.1,block3_conv4:1"))
    for text, message in (
        ("block3_conv4", "--vgg_layers must be NAME:WEIGHT"),
        ("block6_conv1:1", "vgg19 has no layer 'block6_conv1'"),
        ("block3_conv4:0", "--vgg_layers: the weight of block3_conv4"),
    ):
        with pytest.raises(UsageError, match=message):
            check_run(config(vgg_layers=text))
    with pytest.raises(UsageError, match="vgg16 has no layer 'block3_conv4'"):
        check_run(config(vgg_layers="block3_conv4:1", vgg_network="vgg16"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adversarial": True}, "--teacher_dir needs --noadversarial"),
        ({"data": "prepared:set"}, "--teacher_dir needs the photos themselves"),
    ],
)
def test_where_a_teacher_cannot_take_the_place_of_hr(changes, message):
    taught = {"teacher_dir": "outputs", "adversarial": False}
    check_run(config(**taught))
    check_run(config(**changes))
    with pytest.raises(UsageError, match=f"^{message}"):
        check_run(config(**{**taught, **changes}))


def test_a_loss_without_terms_is_refused():
    with pytest.raises(UsageError, match="no term left"):
        check_run(config(adversarial=False, lambda_pixel=0.0, lambda_vgg=0.0))
    check_run(config(adversarial=False, lambda_pixel=0.0))
    check_run(config(adversarial=False, lambda_vgg=0.0))
    for name in ("lambda_lr", "lambda_texture", "lambda_grid"):
        check_run(config(adversarial=False, lambda_pixel=0.0, lambda_vgg=0.0, **{name: 0.1}))
