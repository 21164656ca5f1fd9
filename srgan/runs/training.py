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

from absl import logging
from tqdm import tqdm

from sr_program.errors import DataError
from srgan.config import RunConfig, TrainingConfig
from srgan.layers.receptive_field import receptive_field
from srgan.runs import checkpoints, run_dir
from srgan.runs.batches import BatchReader
from srgan.runs.best_so_far import BestSoFar, read_best
from srgan.runs.run import Run
from srgan.runs.run_dir import CHECKPOINTS, DISCRIMINATOR, GENERATOR, Change
from srgan.runs.run_lock import locked
from srgan.runs.run_log import NoLog, RunLog
from srgan.runs.validation import validate
from srgan.runs.weights import ARCHITECTURE, save_weights
from srgan.steps.devices import Devices, peers_needed
from srgan.steps.engines import Engine, make_engine
from srgan.steps.paired_optimizer import build_optimizer, rate_of


@dataclasses.dataclass
class Interruption:
    """Which signal asked the run to stop, if one did."""

    signal: int = 0


def train(run: Run) -> int:
    """Trains until `config.run.steps`, from the newest checkpoint of the run folder if it has one.

    The run folder holds `config.json`, `losses.csv`, `scores.csv`, `best.json`, `events/`,
    `checkpoints/`, `changes.csv` where settings were changed, and the weights to go on with:
    `generator.weights.h5` (their moving average if there is one) and, of an adversarial run,
    `discriminator.weights.h5`. They are written at the end of every epoch; on SIGINT and SIGTERM a
    checkpoint is written and the loop ends.

    Args:
        run: What to train, on what, and how.

    Returns:
        The exit code: 0, or 128 + the signal that stopped the run.

    Raises:
        UsageError: The run folder holds a run with other settings.
        DataError: A loss is no longer finite, no checkpoint can be used, another training is at
            work in the folder, or another process has gone.
    """
    folder, chief = run.folder, run.devices.chief
    if not chief:
        return _train(run)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        return _train(run)


def _train(run: Run) -> int:
    """See `train`; nobody else trains in the folder."""
    config, devices, folder = run.config, run.devices, run.folder
    changes = run_dir.check(config, run.architecture)
    with run.model.optimizer.keeping_rates():
        state = checkpoints.restore(run.model, folder / CHECKPOINTS) or {"step": 0}
    first, steps = state["step"], config.run.steps
    best = None
    if devices.chief:
        other = any(change.name == "data.val_dir" for change in changes)
        best = read_best(folder, run.validation, state, other_folder=other)
        run_dir.prepare(config, run.architecture, step=first)
    if first:
        logging.info("%s: continuing after step %d of %d", folder, first, steps)
        say_new_schedule(changes, config, first)
    engine = make_engine(run.model, devices)
    hidden = None if devices.chief else True
    progress = tqdm(total=steps, initial=first, desc=folder.name, unit="step", disable=hidden)
    with (
        peers_needed(devices, str(folder)),
        RunLog(folder, first) if devices.chief else NoLog() as log,
        stop_on_signal() as interruption,
        BatchReader(run.dataset, first, steps) as reader,
        progress,
    ):
        check_same_start(devices, folder, first)
        if best and first and is_epoch_end(first, config.run) and not log.scored(first):
            # The run was ended while it validated, or has got its first validation images.
            validate_epoch(run, engine, log, first, best)
        for start, stop in calls(first, config.run):
            logs = engine.run(reader.take(stop - start))
            for step, values in enumerate(logs, start + 1):
                log.losses(step, {**values, **run.model.optimizer.rates(step - 1)})
                check_finite(values, step, folder)
            progress.update(stop - start)
            progress.set_postfix(_brief(logs[-1], reader.waiting_share), refresh=False)
            interrupted = -int(devices.lowest(-interruption.signal))
            if best and (is_checkpoint(stop, config.run) or interrupted):
                engine.write_back()
                save(run, log, stop, best)
                if is_epoch_end(stop, config.run):
                    validate_epoch(run, engine, log, stop, best)
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


def save(run: Run, log: RunLog, step: int, best: BestSoFar) -> None:
    """Writes a checkpoint and, at an epoch's end, the weights that wait for no validation."""
    model, folder = run.model, run.folder
    if is_epoch_end(step, run.config.run):
        if run.validation is None or not run.select_best:
            with model.averaged_weights():
                save_weights(model.generator, folder / GENERATOR, run.architecture)
        if model.discriminator is not None:
            save_weights(model.discriminator, folder / DISCRIMINATOR)
    state = {"best_step": best.step, ARCHITECTURE: dataclasses.asdict(run.architecture)}
    checkpoints.save(model, folder / CHECKPOINTS, step, state, run.config.run.keep_checkpoints)
    log.flush()


def validate_epoch(run: Run, engine: Engine, log: RunLog, step: int, best: BestSoFar) -> None:
    """Scores the generator, and keeps its weights where the best epoch's are wanted.

    The checkpoint of the step is written by then, so that a run which is ended meanwhile repeats
    the validation alone; the scores are written last, which says that nothing is left to do.
    """
    if run.validation is None:
        return
    generator = run.model.generator
    with run.model.averaged_weights():
        scores, strips = validate(engine.enlarge, run.validation, receptive_field(generator))
        if best.improved_by(scores["ssim"]):
            if run.select_best:
                save_weights(generator, run.folder / GENERATOR, run.architecture)
            best.update(scores["ssim"], step)
    logging.info(
        "step %d: validation PSNR %.3f dB, SSIM %.4f", step, scores["psnr"], scores["ssim"]
    )
    log.images(step, strips)
    log.scores(step, scores)


def say_new_schedule(changes: list[Change], config: TrainingConfig, first: int) -> None:
    """Says what another length of the run does to the learning rate of the updates to come."""
    optimizer = config.optimizer
    for name, old, new in changes:
        if name == "run.steps" and optimizer.schedule != "constant":
            gan = config.objective.adversarial
            before, after = (
                rate_of(build_optimizer(optimizer, steps, adversarial=gan).generator, first)
                for steps in (old, new)
            )
            logging.info(
                "--steps was %d, is %d: along --schedule=%s the rate of update %d is %.3g in place "
                "of %.3g",
                *(old, new, optimizer.schedule, first + 1, after, before),
            )


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
            goes_on = "goes on from there" if last else "begins anew"
            raise DataError(
                f"{folder}: {name} is {float(value)} at step {step}; {kept}, the same command with "
                f"a lower --learning_rate, or with --clip_norm=1, {goes_on} and may help"
            )


def _brief(values: dict[str, float], waiting_share: float) -> dict[str, str]:
    """The end of the progress line."""
    shown = {
        name: f"{values[name]:.4f}" for name in ("loss_g", "loss_d", "pixel") if name in values
    }
    return {**shown, "data_wait": f"{waiting_share:.1%}"}
