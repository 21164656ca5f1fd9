"""Every flag is followed to where it counts, and both stages are run as a person runs them."""

import csv
import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

import wp_srgan.train
from sr_images.image_io import write_rgb
from srgan.runs.branch import Branch
from srgan.runs.run import Run
from srgan.runs.weights import save_weights
from srgan.vgg.features import FEATURE_SCALE
from wp_srgan.config import GeneratorConfig
from wp_srgan.generator import build_generator

TINY = (
    *("--features=4", "--num_res_blocks=1", "--crop_size=16", "--batch_size=2"),
    *("--vgg_network=vgg19", "--vgg_layer=block1_conv1"),
)
SHORT = ("--steps=4", "--steps_per_epoch=2")
PIXEL_ONLY = ("--stage=1", "--noadversarial")


@pytest.fixture
def settings(call_program, monkeypatch):
    """Reads a command line; gives the stage, the architecture and the run that it asks for."""

    def settings(*arguments: object) -> tuple[int, GeneratorConfig, Any]:
        found = []

        def train_branch(branch: Branch, *configs: Any) -> int:
            found.extend([branch.stage, *configs])
            return 0

        with monkeypatch.context() as patch:
            patch.setattr("srgan.runs.start.train_branch", train_branch)
            patch.setattr(wp_srgan.train, "check_places", lambda *_: None)
            patch.setattr(wp_srgan.train, "stage_1_of", lambda *_: Path("stage1"))
            assert call_program(wp_srgan.train.cli_main, *arguments) == 0
        stage, architecture, config, start = found
        assert start == (Path("stage1") if stage == 2 and not config.run.init_run else None)
        return stage, architecture, config

    return settings


@pytest.fixture
def start(call_program, monkeypatch, photo_dir, vgg_file, tmp_path):
    """Starts a tiny training up to its loop; gives what the loop would get."""

    def start(*arguments: object) -> Run:
        found: list[Run] = []

        def train(run: Run) -> int:
            found.append(run)
            return 0

        given = f"--data=folder:{photo_dir}", f"--run_dir={tmp_path / 'run'}"
        tiny = f"--vgg_weights={vgg_file}", *TINY, *SHORT
        with monkeypatch.context() as patch:
            patch.setattr("srgan.runs.start.train", train)
            assert not call_program(wp_srgan.train.cli_main, *given, *tiny, *arguments)
        return found[0]

    return start


def values(network: Any) -> list[np.ndarray]:
    return [np.array(v) for v in network.trainable_variables]


def step(model: Any, batch: Any) -> dict[str, float]:
    return {name: float(value) for name, value in model.train_step(batch).items()}


# The defaults.


