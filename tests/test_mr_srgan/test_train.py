"""Every flag is followed to where it counts, and a run is made as a person makes it."""

import csv
import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import mr_srgan.train
from mr_srgan.branch import MR_SRGAN
from mr_srgan.config import GeneratorConfig
from mr_srgan.generator import build_generator
from sr_images.image_io import write_rgb
from srgan.runs.branch import Branch
from srgan.runs.run import Run
from srgan.runs.weights import save_weights
from srgan.vgg.features import FEATURE_SCALE

TINY = (
    *("--features=4", "--num_mr_blocks=1", "--num_res_blocks=1", "--crop_size=16"),
    *("--batch_size=2", "--steps=4", "--steps_per_epoch=2"),
    *("--vgg_network=vgg19", "--vgg_layer=block1_conv1"),
)
PIXEL_ONLY = ("--noadversarial", "--lambda_vgg=0")


@pytest.fixture
def settings(call_program, monkeypatch):
    """Reads a command line; gives the architecture and the run that it asks for."""

    def settings(*arguments: object) -> tuple[GeneratorConfig, Any]:
        found = []

        def train_branch(branch: Branch, *configs: Any) -> int:
            assert branch is MR_SRGAN
            found.extend(configs)
            return 0

        with monkeypatch.context() as patch:
            patch.setattr("srgan.runs.start.train_branch", train_branch)
            patch.setattr(mr_srgan.train, "check_places", lambda *_: None)
            assert call_program(mr_srgan.train.cli_main, *arguments) == 0
        architecture, config = found
        return architecture, config

    return settings


@pytest.fixture
def start(call_program, monkeypatch, photo_dir, vgg_file, tmp_path):
    """Starts a tiny training up to its loop; gives what the loop would get."""

    def start(*arguments: object) -> Run:
        found: list[Run] = []

        def train(run: Run) -> int:
            found.append(run)
            return 0

        places = f"--data=folder:{photo_dir}", f"--run_dir={tmp_path / 'run'}"
        with monkeypatch.context() as patch:
            patch.setattr("srgan.runs.start.train", train)
            assert not call_program(
                mr_srgan.train.cli_main, *places, f"--vgg_weights={vgg_file}", *TINY, *arguments
            )
        return found[0]

    return start


def values(network: Any) -> list[np.ndarray]:
    return [np.array(v) for v in network.trainable_variables]


def step(model: Any, batch: Any) -> dict[str, float]:
    return {name: float(value) for name, value in model.train_step(batch).items()}


# The defaults.


def test_defaults_are_the_papers(settings):
    """Sections 3.2 and 4.1, as SPEC reads them."""
    architecture, config = settings("--data=folder:photos", "--run_dir=runs/mr")
    assert vars(architecture) == {
        **{"num_mr_blocks": 7, "num_res_blocks": 4, "features": 64, "gate": True},
        **{"batch_norm": False, "scale": 4, "bicubic_skip": False, "shared_slopes": False},
    }
    assert vars(config.objective) == {
        **{"pixel_loss": "mse", "lambda_pixel": 1.0, "lambda_adv": 1e-3, "lambda_vgg": 6e-3},
        **{"adversarial": True, "logarithm": False, "discriminator_batch_norm": True},
        **{"vgg_network": "vgg16", "vgg_layer": "block5_conv3", "vgg_before_relu": False},
        **{
            "vgg_weights": "imagenet",
            "vgg_layers": "",
            "vgg_distance": "mse",
            "vgg_shift": False,
            "discriminator_shift": False,
            "discriminator_patches": False,
            "discriminator_unet": False,
            "discriminator_filters": 64,
            "relativistic": False,
            "r1_gamma": 0.0,
            "r1_every": 16,
            "spectral_norm": False,
            "feature_scale": 0.0,
        },
        "lambda_lr": 0.0,
        "lambda_texture": 0.0,
        "lambda_grid": 0.0,
    }
    assert vars(config.optimizer) == {
        **{"learning_rate": 1e-4, "discriminator_learning_rate": 0.0, "beta_1": 0.9},
        **{"schedule": "constant", "decay_at": 0.5, "ema_decay": 0.0},
        **{"warmup_steps": 0, "discriminator_warmup": 0, "clip_norm": 0.0},
        **{"optimizer": "adam", "output_rate": 1.0, "beta_2": 0.999},
        **{"discriminator_beta_1": 0.9, "discriminator_beta_2": 0.999},
    }
    assert vars(config.initialization) == {"residual_scale": 1.0, "upsampler_init": "xavier"}
    assert vars(config.data) == {
        **{"data": "folder:photos", "val_dir": "", "crop_size": 96, "batch_size": 16},
        **{"flips": True, "rotations": False, "seed": 0},
        **{"degradation": "bicubic", "clean_share": 0.15, "crop_energy": 1.0},
        **{"teacher_dir": "", "teacher_weight": 0.5},
    }
    assert (config.run.run_dir, config.run.precision) == ("runs/mr", "float32")
    assert (config.run.init_generator, config.run.init_run) == ("", "")


