"""How a branch is trained: frozen settings, each with the help text of its flag.

The paper's values are the defaults (Section 4.1); a branch's `train.py` replaces those that
differ between the branches.
"""

from __future__ import annotations

import dataclasses

from sr_program.errors import UsageError
from sr_program.machine.precision import PRECISIONS
from sr_program.settings import setting
from srgan.losses.feature_terms import parse_feature_terms


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
    lambda_grid: float = setting(
        0.0,
        "Weight of L_grid, which asks the 4x4 phases of the pixel shuffles for means as even as "
        "HR's (not in the paper): perceptual losses make a grid, and this takes it away.",
    )
    adversarial: bool = setting(
        True, "Train a discriminator. Off: no discriminator is built, L_adv is left out."
    )
    logarithm: bool = setting(
        True, "Adversarial losses with the logarithm, Eq. (8); off: without it, Eq. (4)."
    )
    relativistic: bool = setting(
        False,
        "Adversarial losses of a relativistic average discriminator (not in the paper): it says "
        "how much more real an image is than the mean of the other kind.",
    )
    r1_gamma: float = setting(
        0.0,
        "γ of the R1 penalty, γ/2 times the squared gradient of D at HR images (not in the paper); "
        "0: none.",
    )
    r1_every: int = setting(
        16, "Compute the R1 penalty in one of so many updates, with as many times its weight."
    )
    discriminator_batch_norm: bool = setting(True, "BatchNorm in the discriminator.")
    spectral_norm: bool = setting(
        False, "Spectral normalisation of the discriminator's layers (not in the paper)."
    )
    discriminator_filters: int = setting(
        64, "Filters of the discriminator's first convolution; the others have up to 8 times them."
    )
    discriminator_unet: bool = setting(
        False,
        "A discriminator that judges each pixel, a U-Net, in place of SRGAN's (not in the paper).",
    )
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
    """Two optimizers, one for each network, on one schedule; the paper's are Adams."""

    optimizer: str = setting(
        "adam",
        "The generator's optimizer. muon makes the updates of the trunk's and the upsamplers' "
        "kernels orthogonal (not in the paper), which saves about a third of the first updates; "
        "all else is Adam's.",
        ("adam", "muon"),
    )
    learning_rate: float = setting(1e-4, "The learning rate at the start.")
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
    output_rate: float = setting(
        1.0,
        "Factor on the learning rate of the generator's last kernel. All of its inputs share in "
        "each value of the result, 5184 in WP-SRGAN: below 1 the first updates do not overshoot.",
    )
    beta_1: float = setting(0.9, "β1 of the generator's Adam.")
    beta_2: float = setting(0.999, "β2 of the generator's Adam.")
    discriminator_beta_1: float = setting(0.9, "β1 of the discriminator's Adam.")
    discriminator_beta_2: float = setting(0.999, "β2 of the discriminator's Adam.")
    ema_decay: float = setting(
        0.0,
        "Decay of an exponential moving average of the generator's weights, which is then what "
        "is validated and exported; 0: none (the paper).",
    )


@dataclasses.dataclass(frozen=True)
class InitializationConfig:
    """The generator's random weights; the paper has Xavier's everywhere (Section 4.1)."""

    residual_scale: float = setting(
        1.0,
        "Factor on the first weights of the layer that ends each residual branch. 0.1 keeps the "
        "untrained trunk near the identity (not in the paper): at 1 its values grow from block to "
        "block.",
    )
    upsampler_init: str = setting(
        "xavier",
        "First weights of the upsamplers: Xavier's, as in the paper; He's; or He's for one phase "
        "of the pixel shuffle and the same for the others (ICNR), which begins without a grid.",
        ("xavier", "he", "icnr"),
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
    crop_energy: float = setting(
        1.0,
        "Share of the candidates that are kept as crops: those with the most gradient energy. 1 "
        "takes every crop; 0.333 draws three times as many and leaves out the flat ones (not in "
        "the paper).",
    )
    flips: bool = setting(True, "Mirror half of the crops.")
    rotations: bool = setting(False, "Turn the crops by random quarters too (not in the paper).")
    degradation: str = setting(
        "bicubic",
        "How LR crops are made: by the bicubic reduction alone (the paper), or as photos are, with "
        "blur, noise and JPEG drawn for each crop (not in the paper).",
        ("bicubic", "photo"),
    )
    clean_share: float = setting(
        0.15, 'Share of the crops that --degradation=photo leaves as "bicubic" makes them.'
    )
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
    initialization: InitializationConfig = InitializationConfig()


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
    for part, name in ((config.optimizer, "decay_at"), (config.data, "clean_share")):
        share = getattr(part, name)
        if not 0 <= share <= 1:
            raise UsageError(f"--{name} must be in [0, 1], got {share}")
    if not 0 < config.data.crop_energy <= 1:
        raise UsageError(f"--crop_energy must be in (0, 1], got {config.data.crop_energy}")