@pytest.mark.parametrize(
    ("number", "weights"),
    [
        (1, {"lambda_pixel": 1.0, "lambda_adv": 1e-3, "lambda_vgg": 0.0}),  # Eq. (6)
        (2, {"lambda_pixel": 0.0, "lambda_adv": 1e-3, "lambda_vgg": 6e-3}),  # Eq. (7)
    ],
)
def test_defaults_are_the_papers(settings, number, weights):
    """Sections 3.3 and 4.1, as SPEC reads them."""
    stage, architecture, config = settings(
        f"--stage={number}", "--data=folder:photos", "--run_dir=runs/wp"
    )
    assert stage == number
    assert vars(architecture) == {
        **{"num_res_blocks": 16, "features": 64, "batch_norm": False, "scale": 4},
        **{"bicubic_skip": False, "shared_slopes": False},
    }
    assert vars(config.objective) == {
        **weights,
        **{"pixel_loss": "mse", "adversarial": True, "logarithm": True},
        **{"discriminator_batch_norm": False, "vgg_network": "vgg19"},
        **{"vgg_layer": "block5_conv4", "vgg_before_relu": False, "vgg_weights": "imagenet"},
        **{
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
    # The rate is divided by 10 after 2.5e5 of 5e5 iterations.
    assert vars(config.optimizer) == {
        **{"learning_rate": 1e-4, "discriminator_learning_rate": 0.0, "beta_1": 0.9},
        **{"schedule": "step", "decay_at": 0.5, "ema_decay": 0.0},
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
    assert vars(config.run) == {
        **{"run_dir": f"runs/wp/stage{number}", "steps": 500_000, "steps_per_epoch": 500},
        **{"precision": "float32", "init_generator": "", "init_run": ""},
        **{"checkpoint_every": 0, "keep_checkpoints": 2, "steps_per_call": 1},
        **{"devices": 1, "deterministic": False},
    }


def test_weights_that_are_given_outweigh_the_stages(settings, tmp_path):
    places = "--data=folder:photos", "--run_dir=run"

    def weights(*flags: str) -> tuple[float, float]:
        objective = settings(*places, *flags)[2].objective
        return objective.lambda_pixel, objective.lambda_vgg

    assert weights("--stage=1", "--lambda_pixel=0.5") == (0.5, 0.0)
    assert weights("--stage=2", "--lambda_pixel=0.01") == (0.01, 6e-3)
    assert weights("--stage=2", "--lambda_vgg=0") == (0.0, 0.0)
    (tmp_path / "recipe.cfg").write_text("--stage=2\n--lambda_pixel=0.25\n--lambda_vgg=0.5\n")
    assert weights(f"--flagfile={tmp_path / 'recipe.cfg'}") == (0.25, 0.5)


OTHER_VALUES = {
    **{"num_res_blocks": 3, "features": 32, "scale": 2, "batch_norm": True},
    **{"bicubic_skip": True, "shared_slopes": True},
    **{"pixel_loss": "l1", "lambda_pixel": 0.5, "lambda_adv": 0.25},
    **{"lambda_vgg": 0.125, "adversarial": False, "logarithm": False},
    **{"discriminator_batch_norm": True, "vgg_network": "vgg16", "vgg_layer": "block3_conv3"},
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
    **{"teacher_weight": 0.125},
    **{"run_dir": "r", "steps": 100, "steps_per_epoch": 10, "precision": "bfloat16"},
    **{"init_run": "other", "checkpoint_every": 7, "keep_checkpoints": 3, "steps_per_call": 5},
    **{"devices": 3, "deterministic": True},
    **{"warmup_steps": 6, "discriminator_warmup": 8, "clip_norm": 0.5},
}


def test_every_setting_is_a_flag(settings):
    arguments = [
        f"--{'' if value is not False else 'no'}{name}"
        + ("" if isinstance(value, bool) else f"={value}")
        for name, value in OTHER_VALUES.items()
    ]
    stage, architecture, config = settings("--stage=2", *arguments)
    found = vars(architecture).copy()
    for part in vars(config).values():
        found.update(vars(part))
    assert stage == 2 and found.pop("init_generator") == found.pop("teacher_dir") == ""
    assert found == {**OTHER_VALUES, "run_dir": "r/stage2"}
    flag = "--init_generator=g.weights.h5"
    _, _, config = settings("--stage=1", "--data=folder:a", "--run_dir=r", flag)
    assert config.run.init_generator == "g.weights.h5"
    flags = "--noadversarial", "--teacher_dir=taught"
    _, _, config = settings("--stage=1", "--data=folder:a", "--run_dir=r", *flags)
    assert config.data.teacher_dir == "taught"
    for default in (GeneratorConfig(), *vars(wp_srgan.train.DEFAULTS).values()):
        for name, value in dataclasses.asdict(default).items():
            assert name in ("init_generator", "teacher_dir") or OTHER_VALUES[name] != value


# The networks' flags: numbers of weights, counted by hand.


def conv(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def num_weights(c: int = 4, res: int = 1, norm: int = 0, doublings: int = 2) -> int:
    """`norm`: numbers that a BatchNorm holds for each channel."""
    res_block = conv(3, c, c) + norm * c + c + conv(3, c, c) + norm * c
    head, trunk = conv(9, 3, c) + c, conv(3, c, c) + norm * c
    return head + res * res_block + trunk + doublings * (conv(3, c, 4 * c) + c) + conv(9, c, 3)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], num_weights()),
        (["--num_res_blocks=3"], num_weights(res=3)),
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
    lr, hr = started.dataset[0]
    scale = 2 if "--scale=2" in flags else 4
    assert lr.shape == (2, 16 // scale, 16 // scale, 3)
    assert generator(lr).shape == hr.shape == (2, 16, 16, 3)
    if "--bicubic_skip" in flags:  # untrained, it hardly adds to the interpolation
        assert np.abs(np.array(generator(np.full_like(lr, 0.5))) - 0.5).max() < 0.05


def test_the_discriminators_flags(start):
    channels = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    pairs = list(zip(channels, channels[1:], strict=False))
    kernels = sum(9 * inputs * outputs for inputs, outputs in pairs)
    dense = 512 * 1024 + 1024 + 1024 + 1
    plain, normalised = sum(channels[1:]), 64 + 4 * sum(channels[2:])
    model = start("--stage=1").model
    assert model.discriminator.count_params() == kernels + plain + dense
    model = start("--stage=1", "--discriminator_batch_norm").model
    assert model.discriminator.count_params() == kernels + normalised + dense


# The loss.


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def vgg_features(images: np.ndarray, vgg_file: Path) -> np.ndarray:
    """block1_conv1 after its ReLU by hand, float64."""
    with np.load(vgg_file) as weights:
        kernel, bias = weights["block1_conv1_kernel"], weights["block1_conv1_bias"]
    caffe = (images[..., ::-1] + 1.0) * 127.5 - np.array([103.939, 116.779, 123.68])
    padded = np.pad(caffe, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.maximum(np.einsum("bhwcij,ijco->bhwo", windows, kernel.astype(np.float64)) + bias, 0)


def by_hand(model: Any, batch: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """G(lr), D(hr) and D(G(lr)) before an update; probabilities, float64."""
    lr, hr = batch
    sr = model.generator(lr, training=True)
    logits = [np.array(model.discriminator(images, training=True)) for images in (hr, sr)]
    real, fake = (sigmoid(each.astype(np.float64)) for each in logits)
    return np.array(sr, np.float64), real, fake


def test_stage_1_at_the_papers_flags(start):
    """Eq. (6): L_pixel + λ1·L_adv, with the logarithm of Eq. (8)."""
    started = start("--stage=1")
    model, (lr, hr) = started.model, started.dataset[0]
    assert model.features is None and not started.select_best
    sr, real, fake = by_hand(model, (lr, hr))
    logs = step(model, (lr, hr))
    pixel, adversarial = np.mean((hr - sr) ** 2), np.mean(-np.log(fake))
    expected = {
        **{"pixel": pixel, "adversarial": adversarial, "loss_g": pixel + 1e-3 * adversarial},
        "loss_d": np.mean(-np.log(real) - np.log(1 - fake)),
        **{"d_real": np.mean(real), "d_fake": np.mean(fake)},
    }
    assert set(logs) == {*expected, "grad_norm_g", "grad_norm_d"}
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_the_flags_of_the_loss_and_of_the_optimizers(start):
    started = start(
        *("--stage=1", "--lambda_pixel=0.7", "--lambda_adv=0.3", "--pixel_loss=l1"),
        *("--nologarithm", "--learning_rate=1e-3", "--discriminator_learning_rate=2e-3"),
        *("--beta_1=0.5", "--discriminator_beta_1=0.5", "--ema_decay=0.75"),
    )
    model, (lr, hr) = started.model, started.dataset[0]
    sr, real, fake = by_hand(model, (lr, hr))
    pair = model.generator, model.discriminator
    before = [values(network) for network in pair]
    logs = step(model, (lr, hr))
    pixel, adversarial = np.mean(np.abs(hr - sr)), -np.mean(fake)
    expected = {
        **{"pixel": pixel, "adversarial": adversarial},
        **{"loss_g": 0.7 * pixel + 0.3 * adversarial, "loss_d": np.mean(fake) - np.mean(real)},
    }
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-4, abs=1e-7)
    # Adam's first update is its learning rate wherever the gradient is not tiny.
    for network, olds, rate in zip(pair, before, (1e-3, 2e-3), strict=True):
        pairs = zip(olds, values(network), strict=True)
        assert max(np.abs(new - old).max() for old, new in pairs) == pytest.approx(rate, rel=1e-2)
    adams = model.optimizer.generator, model.optimizer.discriminator
    assert [adam.beta_1 for adam in adams] == [0.5, 0.5]
    # The average starts at the first update's weights.
    first = values(model.generator)
    step(model, started.dataset[1])
    second = values(model.generator)
    with model.averaged_weights():
        for average, one, two in zip(values(model.generator), first, second, strict=True):
            np.testing.assert_allclose(average, 0.75 * one + 0.25 * two, rtol=1e-4, atol=1e-6)


def test_adversarial_off(start):
    started = start(*PIXEL_ONLY)
    model, (lr, hr) = started.model, started.dataset[0]
    assert model.discriminator is None
    sr = np.array(model.generator(lr), np.float64)
    logs = step(model, (lr, hr))
    assert set(logs) == {"loss_g", "pixel", "grad_norm_g"}
    assert logs["loss_g"] == logs["pixel"] == pytest.approx(np.mean((hr - sr) ** 2), rel=1e-4)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], [1.0] * 4 + [0.1] * 4),
        (["--decay_at=0.25"], [1.0] * 2 + [0.1] * 6),
        (["--schedule=constant"], [1.0] * 8),
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


def test_the_datas_flags(start, photo_dir, tmp_path):
    lr, hr = start(*PIXEL_ONLY, "--crop_size=24", "--batch_size=5").dataset[0]
    assert lr.shape == (5, 6, 6, 3) and hr.shape == (5, 24, 24, 3)
    (tmp_path / "one").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    write_rgb(tmp_path / "one" / "one.png", noise)
    for flags, num_symmetries in (([], 2), (["--noflips"], 1), (["--rotations"], 8)):
        folder = f"--data=folder:{tmp_path / 'one'}"
        _, hr = start(*PIXEL_ONLY, folder, "--batch_size=80", *flags).dataset[0]
        assert len({crop.tobytes() for crop in hr}) == num_symmetries
    started = start(*PIXEL_ONLY, f"--val_dir={photo_dir}", "--steps=9", "--steps_per_epoch=3")
    assert len(started.dataset) == 3 and started.validation.names == ("0", "1", "2")


def test_seed(start):
    first, again, other = (start(*PIXEL_ONLY, f"--seed={seed}") for seed in (3, 3, 4))
    for one, two in zip(values(first.model.generator), values(again.model.generator), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first.dataset[0][1], again.dataset[0][1])
    assert np.any(values(first.model.generator)[0] != values(other.model.generator)[0])
    assert np.any(first.dataset[0][1] != other.dataset[0][1])


def test_precision_and_init_generator(start, tmp_path):
    trained = build_generator(GeneratorConfig(num_res_blocks=1, features=4))
    save_weights(trained, tmp_path / "trained.weights.h5")
    flag = f"--init_generator={tmp_path / 'trained.weights.h5'}"
    model = start("--stage=1", "--precision=bfloat16", flag).model
    for network, layer in ((model.generator, "head_conv"), (model.discriminator, "conv1")):
        policy = network.get_layer(layer).dtype_policy
        assert (policy.compute_dtype, policy.variable_dtype) == ("bfloat16", "float32")
    assert model.generator(np.zeros((1, 4, 4, 3))).dtype == tf.float32
    for expected, found in zip(values(trained), values(model.generator), strict=True):
        np.testing.assert_array_equal(expected, found)


# What is refused.

USAGE = {
    "no stage": ([], "--stage=1 or --stage=2 is required"),
    "stage 3": (["--stage=3"], "--stage=3"),
    "unknown flag": (["--stage=1", "--gate"], "gate"),  # MR-SRGAN's
    "argument": (["--stage=1", "photos"], "unexpected argument 'photos'"),
    "not a number": (["--stage=1", "--learning_rate=fast"], "--learning_rate=fast"),
    "β1": (["--stage=1", "--beta_1=1"], "--beta_1 must be in [0, 1), got 1.0"),
    "no term": ([*PIXEL_ONLY, "--lambda_pixel=0"], "no term left"),
    "φ in stage 1": (["--stage=1", "--lambda_vgg=0.1"], "--lambda_vgg belongs to stage 2"),
    "start of stage 2": (["--stage=2", "--init_generator=g.h5"], "belongs to stage 1"),
}
DATA = {
    "no folder": ([*PIXEL_ONLY, "--data=folder:missing"], "missing: no such folder"),
    "no validation": ([*PIXEL_ONLY, "--val_dir=missing"], "missing: no such folder"),
    "no start": ([*PIXEL_ONLY, "--init_generator=x.h5"], "x.h5: no such weights file"),
}


@pytest.mark.parametrize(
    ("code", "flags", "message"),
    [(2, *case) for case in USAGE.values()] + [(1, *case) for case in DATA.values()],
    ids=[*USAGE, *DATA],
)
def test_what_is_refused(call_program, capsys, photo_dir, tmp_path, code, flags, message):
    given = f"--data=folder:{photo_dir}", f"--run_dir={tmp_path / 'run'}", *TINY, *SHORT
    found = call_program(wp_srgan.train.cli_main, *given, *flags)
    error = capsys.readouterr().err
    assert (found, len(error.splitlines())) == (code, 1), error
    assert message in error
    assert not (tmp_path / "run").exists()


# As a person calls it.


def program(environment: dict[str, str], folder: Path, *arguments: object) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "wp_srgan.train", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def weights_of(path: Path) -> dict[str, np.ndarray]:
    found = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.array(item)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def test_help(subprocess_environment, tmp_path):
    for flag in ("--help", "--helpfull"):
        done = program(subprocess_environment, tmp_path, flag)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Trains WP-SRGAN")
        text = " ".join(done.stdout.split())
        assert "--stage: <1|2>: 1: Eq. (6). 2: Eq. (7), from stage 1." in text
        for part in (GeneratorConfig(), *vars(wp_srgan.train.DEFAULTS).values()):
            for field in dataclasses.fields(part):
                boolean = isinstance(field.default, bool)
                shown = f"--{'[no]' if boolean else ''}{field.name}: "
                choices = "|".join(field.metadata["choices"])
                shown += f"<{choices}>: " if choices else ""
                assert shown + " ".join(field.metadata["help"].split()) in text, field.name


def test_a_wrong_command_is_one_line(subprocess_environment, tmp_path):
    done = program(subprocess_environment, tmp_path, "--data=folder:photos", "--run_dir=run")
    assert done.returncode == 2
    message = "wp_srgan.train: --stage=1 or --stage=2 is required (see --help)\n"
    assert done.stderr == message


def test_stage_1_stopped_by_sigterm_and_continued(stage1, call_program, tmp_path):
    assert stage1.exit_codes == (143, 0), stage1.errors
    stopped, continued = stage1.errors
    assert 0 < stage1.last_step < stage1.num_steps
    assert f"stopped at step {stage1.last_step}; the same command continues" in stopped
    assert f"continuing after step {stage1.last_step} of {stage1.num_steps}" in continued
    assert "Traceback" not in stopped + continued
    assert f"step-{stage1.last_step:08d}.npz" in stage1.files
    assert not any(name.startswith(".tmp") for name in stage1.files)
    folder = stage1.run_dir / "stage1"
    assert [path.name for path in stage1.run_dir.iterdir()] == ["stage1"]
    assert not list(folder.rglob(".tmp*"))
    rows = rows_of(folder)
    assert [int(row["step"]) for row in rows] == list(range(1, stage1.num_steps + 1))
    # An uninterrupted run computes the same.
    code = call_program(wp_srgan.train.cli_main, *stage1.flags, f"--run_dir={tmp_path}")
    assert code == 0
    for found, expected in zip(rows, rows_of(tmp_path / "stage1"), strict=True):
        assert {key: float(found[key]) for key in found} == pytest.approx(
            {key: float(expected[key]) for key in expected}, rel=1e-5, abs=1e-5
        )


def test_stage_2_from_stage_1(stage1, subprocess_environment, photo_dir, vgg_file, tmp_path):
    shutil.copytree(stage1.run_dir, tmp_path / "run")
    flags = [f"--data=folder:{photo_dir}", f"--vgg_weights={vgg_file}", *TINY, "--run_dir=run"]
    # At so small a rate the networks stay where stage 1 left them.
    rate = ["--learning_rate=1e-12", "--schedule=constant"]
    done = program(subprocess_environment, tmp_path, "--stage=2", *flags, *SHORT, *rate)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["stage1", "stage2"]
    folder = tmp_path / "run" / "stage2"
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".lock", "checkpoints", "config.json", "discriminator.weights.h5", "events"),
        *("generator.weights.h5", "losses.csv"),
    ]
    for name in ("generator.weights.h5", "discriminator.weights.h5"):
        expected = weights_of(stage1.run_dir / "stage1" / name)
        found = weights_of(folder / name)
        assert set(found) == set(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-6, atol=1e-10)
    rows = rows_of(folder)
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert set(rows[0]) == {
        *("step", "loss_g", "adversarial", "perceptual", "loss_d", "d_real", "d_fake"),
        *("grad_norm_g", "grad_norm_d", "learning_rate_g", "learning_rate_d"),
    }
    for row in rows:  # Eq. (7)
        expected = 1e-3 * float(row["adversarial"]) + 6e-3 * float(row["perceptual"])
        assert float(row["loss_g"]) == pytest.approx(expected, rel=1e-5)