OTHER_VALUES = {
    **{"num_mr_blocks": 4, "num_res_blocks": 3, "features": 32, "gate": False, "scale": 2},
    **{"batch_norm": True, "bicubic_skip": True, "shared_slopes": True},
    **{"pixel_loss": "l1", "lambda_pixel": 0.5},
    **{"lambda_adv": 0.25, "lambda_vgg": 0.125, "adversarial": False, "logarithm": True},
    **{"discriminator_batch_norm": False, "vgg_network": "vgg19", "vgg_layer": "block3_conv4"},
    **{
        "vgg_before_relu": True,
        "vgg_weights": "vgg.npz",
        "vgg_layers": "block1_conv2:0.5",
        "vgg_distance": "unit",
        "vgg_shift": True,
        "discriminator_shift": True,
        "discriminator_patches": True,
        "discriminator_unet": True,
        "discriminator_filters": 32,
        "relativistic": True,
        "r1_gamma": 2.0,
        "r1_every": 4,
        "spectral_norm": True,
    },
    **{"optimizer": "muon", "output_rate": 0.25, "beta_2": 0.75},
    **{"discriminator_beta_1": 0.375, "discriminator_beta_2": 0.625},
    **{"residual_scale": 0.0625, "upsampler_init": "icnr", "crop_energy": 0.5},
    **{"feature_scale": 0.75, "lambda_lr": 0.125, "lambda_texture": 0.0625, "lambda_grid": 0.25},
    **{"learning_rate": 3e-4, "discriminator_learning_rate": 2e-4, "schedule": "cosine"},
    **{"decay_at": 0.25, "beta_1": 0.5, "ema_decay": 0.99, "data": "folder:a", "val_dir": "v"},
    **{"crop_size": 48, "batch_size": 4, "flips": False, "rotations": True, "seed": 3},
    **{"degradation": "photo", "clean_share": 0.25},
    **{"teacher_dir": "", "teacher_weight": 0.125},
    **{"run_dir": "r", "steps": 100, "steps_per_epoch": 10, "precision": "bfloat16"},
    **{
        "init_generator": "g.weights.h5",
        "init_run": "",
        "checkpoint_every": 7,
        "keep_checkpoints": 3,
    },
    **{"devices": 3, "deterministic": True},
    **{"steps_per_call": 5, "warmup_steps": 6, "discriminator_warmup": 8, "clip_norm": 0.5},
}


def test_every_setting_is_a_flag(settings):
    arguments = [
        f"--{'' if value is not False else 'no'}{name}"
        + ("" if isinstance(value, bool) else f"={value}")
        for name, value in OTHER_VALUES.items()
    ]
    architecture, config = settings(*arguments)
    found = vars(architecture).copy()
    for part in vars(config).values():
        found.update(vars(part))
    assert found == OTHER_VALUES
    defaults = [GeneratorConfig(), *vars(mr_srgan.train.DEFAULTS).values()]
    for default in defaults:
        for name, value in dataclasses.asdict(default).items():
            # Else this test shows nothing. --init_run excludes --init_generator, --teacher_dir the
            # discriminator and the degradation.
            assert name in ("init_run", "teacher_dir") or OTHER_VALUES[name] != value
    _, config = settings("--data=folder:a", "--run_dir=r", "--init_run=other")
    assert config.run.init_run == "other"
    flags = "--data=folder:a", "--run_dir=r", "--noadversarial", "--teacher_dir=taught"
    assert settings(*flags)[1].data.teacher_dir == "taught"


# The generator's flags: numbers of weights, counted by hand.


