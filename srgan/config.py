"""How a branch is trained: frozen settings, each with the help text of its flag.

The paper's values are the defaults (Section 4.1); a branch's `train.py` replaces those that
differ between the branches.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from cli.errors import UsageError
from cli.precision import PRECISIONS
from srgan.feature_terms import parse_feature_terms


def setting(default: Any, help_text: str, choices: tuple[str, ...] = ()) -> Any:
    """A dataclass field with the help text, and the choices, of the flag made from it."""
    return dataclasses.field(default=default, metadata={"help": help_text, "choices": choices})


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """The loss: L = λ_pixel·L_pixel + λ1·L_adv + λ2·L_vgg, and λ_lr·L_lr beside the paper's."""

    pixel_loss: str = setting("mse", "L_pixel, of images in [-1, 1].", ("mse", "l1"))
    lambda_pixel: float = setting(1.0, "Weight of L_pixel; 1 in the paper where it is used.")
    lambda_adv: float = setting(1e-3, "λ1, weight of the adversarial loss.")
    lambda_vgg: float = setting(6e-3, "λ2, weight of the perceptual loss; 0 leaves φ out.")
    lambda_lr: float = setting(
        0.0,
        "Weight of L_lr, the mean absolute error of the images reduced to a quarter, which is LR "
        "size at scale 4 (not in the paper): it binds the result to its input and leaves the "
        "textures free.",
    )
    lambda_texture: float = setting(
        0.0,
        "Weight of L_texture, the distance of the energies of fine structure in small windows (not "
        "in the paper): as much texture as HR has, wherever it lies.",
    )
    adversarial: bool = setting(
        True, "Train a discriminator. Off: no discriminator is built, L_adv is left out."
    )
    logarithm: bool = setting(
        True, "Adversarial losses with the logarithm, Eq. (8); off: without it, Eq. (4)."
    )
    discriminator_batch_norm: bool = setting(True, "BatchNorm in the discriminator.")
    discriminator_patches: bool = setting(
        False,
        "The discriminator judges each place from the pixels around it, and not the whole crop at "
        "once (not in the paper): more to learn from in a small batch.",
    )
    discriminator_shift: bool = setting(
        False,
        "Show the discriminator images that are moved by 0 to 3 pixels, otherwise in each update "
        "(not in the paper): as --vgg_shift, for its strides.",
    )
    vgg_network: str = setting("vgg19", "The network of L_vgg.", ("vgg16", "vgg19"))
    vgg_layer: str = setting("block5_conv4", "The layer whose features L_vgg compares.")
    vgg_layers: str = setting(
        "",
        "Several layers in place of --vgg_layer, each with a weight, NAME:WEIGHT,NAME:WEIGHT (not "
        "in the paper): L_vgg is then the sum of weight, scale and MSE of each, from one pass.",
    )
    vgg_before_relu: bool = setting(False, "Compare the features before the layer's ReLU.")
    vgg_weights: str = setting(
        "imagenet",
        'Where the VGG weights are: "imagenet" downloads those of keras.applications; else the '
        "path of an .h5, .weights.h5, .keras, .npz, .onnx or .whl file "
        "(docs/perceptual_weights.md).",
    )
    vgg_shift: bool = setting(
        False,
        "Compare features of the images without their first 0 to 3 rows and columns, others in "
        "each update (not in the paper): VGG's poolings else always meet the pixels of a pixel "
        "shuffle at the same places, and the generator learns a grid.",
    )
    feature_scale: float = setting(
        0.0, "Factor of the features' MSE in L_vgg; 0: the documented one of each layer."
    )


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """Two Adams, one for each network, on one schedule."""

    learning_rate: float = setting(1e-4, "Adam's learning rate at the start.")
    discriminator_learning_rate: float = setting(
        0.0, "The discriminator's learning rate; 0: the generator's."
    )
    schedule: str = setting(
        "constant",
        "How the learning rate falls: not at all, to a tenth at --decay_at, or along a half "
        "cosine to 0 at --steps.",
        ("constant", "step", "cosine"),
    )
    decay_at: float = setting(0.5, 'Share of --steps after which "step" divides the rate by 10.')
    warmup_steps: int = setting(0, "Updates over which the rate grows to its full value.")
    discriminator_warmup: int = setting(
        0, "Updates at the start in which only the discriminator learns; for stage 2."
    )
    clip_norm: float = setting(
        0.0, "Largest norm of each network's gradient; longer ones are scaled down; 0: no limit."
    )
    beta_1: float = setting(0.9, "Adam's β1.")
    ema_decay: float = setting(
        0.0,
        "Decay of an exponential moving average of the generator's weights, which is then what "
        "is validated and exported; 0: none (the paper).",
    )


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which patches are seen, and in which order."""

    data: str = setting(
        "",
        "HR training images: folder:DIR, tfds:NAME[/CONFIG][:SPLIT], or prepared:DIR of "
        "sr_data.prepare. Required.",
    )
    val_dir: str = setting(
        "", "Validation images: HR/ and LR_x4/ below it, or HR images alone; empty: no validation."
    )
    crop_size: int = setting(96, "Side of the HR crops, pixels; the LR crops are 1/4 of it.")
    batch_size: int = setting(16, "Crops a step.")
    flips: bool = setting(True, "Mirror half of the crops.")
    rotations: bool = setting(False, "Turn the crops by random quarters too (not in the paper).")
    seed: int = setting(0, "Of the initial weights, and of the order of the patches.")


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """How long to train, and where the results go."""

    run_dir: str = setting("", "Folder of this run: settings, weights, checkpoints, losses.")
    steps: int = setting(500_000, "Updates in all.")
    steps_per_epoch: int = setting(
        500, "Updates an epoch; at its end validation runs and a checkpoint is written."
    )
    checkpoint_every: int = setting(
        0, "Updates between two further checkpoints within an epoch; 0: none."
    )
    keep_checkpoints: int = setting(2, "How many checkpoints stay, the best one aside.")
    steps_per_call: int = setting(
        1,
        "Updates that JAX runs in one call on accelerators: more where Python bounds the speed. "
        "CPUs run them one by one, which is faster there.",
    )
    devices: int = setting(
        1,
        "Devices of this host that share each batch: GPUs or TPUs, else parts of the CPU. Several "
        "hosts: see docs/distributed.md.",
    )
    deterministic: bool = setting(
        False,
        "Only operations that give the same bits in every run; a CPU does so anyway, accelerators "
        "become slower.",
    )
    precision: str = setting(
        "float32",
        "bfloat16 computes the convolutions in that type: faster where the machine has it, many "
        "times slower elsewhere; auto takes it where the machine has it. Weights, losses and "
        "optimizers stay float32.",
        PRECISIONS,
    )
    init_generator: str = setting(
        "", "Start from these generator weights (.weights.h5) instead of random ones."
    )


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """Everything that one run is made of, but for the generator's architecture."""

    objective: ObjectiveConfig
    optimizer: OptimizerConfig
    data: DataConfig
    run: RunConfig


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
    _check_ranges(config)
    parse_feature_terms(objective.vgg_network, objective.vgg_layers)
    for name, least in (("lambda_lr", 20), ("lambda_texture", 24)):
        if getattr(objective, name) and data.crop_size < least:
            raise UsageError(
                f"--{name} needs a --crop_size of {least} or more, got {data.crop_size}"
            )
    if objective.adversarial and data.crop_size % 16:
        raise UsageError(f"--crop_size must divide by 16, got {data.crop_size}")
    weights = ("lambda_pixel", "lambda_lr", "lambda_texture", "lambda_vgg")
    if not (objective.adversarial or any(getattr(objective, name) for name in weights)):
        raise UsageError("the loss has no term left: give --lambda_pixel or --lambda_vgg a weight")
    epoch = min(run.steps_per_epoch, run.steps)
    return dataclasses.replace(config, run=dataclasses.replace(run, steps_per_epoch=epoch))


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
        (config.objective, ("lambda_lr", "lambda_texture"), 0, infinity),
        (config.objective, ("feature_scale",), 0, infinity),
        (config.optimizer, ("discriminator_learning_rate",), 0, infinity),
        (config.optimizer, ("beta_1", "ema_decay"), 0, 1),
    ):
        for name in names:
            value = getattr(part, name)
            if not low <= value < below:
                limits = f"at least {low}" if below == infinity else f"in [{low}, {below})"
                raise UsageError(f"--{name} must be {limits}, got {value}")
    rate, share = config.optimizer.learning_rate, config.optimizer.decay_at
    if not 0 < rate < infinity:
        raise UsageError(f"--learning_rate must be above 0, got {rate}")
    if not 0 <= share <= 1:
        raise UsageError(f"--decay_at must be in [0, 1], got {share}")
