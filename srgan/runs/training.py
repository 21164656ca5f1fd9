"""The training loop of both branches: updates, logs, validation, checkpoints, interruption.

The updates of a run are a fixed sequence of calls of the engine, whose bounds depend on the step
numbers alone: a run that was killed repeats the calls after its last checkpoint and gets the same
numbers, bit for bit.
"""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from absl import logging
from tqdm import tqdm

from sr_data.patches import PatchDataset
from sr_data.sources import PairedFolder
from sr_program.errors import DataError
from srgan.config import RunConfig, TrainingConfig
from srgan.runs import checkpoints, run_dir
from srgan.runs.batches import BatchReader
from srgan.runs.run_dir import CHECKPOINTS, DISCRIMINATOR, GENERATOR
from srgan.runs.run_log import NoLog, RunLog
from srgan.runs.validation import validate
from srgan.runs.weights import save_weights
from srgan.steps.adversarial_model import AdversarialModel
from srgan.steps.devices import ONE_DEVICE, Devices, peers_needed
from srgan.steps.engines import Engine, make_engine


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
    devices: Devices = ONE_DEVICE,
) -> int:
    """Trains until `config.run.steps`, from the newest checkpoint of the run folder if it has one.

    The run folder holds `config.json`, `losses.csv`, `scores.csv`, `events/`, `checkpoints/` and
    the weights to go on with: `generator.weights.h5` (their moving average if there is one) and, of
    an adversarial run, `discriminator.weights.h5`. They are written at the end of every epoch; on
    SIGINT and SIGTERM a checkpoint is written and the loop ends.

    Args:
        model: Compiled by `compile_pair`.
        dataset: Batches by (epoch, index).
        validation: Scored at the end of every epoch; None for no validation.
        config: Everything about the run.
        architecture: The generator's config dataclass, kept in `config.json`.
        select_best: `generator.weights.h5` follows the best validation SSIM, not the last epoch.
        devices: What the model was built for. Where they belong to several processes, each calls
            this; the chief validates and writes.

    Returns:
        The exit code: 0, or 128 + the signal that stopped the run.

    Raises:
        UsageError: The run folder holds a run with other settings.
        DataError: A loss is no longer finite, no checkpoint can be used, or another process has
            gone.
    """
    folder = run_dir.prepare(config, architecture, write=devices.chief)
    state = checkpoints.restore(model, folder / CHECKPOINTS) or {"step": 0, "best_ssim": None}
    first, steps = state["step"], config.run.steps
    if first:
        logging.info("%s: continuing after step %d of %d", folder, first, steps)
    engine = make_engine(model, devices)
    hidden = None if devices.chief else True
    progress = tqdm(total=steps, initial=first, desc=folder.name, unit="step", disable=hidden)
    with (
        peers_needed(devices, str(folder)),
        RunLog(folder, first) if devices.chief else NoLog() as log,
        stop_on_signal() as interruption,
        BatchReader(dataset, first, steps) as reader,
        progress,
    ):
        check_same_start(devices, folder, first)
        for start, stop in calls(first, config.run):
            logs = engine.run(reader.take(stop - start))
            for step, values in enumerate(logs, start + 1):
                log.losses(step, values)
                check_finite(values, step, folder)
            progress.update(stop - start)
            progress.set_postfix(_brief(logs[-1], reader.waiting_share), refresh=False)
            interrupted = -int(devices.lowest(-interruption.signal))
            if devices.chief and is_epoch_end(stop, config.run):
                engine.write_back()
                finish_epoch(model, engine, validation, folder, log, stop, state, select_best)
            if devices.chief and (is_checkpoint(stop, config.run) or interrupted):
                engine.write_back()
                keep = config.run.keep_checkpoints
                checkpoints.save(model, folder / CHECKPOINTS, stop, state, keep)
                log.flush()
            if interrupted:
                logging.info("stopped at step %d; the same command continues", stop)
                return 128 + interrupted
        # The others wait for the chief's files: one that leaves looks like one that has died.
        devices.lowest(0)
    return 0


def check_same_start(devices: Devices, folder: Path, first: int) -> None:
    """Raises a DataError where processes continue from different checkpoints."""
    lowest, highest = devices.lowest(first), -devices.lowest(-first)
    if lowest != highest:
        raise DataError(
            f"{folder}: one worker has a checkpoint of step {highest:.0f}, another of step "
            f"{lowest:.0f}; put the run folder on a file system that all of them share"
        )


def calls(first: int, run: RunConfig) -> Iterator[tuple[int, int]]:
    """The engine's calls from a step on: each does the updates start + 1 … stop.

    A call ends at every multiple of `steps_per_call`, at the end of an epoch and at a checkpoint,
    so that the calls after a checkpoint are those that an uninterrupted run makes.
    """
    start = first
    while start < run.steps:
        stop = start + 1
        while stop % run.steps_per_call and not is_checkpoint(stop, run):
            stop += 1
        yield start, stop
        start = stop


def is_epoch_end(step: int, run: RunConfig) -> bool:
    """Whether an epoch, or the run, ends with this update."""
    return step % run.steps_per_epoch == 0 or step == run.steps


def is_checkpoint(step: int, run: RunConfig) -> bool:
    """Whether a checkpoint is due after this update."""
    within_epoch = run.checkpoint_every and step % run.checkpoint_every == 0
    return bool(within_epoch) or is_epoch_end(step, run)


def finish_epoch(
    model: AdversarialModel,
    engine: Engine,
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
            scores, strips = validate(engine.enlarge, validation)
            log.scores(step, scores)
            log.images(step, strips)
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
            last = checkpoints.files(folder / CHECKPOINTS)
            kept = f"the last checkpoint is {last[-1].name}" if last else "there is no checkpoint"
            raise DataError(
                f"{folder}: {name} is {float(value)} at step {step}; {kept}, "
                "a lower --learning_rate or --clip_norm may help"
            )


def _brief(values: dict[str, float], waiting_share: float) -> dict[str, str]:
    """The end of the progress line."""
    shown = {
        name: f"{values[name]:.4f}" for name in ("loss_g", "loss_d", "pixel") if name in values
    }
    return {**shown, "data_wait": f"{waiting_share:.1%}"}