def conv(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def num_weights(
    c: int = 4, blocks: int = 1, res: int = 1, gate: bool = True, norm: int = 0, doublings: int = 2
) -> int:
    """`norm`: numbers that a BatchNorm holds for each channel."""
    res_block = conv(3, c, c) + norm * c + c + conv(3, c, c) + norm * c
    block = res * res_block + (conv(1, res * c, c) if gate else 0)
    head, trunk = conv(3, 3, c) + c, conv(3, c, c) + norm * c
    upsampler = conv(3, c, 4 * c) + c
    return head + blocks * block + trunk + doublings * upsampler + conv(3, c, 3)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], num_weights()),
        (["--num_mr_blocks=3"], num_weights(blocks=3)),
        (["--num_res_blocks=2"], num_weights(res=2)),
        (["--num_res_blocks=2", "--nogate"], num_weights(res=2, gate=False)),
        (["--batch_norm"], num_weights(norm=4)),
        (["--features=6"], num_weights(c=6)),
        (["--scale=2"], num_weights(doublings=1)),
        (["--bicubic_skip"], num_weights()),
    ],
)
def test_the_generators_flags(start, flags, expected):
    started = start(*PIXEL_ONLY, *flags)
    generator = started.model.generator
    assert generator.count_params() == expected
    assert started.architecture.features == (6 if "--features=6" in flags else 4)
    scale = 2 if "--scale=2" in flags else 4
    lr, hr = started.dataset[0]
    assert generator(lr).shape == hr.shape == (2, 16, 16, 3)
    assert lr.shape == (2, 16 // scale, 16 // scale, 3)
    if "--bicubic_skip" in flags:  # untrained, it hardly adds to the interpolation
        assert np.abs(np.array(generator(np.full_like(lr, 0.5))) - 0.5).max() < 0.05


# The discriminator's.


def num_discriminator_weights(batch_norm: bool, crop: int = 16) -> int:
    channels = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    total = 0
    for number, (inputs, outputs) in enumerate(zip(channels, channels[1:], strict=False)):
        normalised = batch_norm and number > 0
        total += 9 * inputs * outputs + (4 * outputs if normalised else outputs)
    return total + (crop // 16) ** 2 * 512 * 1024 + 1024 + 1024 + 1


def test_the_discriminators_flags(start):
    model = start("--lambda_vgg=0").model
    assert model.discriminator.count_params() == num_discriminator_weights(True)
    model = start("--lambda_vgg=0", "--nodiscriminator_batch_norm", "--crop_size=32").model
    assert model.discriminator.count_params() == num_discriminator_weights(False, crop=32)


# The loss.


def vgg_features(images: np.ndarray, vgg_file: Path, relu: bool = True) -> np.ndarray:
    """block1_conv1 by hand, float64."""
    with np.load(vgg_file) as weights:
        kernel, bias = weights["block1_conv1_kernel"], weights["block1_conv1_bias"]
    caffe = (images[..., ::-1] + 1.0) * 127.5 - np.array([103.939, 116.779, 123.68])
    padded = np.pad(caffe, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    features = np.einsum("bhwcij,ijco->bhwo", windows, kernel.astype(np.float64)) + bias
    return np.maximum(features, 0) if relu else features


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def by_hand(model: Any, batch: Any, vgg_file: Path) -> dict[str, Any]:
    """What the networks make of a batch before they are updated, float64."""
    lr, hr = batch
    sr = np.array(model.generator(lr, training=True), np.float64)
    found = {"error": hr - sr}
    found["features"] = vgg_features(hr, vgg_file) - vgg_features(sr, vgg_file)
    for name, images in (("real", hr), ("fake", sr)):
        found[name] = np.array(model.discriminator(images, training=True), np.float64)
    return found


def test_the_papers_loss(start, vgg_file):
    """Eq. (2)-(5) at the default flags: MSE, no logarithm, λ1 = 1e-3, λ2 = 6e-3."""
    started = start()
    model, batch = started.model, started.dataset[0]
    hand = by_hand(model, batch, vgg_file)
    logs = step(model, batch)
    real, fake = sigmoid(hand["real"]), sigmoid(hand["fake"])
    scale = FEATURE_SCALE["vgg19", "block1_conv1", False]
    pixel, adversarial = np.mean(hand["error"] ** 2), -np.mean(fake)
    perceptual = scale * np.mean(hand["features"] ** 2)
    expected = {
        **{"pixel": pixel, "adversarial": adversarial, "perceptual": perceptual},
        "loss_g": pixel + 1e-3 * adversarial + 6e-3 * perceptual,
        **{"loss_d": np.mean(fake) - np.mean(real), "d_real": np.mean(real)},
        "d_fake": np.mean(fake),
    }
    assert logs.pop("grad_norm_g") > 0 and logs.pop("grad_norm_d") > 0
    assert logs == pytest.approx(expected, rel=1e-4)


def adam_states(adam: Any, kind: str) -> list[np.ndarray]:
    return [np.array(v) for v in adam.variables if v.path.endswith(kind)]


def test_the_flags_of_the_loss_and_of_the_optimizers(start, vgg_file):
    started = start(
        *("--lambda_pixel=0.7", "--lambda_adv=0.3", "--lambda_vgg=0.2", "--feature_scale=0.01"),
        *(
            "--pixel_loss=l1",
            "--logarithm",
            "--beta_1=0.5",
            "--discriminator_beta_1=0.5",
            "--ema_decay=0.75",
        ),
        *("--learning_rate=1e-3", "--discriminator_learning_rate=2e-3"),
    )
    model, batch = started.model, started.dataset[0]
    hand = by_hand(model, batch, vgg_file)
    pair = model.generator, model.discriminator
    before = [values(network) for network in pair]
    logs = step(model, batch)
    pixel = np.mean(np.abs(hand["error"]))
    adversarial = np.mean(-np.log(sigmoid(hand["fake"])))
    perceptual = 0.01 * np.mean(hand["features"] ** 2)
    expected = {
        **{"pixel": pixel, "adversarial": adversarial, "perceptual": perceptual},
        "loss_g": 0.7 * pixel + 0.3 * adversarial + 0.2 * perceptual,
        "loss_d": np.mean(-np.log(sigmoid(hand["real"])) - np.log(1 - sigmoid(hand["fake"]))),
    }
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    # Adam's first update is its learning rate wherever the gradient is not tiny.
    after = [values(network) for network in pair]
    for olds, news, rate in zip(before, after, (1e-3, 2e-3), strict=True):
        moves = [np.abs(new - old).max() for old, new in zip(olds, news, strict=True)]
        assert max(moves) == pytest.approx(rate, rel=1e-3)
    # Its moments are (1 - β1)·g and (1 - β2)·g², with β2 = 0.999; their norm says what g was.
    adams = model.optimizer.generator, model.optimizer.discriminator
    for adam, norm in zip(adams, (logs["grad_norm_g"], logs["grad_norm_d"]), strict=True):
        squares = sum(np.sum(m.astype(np.float64) ** 2) for m in adam_states(adam, "_momentum"))
        assert np.sqrt(squares) == pytest.approx(0.5 * norm, rel=1e-4)
        squares = sum(np.sum(v.astype(np.float64)) for v in adam_states(adam, "_velocity"))
        assert squares == pytest.approx(1e-3 * norm**2, rel=1e-3)
    # The average starts at the first update's weights.
    first = after[0]
    step(model, started.dataset[1])
    second = values(model.generator)
    with model.averaged_weights():
        for average, one, two in zip(values(model.generator), first, second, strict=True):
            np.testing.assert_allclose(average, 0.75 * one + 0.25 * two, rtol=1e-4, atol=1e-6)


def test_a_generator_without_a_loss_that_counts_stays_as_it_is(start):
    started = start("--lambda_pixel=0", "--lambda_adv=0", "--lambda_vgg=0")
    model = started.model
    before = [values(network) for network in (model.generator, model.discriminator)]
    logs = step(model, started.dataset[0])
    assert logs["grad_norm_g"] == 0 and "pixel" not in logs and "perceptual" not in logs
    for old, new in zip(before[0], values(model.generator), strict=True):
        np.testing.assert_array_equal(old, new)
    moved = zip(before[1], values(model.discriminator), strict=True)
    assert any(np.any(old != new) for old, new in moved)


def test_adversarial_off(start, vgg_file):
    started = start("--noadversarial", "--lambda_adv=7")
    model, (lr, hr) = started.model, started.dataset[0]
    assert model.discriminator is None and model.optimizer.discriminator is None
    sr = np.array(model.generator(lr, training=True), np.float64)
    features = vgg_features(hr, vgg_file) - vgg_features(sr, vgg_file)
    logs = step(model, (lr, hr))
    assert set(logs) == {"loss_g", "pixel", "perceptual", "grad_norm_g"}
    scale = FEATURE_SCALE["vgg19", "block1_conv1", False]
    expected = np.mean((hr - sr) ** 2) + 6e-3 * scale * np.mean(features**2)
    assert logs["loss_g"] == pytest.approx(expected, rel=1e-4)


def test_no_term_but_the_pixels(start):
    model = start(*PIXEL_ONLY).model
    assert model.discriminator is None and model.features is None


def test_the_flags_of_the_features(start, photo_dir, vgg_file, tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (1, 8, 6, 3)).astype(np.float32)
    for flags, relu in (([], True), (["--vgg_before_relu"], False)):
        model = start("--noadversarial", *flags).model
        found = np.array(model.features(images))
        np.testing.assert_allclose(
            found, vgg_features(images, vgg_file, relu), rtol=1e-4, atol=1e-3
        )
        assert (found.min() < 0) != relu
        assert model.feature_scale == FEATURE_SCALE["vgg19", "block1_conv1", not relu]
    # Two layers of VGG16, from another file.
    with np.load(vgg_file) as arrays:
        weights = dict(arrays)
    weights["block1_conv2_kernel"] = np.ones((3, 3, 64, 64), np.float32)
    weights["block1_conv2_bias"] = np.zeros(64, np.float32)
    np.savez(tmp_path / "vgg16.npz", **weights)
    model = start(
        *("--noadversarial", "--vgg_network=vgg16", "--vgg_layer=block1_conv2"),
        *(f"--vgg_weights={tmp_path / 'vgg16.npz'}", "--feature_scale=0.5"),
    ).model
    assert model.features.name == "vgg16_block1_conv2" and model.feature_scale == 0.5
    assert np.all(np.array(model.features.get_layer("block1_conv2").kernel) == 1)


# The optimizer's schedule, the data and the rest.


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], [1.0] * 8),
        (["--schedule=step"], [1.0] * 4 + [0.1] * 4),
        (["--schedule=step", "--decay_at=0.25"], [1.0] * 2 + [0.1] * 6),
        (["--schedule=cosine"], [(1 + np.cos(np.pi * n / 8)) / 2 for n in range(8)]),
    ],
)
def test_schedule(start, flags, expected):
    started = start(*PIXEL_ONLY, "--steps=8", "--learning_rate=0.5", *flags)
    adam = started.model.optimizer.generator
    rates = []
    for update in range(8):
        adam.iterations.assign(update)
        rates.append(float(adam.learning_rate))
    assert rates == pytest.approx([0.5 * share for share in expected], abs=1e-7)


