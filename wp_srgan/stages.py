"""How WP-SRGAN's two stages hang together: stage 2 starts from what stage 1 left (Section 3.3)."""

from __future__ import annotations

from pathlib import Path

from cli.errors import DataError
from srgan.run_dir import DISCRIMINATOR, GENERATOR
from srgan.weights import load_weights
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