def test_the_first_step_of_stage_2_by_hand(stage1, start, vgg_file):
    started = start("--stage=2", f"--run_dir={stage1.run_dir}", "--lambda_pixel=0.5")
    assert Path(started.config.run.run_dir) == stage1.run_dir / "stage2"
    model, (lr, hr) = started.model, started.dataset[0]
    trained = build_generator(GeneratorConfig(num_res_blocks=1, features=4))
    trained.load_weights(stage1.run_dir / "stage1" / "generator.weights.h5")
    for expected, found in zip(values(trained), values(model.generator), strict=True):
        np.testing.assert_array_equal(expected, found)
    sr, _, fake = by_hand(model, (lr, hr))
    scale = FEATURE_SCALE["vgg19", "block1_conv1", False]
    difference = vgg_features(hr, vgg_file) - vgg_features(sr, vgg_file)
    expected = {
        "pixel": np.mean((hr - sr) ** 2),
        "adversarial": np.mean(-np.log(fake)),
        "perceptual": scale * np.mean(difference**2),
    }
    logs = step(model, (lr, hr))
    assert {name: logs[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    weights = zip((0.5, 1e-3, 6e-3), expected.values(), strict=True)
    assert logs["loss_g"] == pytest.approx(sum(w * v for w, v in weights), rel=1e-4)


def test_stage_2_starts_from_any_run(stage1, start, tmp_path):
    """Also from a stage 2, in a run folder of its own that holds no stage 1."""
    other = tmp_path / "other"
    shutil.copytree(stage1.run_dir / "stage1", other)
    model = start("--stage=2", f"--init_run={other}").model
    for name in ("generator", "discriminator"):
        found = sorted(np.array(v).tobytes() for v in getattr(model, name).variables)
        expected = sorted(v.tobytes() for v in weights_of(other / f"{name}.weights.h5").values())
        assert found == expected


def test_stage_2_without_stage_1(call_program, capsys, stage1, photo_dir, vgg_file, tmp_path):
    run = tmp_path / "run"
    flags = f"--data=folder:{photo_dir}", f"--vgg_weights={vgg_file}", f"--run_dir={run}"
    command = f"python -m wp_srgan.train --stage=1 --run_dir={run}"

    def refusal() -> str:
        assert call_program(wp_srgan.train.cli_main, "--stage=2", *flags, *TINY, *SHORT) == 1
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and command in error
        assert not (run / "stage2").exists()
        return error

    assert "generator.weights.h5" in refusal()
    (run / "stage1").mkdir(parents=True)
    shutil.copy(stage1.run_dir / "stage1" / "generator.weights.h5", run / "stage1")
    error = refusal()
    assert "discriminator.weights.h5" in error and "with the adversarial loss on" in error


def test_another_setting_in_the_same_folder(call_program, capsys, stage1):
    run = f"--run_dir={stage1.run_dir}"
    before = (stage1.run_dir / "stage1" / "config.json").read_bytes()
    flags = *stage1.flags, run, "--nologarithm", "--beta_1=0.5"
    assert call_program(wp_srgan.train.cli_main, *flags) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "(--beta_1 was 0.9, is 0.5, --logarithm was True, is False)" in error
    assert (stage1.run_dir / "stage1" / "config.json").read_bytes() == before


# The recipes.

RECIPE_HEADER = {
    "duration": r"\d\s?(s|min|minutes|h|hours)\b",
    "machine": r"\b(cores?|CPUs?|GPUs?)\b",
    "score": r"\d\s?dB\b",
}


def recipes(repository: Path) -> list[Path]:
    configs = repository / "configs"
    ablations = (configs / "ablations").glob("wp_*.cfg")
    return sorted([*(configs / "wp_srgan").glob("*.cfg"), *ablations])


def test_recipes_are_read(settings, repository):
    assert recipes(repository)
    for path in recipes(repository):
        stage, _, config = settings("--data=folder:photos", "--run_dir=run", f"--flagfile={path}")
        assert f"--stage={stage}" in path.read_text().split()
        assert config.run.steps < 500_000  # something of it has arrived


def test_recipes_say_what_they_are(repository):
    for path in recipes(repository):
        lines = path.read_text().splitlines()
        header = "\n".join(line for line in lines if line.startswith("#"))
        assert lines[0].startswith("#"), path.name
        assert "python -m wp_srgan.train" in header, path.name
        assert f"--flagfile={path.relative_to(repository)}" in header, path.name
        for what, pattern in RECIPE_HEADER.items():
            assert re.search(pattern, header), f"{path.name}: the header does not give the {what}"
