"""The training loop of both branches: updates, logs, validation, checkpoints, interruption."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from absl import logging
from tqdm import tqdm

from cli.errors import DataError
from sr_data.patches import PatchDataset
from sr_data.sources import PairedFolder
from srgan import checkpoints, run_dir
from srgan.adversarial_model import AdversarialModel
from srgan.config import TrainingConfig
from srgan.run_dir import CHECKPOINTS, DISCRIMINATOR, GENERATOR
from srgan.run_log import RunLog
from srgan.validation import validate
from srgan.weights import save_weights


@dataclasses.dataclass
class Interruption:
    """Which signal asked the run to stop, if one did."""

    signal: int = 0


def train(
    model: AdversarialModel,
    dataset: PatchDataset,
    validation: PairedFolder | None,
    config: TrainingConfig,
    *,
    architecture: Any,
    select_best: bool,
) -> int:
    """Trains until `config.run.steps`, from the newest checkpoint of the run folder if it has one.

    The run folder holds `config.json`, `losses.csv`, `events/`, `checkpoints/` and the weights to
    go on with: `generator.weights.h5` (their moving average if there is one) and, of an
    adversarial run, `discriminator.weights.h5`. They are written at the end of every epoch; on
    SIGINT and SIGTERM a checkpoint is written and the loop ends.

    Args:
        model: Compiled by `compile_pair`.
        dataset: Batches by (epoch, index).
        validation: Scored at the end of every epoch; None for no validation.
        config: Everything about the run.
        architecture: The generator's config dataclass, kept in `config.json`.
        select_best: `generator.weights.h5` follows the best validation SSIM, not the last epoch.

    Returns:
        The exit code: 0, or 128 + the signal that stopped the run.

    Raises:
        UsageError: The run folder holds a run with other settings.
        DataError: A loss is no longer finite, or a checkpoint is damaged.
    """
    folder = run_dir.prepare(config, architecture)
    state = checkpoints.restore(model, folder / CHECKPOINTS) or {"step": 0, "best_ssim": None}
    first, steps = state["step"], config.run.steps
    if first:
        logging.info("%s: continuing after step %d of %d", folder, first, steps)
    epoch_length = config.run.steps_per_epoch
    progress = tqdm(total=steps, initial=first, desc=folder.name, unit="step", disable=None)
    with RunLog(folder, first) as log, stop_on_signal() as interruption, progress:
        for step, (lr, hr) in zip(
            range(first + 1, steps + 1), batches(dataset, first, steps), strict=True
        ):
            values = model.train_on_batch(lr, hr, return_dict=True)
            log.losses(step, values)
            check_finite(values, step, folder)
            progress.update()
            progress.set_postfix(loss=f"{values['loss_g']:.4f}", refresh=False)
            end_of_epoch = step % epoch_length == 0 or step == steps
            if end_of_epoch:
                finish_epoch(model, validation, folder, log, step, state, select_best)
            if end_of_epoch or interruption.signal:
                checkpoints.save(model, folder / CHECKPOINTS, step, state)
                log.flush()
            if interruption.signal:
                logging.info("stopped at step %d; the same command continues", step)
                return 128 + interruption.signal
    return 0


def finish_epoch(
    model: AdversarialModel,
    validation: PairedFolder | None,
    folder: Path,
    log: RunLog,
    step: int,
    state: dict[str, Any],
    select_best: bool,
) -> None:
    """Validates, and writes the weights that the run has to show; updates the best in `state`."""
    with model.averaged_weights():
        improved = True
        if validation is not None:
            scores = validate(model.generator, validation)
            log.scores(step, scores)
            logging.info(
                "step %d: validation PSNR %.3f dB, SSIM %.4f", step, scores["psnr"], scores["ssim"]
            )
            improved = state["best_ssim"] is None or scores["ssim"] > state["best_ssim"]
            if improved:
                state.update(best_ssim=scores["ssim"], best_step=step)
        if improved or not select_best:
            save_weights(model.generator, folder / GENERATOR)
    if model.discriminator is not None:
        save_weights(model.discriminator, folder / DISCRIMINATOR)


def batches(dataset: PatchDataset, first: int, last: int) -> Iterator[Any]:
    """The batches of updates first + 1 … last, each cut out while the one before trains."""

    def batch(step: int) -> Any:
        dataset.epoch, index = divmod(step, len(dataset))
        return dataset[index]

    with ThreadPoolExecutor(1) as cutter:
        following = cutter.submit(batch, first)
        for step in range(first, last):
            current = following.result()
            if step + 1 < last:
                following = cutter.submit(batch, step + 1)
            yield current


@contextmanager
def stop_on_signal() -> Iterator[Interruption]:
    """Within it SIGINT and SIGTERM are noted instead of ending the program."""
    interruption = Interruption()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        interruption.signal = number

    previous = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def check_finite(values: dict[str, float], step: int, folder: Path) -> None:
    """Raises a DataError that names the first value that is not a finite number."""
    for name, value in values.items():
        if not abs(float(value)) < float("inf"):
            raise DataError(
                f"{folder}: {name} is {float(value)} at step {step}; the last checkpoint is kept, "
                "a lower --learning_rate may help"
            )
