"""Takes trained generators from run folders into `weights/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bigans.pretrained.half_precision import write_float16
from bigans.pretrained.manifest import (
    RECIPES,
    WEIGHTS_DIR,
    Manifest,
    PretrainedGenerator,
    read_manifest,
    write_manifest,
)
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file
from sr_program.files.hashes import file_sha256
from srgan.runs.run_dir import architecture_of, generator_of


def adopt(runs: Mapping[str, Path], weights_dir: Path = WEIGHTS_DIR) -> Manifest:
    """Copies the generators of run folders and describes them in the manifest.

    A generator that is not named keeps its file and its entry. Weights are stored as float16.

    Args:
        runs: Run folders by the generator's name (the keys of `manifest.RECIPES`); for WP-SRGAN
            the folder of the stage. See `srgan.runs.run_dir`.
        weights_dir: The folder to write to.

    Returns:
        The new manifest.

    Raises:
        DataError: A run folder lacks its weights or settings, or is one of the other branch, or one
            of the generators is neither named nor there already: nothing is copied then. Or weights
            are damaged.
    """
    generators = {name: generator_of(run) for name, run in runs.items()}
    for name, (_, config) in generators.items():
        architecture_of(runs[name], config, _architecture(name))
    manifest = _present(runs, weights_dir)
    weights_dir.mkdir(exist_ok=True)
    for name, (weights, config) in generators.items():
        file = f"{name}.weights.h5"
        with atomic_file(weights_dir / file) as temporary:
            write_float16(weights, temporary)
        sha256 = file_sha256(weights_dir / file)
        manifest[name] = PretrainedGenerator(file, sha256, config, RECIPES[name])
    manifest = {name: manifest[name] for name in RECIPES}
    write_manifest(manifest, weights_dir)
    return manifest


def _architecture(name: str) -> type[Any]:
    """The settings that the generator of a name has."""
    from mr_srgan.config import GeneratorConfig as Faithful
    from wp_srgan.config import GeneratorConfig as Vivid

    return Faithful if name.startswith("mr_srgan") else Vivid


def _present(runs: Mapping[str, Path], weights_dir: Path) -> Manifest:
    """The entries that stay; none are needed when all generators are named."""
    if set(runs) == set(RECIPES):
        return {}
    try:
        return read_manifest(weights_dir)
    except DataError as error:
        missing = ", ".join(name for name in RECIPES if name not in runs)
        raise DataError(f"name a run folder for {missing} too: {error}") from error
