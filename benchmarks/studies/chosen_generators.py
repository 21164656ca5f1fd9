"""Generators that a person names: shipped ones, and those of runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import keras

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from benchmarks.shipped import BRANCHES, shipped_generator
from sr_program.errors import DataError, UsageError
from srgan.runs.run_dir import CONFIG
from srgan.runs.weights import load_weights

# MR-SRGAN's generator alone has this setting.
_OF_MR_SRGAN = "num_mr_blocks"


def chosen_generators(items: Iterable[str]) -> dict[str, keras.Model]:
    """Builds the generators that a list names.

    Args:
        items: Names of shipped generators, and NAME=FILE, where FILE holds the weights of a run,
            whose `config.json` lies beside it and tells the network.

    Returns:
        Name → generator, in the list's order.

    Raises:
        UsageError: The list is empty, a name comes twice, or is no shipped one and has no file.
        DataError: A file is missing, damaged, or of another network.
    """
    named: dict[str, str] = {}
    for item in items:
        name, _, file = item.partition("=")
        if not name or not (file or name in BRANCHES):
            raise UsageError(
                f"--weights={item}: give NAME=FILE, or a shipped one: {', '.join(BRANCHES)}"
            )
        if name in named:
            raise UsageError(f"--weights={item}: the name {name} comes twice")
        named[name] = file
    if not named:
        raise UsageError("--weights=NAME=FILE is missing")
    return {
        name: run_generator(Path(file)) if file else shipped_generator(name)[0]
        for name, file in named.items()
    }


def run_generator(weights: Path) -> keras.Model:
    """Builds the generator of a run.

    Args:
        weights: A `.weights.h5` file; `config.json` lies beside it.

    Raises:
        DataError: A file is missing, damaged, or of another network.
    """
    path = weights.parent / CONFIG
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))["generator"]
        is_mr = _OF_MR_SRGAN in settings
    except FileNotFoundError:
        raise DataError(
            f"{weights}: there is no {CONFIG} beside it; name a file of a run folder"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a run's settings ({error})") from error
    config_module, generator_module = (
        (mr_srgan.config, mr_srgan.generator) if is_mr else (wp_srgan.config, wp_srgan.generator)
    )
    known = {field.name for field in dataclasses.fields(config_module.GeneratorConfig)}
    if unknown := settings.keys() - known:
        raise DataError(f"{path}: a generator has no setting {', '.join(sorted(unknown))}")
    generator = generator_module.build_generator(config_module.GeneratorConfig(**settings))
    load_weights(generator, weights)
    return generator