@pytest.mark.parametrize(
    ("flags", "num_symmetries"),
    [([], 2), (["--noflips"], 1), (["--noflips", "--rotations"], 4), (["--rotations"], 8)],
)
def test_symmetries(start, tmp_path, flags, num_symmetries):
    (tmp_path / "one").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    write_rgb(tmp_path / "one" / "one.png", noise)
    folder = f"--data=folder:{tmp_path / 'one'}"
    _, hr = start(*PIXEL_ONLY, folder, "--batch_size=80", *flags).dataset[0]
    assert len({crop.tobytes() for crop in hr}) == num_symmetries


def test_crop_and_batch_size(start):
    lr, hr = start(*PIXEL_ONLY, "--crop_size=24", "--batch_size=5").dataset[0]
    assert lr.shape == (5, 6, 6, 3) and hr.shape == (5, 24, 24, 3)


def test_seed(start):
    first, again, other = (start(*PIXEL_ONLY, f"--seed={seed}") for seed in (3, 3, 4))
    for one, two in zip(values(first.model.generator), values(again.model.generator), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first.dataset[0][1], again.dataset[0][1])
    assert np.any(values(first.model.generator)[0] != values(other.model.generator)[0])
    assert np.any(first.dataset[0][1] != other.dataset[0][1])


