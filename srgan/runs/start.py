"""How a run begins: its networks are built, get their first weights, and meet the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from absl import logging

from sr_program.errors import UsageError
from srgan.config import RunConfig, TrainingConfig
from srgan.runs import building, checkpoints
from srgan.runs.branch import Branch
from srgan.runs.run import Run
from srgan.runs.run_dir import CHECKPOINTS, DISCRIMINATOR, generator_of
from srgan.runs.training import train
from srgan.runs.weights import differences, load_start, load_weights
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.devices import open_devices
from srgan.steps.dtype_policy import dtype_policy
from srgan.steps.seeding import seed_everything


def train_branch(
    branch: Branch, architecture: Any, config: TrainingConfig, init_run: Path | None = None
) -> int:
    """Trains one branch; returns the exit code.

    Args:
        branch: MR-SRGAN, or a stage of WP-SRGAN.
        architecture: The generator's settings.
        config: The run, checked.
        init_run: The run to start from where `config` names none.

    Raises:
        UsageError: Settings that do not go together.
        DataError: Images or weights that cannot be used.
    """
    # keras.json may ask for other orders of axes, or types, for other programs.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    seed_everything(config.data.seed, deterministic=config.run.deterministic)
    devices = open_devices(config.run.devices)
    dtype = dtype_policy(config.run.precision)
    # Before the networks: a folder that is mistyped should not wait for VGG's weights.
    if Path(config.run.run_dir).is_file():
        raise UsageError(f"--run_dir={config.run.run_dir} is a file; name a folder")
    dataset, validation = building.open_data(config, architecture.scale, devices)
    with devices.scope():
        generator = branch.build_generator(architecture, dtype, config.initialization)
        networks = building.build_networks(config.objective, config.data.crop_size, dtype)
        model = branch.gan(generator, config.objective, **networks)
        load_first_weights(model, architecture, config.run, init_run)
        building.compile_model(model, config)
        run = Run(model, dataset, validation, config, architecture, branch.select_best, devices)
        return train(run)


def load_first_weights(
    model: AdversarialModel, architecture: Any, run: RunConfig, init_run: Path | None = None
) -> None:
    """Loads what `--init_run` or `--init_generator` names; else the weights stay random.

    A run that has begun goes on from its checkpoint, and needs neither.
    """
    if checkpoints.files(Path(run.run_dir) / CHECKPOINTS):
        return
    if run.init_run or init_run is not None:
        start_from_run(model, architecture, run.init_run or str(init_run))
    elif run.init_generator:
        load_start(model.generator, run.init_generator, architecture)


def start_from_run(model: AdversarialModel, architecture: Any, folder: str | Path) -> None:
    """Loads a run's generator and, where both have one, its discriminator.

    Args:
        model: The model that shall start.
        architecture: Its generator's settings.
        folder: The other run's folder.

    Raises:
        UsageError: Its generator is another one; its weights may fit and mean another thing.
        DataError: There is no finished epoch, or the weights are damaged or do not fit.
    """
    weights, settings = generator_of(folder)
    different = differences(settings, architecture)
    if different:
        raise UsageError(f"{folder} has another generator: {', '.join(different)}")
    load_weights(model.generator, weights, architecture)
    if model.discriminator is None:
        return
    path = Path(folder) / DISCRIMINATOR
    if path.is_file():
        load_weights(model.discriminator, path)
    else:
        logging.info("%s: has no discriminator; this run starts with a new one", folder)
