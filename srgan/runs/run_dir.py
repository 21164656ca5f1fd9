"""What lies where in a run folder, and what makes two runs the same."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from srgan.config import TrainingConfig

CONFIG = "config.json"
GENERATOR = "generator.weights.h5"
DISCRIMINATOR = "discriminator.weights.h5"
CHECKPOINTS = "checkpoints"

# A run may be continued for longer, at another precision, and on another machine, where its files
# lie elsewhere; every other setting decides what it computes and must stay.
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
}


def prepare(config: TrainingConfig, architecture: Any, *, write: bool = True) -> Path:
    """Makes the run folder and writes `config.json`, or checks it against the one it holds.

    Args:
        config: The run.
        architecture: The generator's config dataclass.
        write: Off where another process writes the folder: the settings are only checked.

    Returns:
        The folder.

    Raises:
        UsageError: It holds a run with other settings.
    """
    run_dir = Path(config.run.run_dir)
    if write:
        run_dir.mkdir(parents=True, exist_ok=True)
    settings = {"generator": dataclasses.asdict(architecture), **dataclasses.asdict(config)}
    path = run_dir / CONFIG
    if path.exists():
        changed = changes(_read(path), settings, dataclasses.asdict(type(architecture)()))
        if changed:
            raise UsageError(
                f"{run_dir} holds a run with other settings ({', '.join(changed)}); "
                f"give those of its {CONFIG}, or another --run_dir"
            )
    if not write:
        return run_dir
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n")
    return run_dir


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
    settings = _read(folder / CONFIG)["generator"]
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
        return json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: not a run's settings ({error}); remove the folder") from error