def test_precision(start):
    model = start("--precision=bfloat16").model
    for network, layer in (
        (model.generator, "head_conv"),
        (model.discriminator, "conv1"),
        (model.features, "block1_conv1"),
    ):
        policy = network.get_layer(layer).dtype_policy
        assert (policy.compute_dtype, policy.variable_dtype) == ("bfloat16", "float32")
    assert model.generator(np.zeros((1, 4, 4, 3))).dtype == tf.float32


def test_init_generator(start, tmp_path):
    keras.utils.set_random_seed(99)
    tiny = GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
    trained = build_generator(tiny)
    save_weights(trained, tmp_path / "trained.weights.h5")
    flag = f"--init_generator={tmp_path / 'trained.weights.h5'}"
    model = start(*PIXEL_ONLY, flag).model
    for expected, found in zip(values(trained), values(model.generator), strict=True):
        np.testing.assert_array_equal(expected, found)


def test_the_preferences_of_other_programs_do_not_count(start, request):
    """keras.json may ask for another order of axes, and for another type of numbers."""
    request.addfinalizer(lambda: keras.config.set_image_data_format("channels_last"))
    request.addfinalizer(lambda: keras.config.set_floatx("float32"))
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    started = start("--lambda_vgg=0")
    assert {v.dtype for v in started.model.trainable_variables} == {"float32"}
    assert np.isfinite(step(started.model, started.dataset[0])["loss_g"])


