"""What lies where in a run folder, and what makes two runs the same.

`config.json` holds the settings as they are, `changes.csv` those that were others before: the step
after which each was changed, its name, and both values.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import typing
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from absl import logging

from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from srgan.config import TrainingConfig

CONFIG = "config.json"
CHANGES = "changes.csv"
GENERATOR = "generator.weights.h5"
DISCRIMINATOR = "discriminator.weights.h5"
CHECKPOINTS = "checkpoints"

# A run may be continued for longer, at another precision, on another machine, where its files lie
# elsewhere, and at another rate, where it has diverged; every other setting decides what it
# computes and must stay.
_MAY_CHANGE = {
    "run.run_dir",
    "run.steps",
    "run.steps_per_epoch",
    "run.checkpoint_every",
    "run.keep_checkpoints",
    "run.steps_per_call",
    "run.devices",
    "run.deterministic",
    "run.precision",
    "run.init_generator",
    "run.init_run",
    "data.data",
    "data.val_dir",
    "objective.vgg_weights",
    "optimizer.learning_rate",
    "optimizer.discriminator_learning_rate",
    "optimizer.clip_norm",
}

# Of what may change: what has no effect on results, and is not written down.
_WITHOUT_EFFECT = {
    "run.run_dir",
    "run.checkpoint_every",
    "run.keep_checkpoints",
}

# Where a run started from: it cannot be changed once there is an update.
_START = {"run.init_generator", "run.init_run"}


class Change(NamedTuple):
    """A setting of a run that is continued: "part.name", and both values."""

    name: str
    old: Any
    new: Any


def check(config: TrainingConfig, architecture: Any) -> list[Change]:
    """Compares a run's settings with those in its folder.

    Args:
        config: The run.
        architecture: The generator's config dataclass.

    Returns:
        What has changed, and may; nothing where the run is new.

    Raises:
        UsageError: The folder holds a run with other settings.
        DataError: `config.json` is damaged.
    """
    path = Path(config.run.run_dir) / CONFIG
    if not path.exists():
        return []
    old, new = _read(path), _settings(config, architecture)
    refused = changes(old, new, dataclasses.asdict(type(architecture)()))
    if refused:
        raise UsageError(
            f"{path.parent} holds a run with other settings ({', '.join(refused)}); "
            f"give those of its {CONFIG}; or name another --run_dir, and start it from this run "
            f"by --init_run={path.parent}"
        )
    found = []
    for name in sorted(_MAY_CHANGE - _WITHOUT_EFFECT):
        part, key = name.split(".")
        before = {**_defaults(part), **old.get(part, {})}[key]
        if before != new[part][key]:
            found.append(Change(name, before, new[part][key]))
    return found


def prepare(config: TrainingConfig, architecture: Any, *, step: int = 0) -> Path:
    """Makes the run folder and writes `config.json`, and what has changed to `changes.csv`.

    Args:
        config: The run.
        architecture: The generator's config dataclass.
        step: Updates done. After the first, the start of the run stays as it was.

    Returns:
        The folder.

    Raises:
        UsageError: It holds a run with other settings.
        DataError: Its settings cannot be read.
    """
    folder = Path(config.run.run_dir)
    folder.mkdir(parents=True, exist_ok=True)
    settings = _settings(config, architecture)
    found = check(config, architecture)
    if not step:
        found = []  # nothing was computed with the old values
    for name, old, new in [change for change in found if change.name in _START]:
        part, key = name.split(".")
        settings[part][key] = old
        if new:
            logging.info("%s: --%s=%s has no effect, the run has begun", folder, key, new)
    found = [change for change in found if change.name not in _START]
    if found:
        _write_changes(folder / CHANGES, step, found)
    with atomic_file(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n")
    return folder


def _write_changes(path: Path, step: int, found: list[Change]) -> None:
    """Appends rows, and says what is in them."""
    # Bytes: paths need not be UTF-8, nor need the file, which people may have edited.
    before = path.read_bytes() if path.exists() else b"after_step,setting,old,new\n"
    text = io.StringIO()
    for name, old, new in found:
        flag = name.split(".")[1]
        logging.info("%s: --%s was %s, is %s after step %d", path.parent, flag, old, new, step)
        csv.writer(text, lineterminator="\n").writerow([step, flag, old, new])
    with atomic_file(path) as temporary:
        temporary.write_bytes(before + os.fsencode(text.getvalue()))


def _settings(config: TrainingConfig, architecture: Any) -> dict[str, Any]:
    return {"generator": dataclasses.asdict(architecture), **dataclasses.asdict(config)}


def changes(
    old: dict[str, Any], new: dict[str, Any], generator: Mapping[str, Any] = MappingProxyType({})
) -> list[str]:
    """Describes the settings that differ and decide what a run computes.

    Args:
        old: What `config.json` holds: part → setting → value.
        new: The same of the run that shall start.
        generator: The defaults of the generator's settings.

    Returns:
        "--name was old, is new" for each, sorted.
    """
    found = []
    for part, values in new.items():
        # A setting that is younger than the run was at its default.
        defaults = generator if part == "generator" else _defaults(part)
        before = {**defaults, **old.get(part, {})}
        found += [
            f"--{key} was {before.get(key)}, is {value}"
            for key, value in values.items()
            if f"{part}.{key}" not in _MAY_CHANGE and before.get(key) != value
        ]
    return sorted(found)


def generator_of(run_dir: str | Path, last_update: bool = False) -> tuple[Path, dict[str, Any]]:
    """The weights that a run has to show, and the architecture that they belong to.

    Args:
        run_dir: A run folder.
        last_update: Those of the last update instead, neither averaged nor the best epoch's.

    Returns:
        The `.weights.h5` file, or the newest checkpoint; and the arguments of the branch's
        `GeneratorConfig`.

    Raises:
        DataError: The folder is not that of a run that has finished an epoch.
    """
    folder = Path(run_dir)
    for name in (CONFIG, GENERATOR):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder}: has no {name}; name the folder of a run that finished an epoch"
            )
    settings = _read(folder / CONFIG).get("generator", {})
    if not last_update:
        return folder / GENERATOR, settings
    checkpoints = sorted((folder / CHECKPOINTS).glob("step-*.npz"))
    if not checkpoints:
        raise DataError(f"{folder}: its {CHECKPOINTS} are gone, and the last update with them")
    return checkpoints[-1], settings


def architecture_of(run_dir: str | Path, settings: dict[str, Any], kind: type[Any]) -> Any:
    """A run's generator settings as the dataclass of its branch.

    Args:
        run_dir: The run's folder, for messages.
        settings: As `generator_of` gives them.
        kind: The dataclass; a setting that is younger than the run is at its default.

    Raises:
        DataError: They are not those of this branch.
    """
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        unknown = sorted(set(settings) - {field.name for field in dataclasses.fields(kind)})
        reason = f"it has no {', '.join(unknown)}" if unknown else str(error)
        raise DataError(
            f"{Path(run_dir) / CONFIG}: not the settings of this branch's generator ({reason}); "
            "name the run folder of the other branch, or install the version that trained it"
        ) from error


def _defaults(part: str) -> dict[str, Any]:
    for field in dataclasses.fields(TrainingConfig):
        if field.name == part:
            return dataclasses.asdict(typing.get_type_hints(TrainingConfig)[part]())
    return {}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
            raise ValueError("no settings in it")
    except ValueError as error:  # of JSON, or of the file's encoding
        raise DataError(
            f"{path}: not a run's settings ({error}); put back a copy, or move this file away: the "
            "command that the run was started with then writes it anew, and goes on from the "
            "checkpoints"
        ) from error
    return found
