"""How WP-SRGAN's two stages hang together: stage 2 starts from what stage 1 left (Section 3.3)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from sr_program.errors import DataError, UsageError
from srgan.runs.run_dir import DISCRIMINATOR, GENERATOR, generator_of
from wp_srgan.config import GeneratorConfig

# Keras takes seconds to import: the programs' help does without it.
if TYPE_CHECKING:
    from wp_srgan.gan import WpSrgan

STAGES = (1, 2)


def stage_dir(run_dir: str | Path, stage: int) -> Path:
    """The folder of a stage: both stages of a run lie in one folder."""
    return Path(run_dir) / f"stage{stage}"


def start_from_stage_1(model: WpSrgan, run_dir: str | Path) -> None:
    """Loads stage 1's generator and discriminator, as the paper starts stage 2.

    Args:
        model: The stage-2 model; a discriminator that it lacks is not loaded.
        run_dir: The run folder, the parent of `stage1`.

    Raises:
        DataError: Stage 1 is not there, or without its discriminator; the message says how to
            make it.
    """
    from srgan.runs.weights import load_weights

    folder = stage_dir(run_dir, 1)
    needed = [GENERATOR] + ([DISCRIMINATOR] if model.discriminator is not None else [])
    for name in needed:
        if not (folder / name).is_file():
            raise DataError(
                f"stage 2 starts from stage 1, but there is no {folder / name}; make it by "
                f"python -m wp_srgan.train --stage=1 --run_dir={run_dir}"
                + (" with the adversarial loss on" if name == DISCRIMINATOR else "")
            )
    load_weights(model.generator, folder / GENERATOR)
    if model.discriminator is not None:
        load_weights(model.discriminator, folder / DISCRIMINATOR)


def check_architecture(architecture: GeneratorConfig, run_dir: str | Path) -> None:
    """Compares stage 2's generator with stage 1's, whose weights may fit and mean another thing.

    Args:
        architecture: Stage 2's generator.
        run_dir: The run folder, the parent of `stage1`.

    Raises:
        UsageError: They differ.
        DataError: There is no stage 1.
    """
    # A setting that is younger than the run was at its default.
    defaults = dataclasses.asdict(GeneratorConfig())
    stage_1 = {**defaults, **generator_of(stage_dir(run_dir, 1))[1]}
    different = [
        f"--{name} was {stage_1.get(name)}, is {value}"
        for name, value in dataclasses.asdict(architecture).items()
        if stage_1.get(name) != value
    ]
    if different:
        raise UsageError(f"stage 1 has another generator: {', '.join(different)}")