def test_start_from_any_run(start, tmp_path):
    keras.utils.set_random_seed(98)
    tiny = GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
    trained = build_generator(tiny)
    other = tmp_path / "other"
    other.mkdir()
    save_weights(trained, other / "generator.weights.h5", tiny)
    (other / "config.json").write_text(json.dumps({"generator": dataclasses.asdict(tiny)}))
    model = start(*PIXEL_ONLY, f"--init_run={other}").model
    for expected, found in zip(values(trained), values(model.generator), strict=True):
        np.testing.assert_array_equal(expected, found)


def test_the_run(start, photo_dir):
    started = start(*PIXEL_ONLY, f"--val_dir={photo_dir}", "--steps=9", "--steps_per_epoch=3")
    assert len(started.dataset) == 3 and started.config.run.steps == 9
    assert started.validation.names == ("0", "1", "2")
    assert started.select_best  # Section 4.1: keep the best by SSIM
    assert start(*PIXEL_ONLY).validation is None


# What is refused.

USAGE = {
    "unknown flag": (["--speed=9"], "speed"),
    "argument": (["photos"], "unexpected argument 'photos'"),
    "not a number": (["--steps=many"], "--steps=many"),
    "not a choice": (["--pixel_loss=l3"], "--pixel_loss=l3"),
    "no steps": (["--steps=0"], "--steps must be at least 1, got 0"),
    "not finite": (["--learning_rate=nan"], "--learning_rate must be above 0, got nan"),
    "crop": (["--crop_size=40"], "--crop_size must divide by 16, got 40"),
    "crop and scale": ([*PIXEL_ONLY, "--crop_size=18"], "must divide by the scale 4, got 18"),
    "blocks": (["--num_mr_blocks=0"], "--num_mr_blocks must be at least 1, got 0"),
    "scale": ([*PIXEL_ONLY, "--scale=3"], "--scale must be 2, 4, 8"),
    "layer": (["--vgg_layer=block9_conv1"], "has no layer 'block9_conv1'"),
    "no term": ([*PIXEL_ONLY, "--lambda_pixel=0"], "no term left"),
    "source": (["--data=photos"], "write folder:DIR"),
    "two starts": (["--init_run=a", "--init_generator=b"], "or --init_generator, not both"),
    "another flag's initials": (["--lr=1e-3"], "did you mean --learning_rate?"),
}
DATA = {
    "no folder": (["--data=folder:missing"], "missing: no such folder"),
    "data before VGG": (["--data=folder:missing", "--vgg_weights=none.npz"], "missing: no such"),
    "no validation": ([*PIXEL_ONLY, "--val_dir=missing"], "missing: no such folder"),
    "no other run": (["--init_run=none"], "none: has no config.json"),
    "no start": (["--init_generator=none.weights.h5"], "none.weights.h5: no such weights file"),
    "no VGG": (["--vgg_weights=none.npz"], "none.npz: no such file"),
    "shallow VGG": (["--vgg_layer=block2_conv1"], "lacks vgg19 layer block1_conv2, block2_conv1"),
    "small": ([*PIXEL_ONLY, "--crop_size=64"], "no usable image"),
}


@pytest.mark.parametrize(
    ("code", "flags", "message"),
    [(2, *case) for case in USAGE.values()] + [(1, *case) for case in DATA.values()],
    ids=[*USAGE, *DATA],
)
def test_what_is_refused(call_program, capsys, photo_dir, vgg_file, tmp_path, code, flags, message):
    given = f"--data=folder:{photo_dir}", f"--run_dir={tmp_path / 'run'}"
    weights = f"--vgg_weights={vgg_file}"
    found = call_program(mr_srgan.train.cli_main, *given, weights, *TINY, *flags)
    error = capsys.readouterr().err
    assert (found, len(error.splitlines())) == (code, 1), error
    assert message in error
    assert not (tmp_path / "run").exists()


def test_a_file_in_the_place_of_the_run_folder(call_program, capsys, photo_dir, tmp_path):
    run = tmp_path / "run"
    run.touch()
    flags = f"--data=folder:{photo_dir}", f"--run_dir={run}", "--vgg_weights=none.npz", *TINY
    assert call_program(mr_srgan.train.cli_main, *flags) == 2
    assert f"--run_dir={run} is a file; name a folder" in capsys.readouterr().err


def test_what_is_required(call_program, capsys):
    for flags, message in (
        (["--run_dir=run"], "--data is required"),
        (["--data=folder:photos"], "--run_dir is required"),
    ):
        assert call_program(mr_srgan.train.cli_main, *flags) == 2
        assert message in capsys.readouterr().err


# As a person calls it.


def program(environment: dict[str, str], folder: Path, *arguments: object) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "mr_srgan.train", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_help(subprocess_environment, tmp_path):
    for flag in ("--help", "--helpfull"):
        done = program(subprocess_environment, tmp_path, flag)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Trains MR-SRGAN")
        text = " ".join(done.stdout.split())
        for part in (GeneratorConfig(), *vars(mr_srgan.train.DEFAULTS).values()):
            for field in dataclasses.fields(part):
                boolean = isinstance(field.default, bool)
                shown = f"--{'[no]' if boolean else ''}{field.name}: "
                choices = "|".join(field.metadata["choices"])
                shown += f"<{choices}>: " if choices else ""
                assert shown + " ".join(field.metadata["help"].split()) in text, field.name


def test_a_wrong_command_is_one_line(subprocess_environment, tmp_path):
    done = program(subprocess_environment, tmp_path, "--data=folder:photos", "--steps=1")
    assert done.returncode == 2
    assert done.stderr == (
        "mr_srgan.train: --run_dir is required: the folder of this run's results (see --help)\n"
    )


def test_missing_data_is_one_line(subprocess_environment, tmp_path):
    done = program(
        subprocess_environment, tmp_path, "--data=folder:photos", "--run_dir=run", *PIXEL_ONLY
    )
    assert done.returncode == 1
    message = "mr_srgan.train: photos: no such folder; name a folder of images\n"
    assert done.stderr == message
    assert list(tmp_path.iterdir()) == []


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for_a_row(process: subprocess.Popen, folder: Path) -> None:
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if (folder / "losses.csv").exists() and rows_of(folder):
            return
        time.sleep(0.005)
    pytest.fail(f"no update was made: {process.communicate()}")


def assert_whole_run(folder: Path, num_steps: int) -> None:
    rows = rows_of(folder)
    assert list(rows[0])[0] == "step"
    assert [int(row["step"]) for row in rows] == list(range(1, num_steps + 1))
    names = {"loss_g", "pixel", "adversarial", "perceptual", "loss_d", "d_real", "d_fake"}
    names |= {"grad_norm_g", "grad_norm_d", "learning_rate_g", "learning_rate_d"}
    assert set(rows[0]) == names | {"step"}
    for row in rows:
        for name in names:
            value = float(row[name])
            assert np.isfinite(value) and float(np.float32(value)) == value  # nothing is cut off
            assert repr(value) == row[name]
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".lock", "best.json", "checkpoints", "config.json", "discriminator.weights.h5"),
        *("events", "generator.weights.h5", "losses.csv", "scores.csv"),
    ]
    assert not list(folder.rglob(".tmp*"))
    found = {}
    for path in sorted((folder / "events").iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
    strips = {f"validation/{number}" for number in range(3)}
    assert set(found) == {f"train/{name}" for name in names} | strips | {
        "validation/psnr",
        "validation/ssim",
    }
    for name in names:
        assert found[f"train/{name}"] == {int(row["step"]): float(row[name]) for row in rows}


NUM_STEPS = 100


def test_interrupted_and_continued(
    call_program, subprocess_environment, photo_dir, vgg_file, tmp_path
):
    """Ctrl-C within an epoch, the same command again, and an uninterrupted run to compare with."""
    flags = [
        *(f"--data=folder:{photo_dir}", f"--val_dir={photo_dir}", f"--vgg_weights={vgg_file}"),
        *(*TINY, f"--steps={NUM_STEPS}", "--steps_per_epoch=70", "--learning_rate=1e-6"),
    ]
    folder = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-m", "mr_srgan.train", *flags, "--run_dir=run"],
        cwd=tmp_path,
        env=subprocess_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for_a_row(process, folder)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=300)
    assert process.returncode == 130, error
    last = int(rows_of(folder)[-1]["step"])
    assert last < NUM_STEPS and f"stopped at step {last}; the same command continues" in error
    assert "Traceback" not in error
    checkpoints = [path.name for path in (folder / "checkpoints").iterdir()]
    assert f"step-{last:08d}.npz" in checkpoints
    assert not list(folder.rglob(".tmp*"))

    done = program(subprocess_environment, tmp_path, *flags, "--run_dir=run")
    assert done.returncode == 0, done.stderr
    assert f"continuing after step {last} of {NUM_STEPS}" in done.stderr
    assert "it/s" not in done.stderr and done.stdout == ""  # no progress bar in a pipe
    assert_whole_run(folder, NUM_STEPS)
    settings = json.loads((folder / "config.json").read_text())
    assert settings["generator"]["num_mr_blocks"] == 1
    assert settings["optimizer"]["learning_rate"] == 1e-6

    other = tmp_path / "uninterrupted"
    assert call_program(mr_srgan.train.cli_main, *flags, f"--run_dir={other}") == 0
    for found, expected in zip(rows_of(folder), rows_of(other), strict=True):
        assert {key: float(found[key]) for key in found} == pytest.approx(
            {key: float(expected[key]) for key in expected}, rel=1e-5, abs=1e-5
        )


def test_another_setting_in_the_same_folder(call_program, capsys, caplog, photo_dir, tmp_path):
    flags = [f"--data=folder:{photo_dir}", f"--run_dir={tmp_path}", *TINY, *PIXEL_ONLY]
    assert call_program(mr_srgan.train.cli_main, *flags) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert call_program(mr_srgan.train.cli_main, *flags, "--seed=5", "--nogate") == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "(--gate was True, is False, --seed was 0, is 5)" in error
    assert {path: path.read_bytes() for path in before} == before
    checkpoint = tmp_path / "checkpoints" / "step-00000004.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:2000])
    with caplog.at_level("INFO", "absl"):
        assert call_program(mr_srgan.train.cli_main, *flags, "--steps=6") == 0
    assert f"{checkpoint}: this checkpoint is damaged" in caplog.text
    assert "continuing after step 2 of 6" in caplog.text


# The recipes.


RECIPE_HEADER = {
    "duration": r"\d\s?(s|min|minutes|h|hours)\b",
    "machine": r"\b(cores?|CPUs?|GPUs?)\b",
    "score": r"\d\s?dB\b",
}


def recipes(repository: Path) -> list[Path]:
    configs = repository / "configs"
    ablations = (configs / "ablations").glob("mr_*.cfg")
    return sorted([*(configs / "mr_srgan").glob("*.cfg"), *ablations])


def test_recipes_are_read(settings, repository):
    assert recipes(repository)
    for path in recipes(repository):
        _, config = settings("--data=folder:photos", "--run_dir=run", f"--flagfile={path}")
        assert config.run.steps < 500_000  # something of it has arrived


def test_recipes_say_what_they_are(repository):
    for path in recipes(repository):
        lines = path.read_text().splitlines()
        header = "\n".join(line for line in lines if line.startswith("#"))
        assert lines[0].startswith("#"), path.name
        assert "python -m mr_srgan.train" in header, path.name
        assert f"--flagfile={path.relative_to(repository)}" in header, path.name
        for what, pattern in RECIPE_HEADER.items():
            assert re.search(pattern, header), f"{path.name}: the header does not give the {what}"
