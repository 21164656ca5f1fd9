"""How WP-SRGAN's two stages hang together: stage 2 starts from what stage 1 left (Section 3.3)."""

from __future__ import annotations

from pathlib import Path

from sr_program.errors import DataError
from srgan.runs.run_dir import DISCRIMINATOR, GENERATOR

STAGES = (1, 2)


def stage_dir(run_dir: str | Path, stage: int) -> Path:
    """The folder of a stage: both stages of a run lie in one folder."""
    return Path(run_dir) / f"stage{stage}"


def stage_1_of(run_dir: str | Path, adversarial: bool) -> Path:
    """The folder of the stage 1 that stage 2 starts from.

    Args:
        run_dir: The run folder, the parent of both stages.
        adversarial: Whether stage 2 needs its discriminator too.

    Raises:
        DataError: Stage 1 is not there, or without its discriminator; the message says how to
            make it.
    """
    folder = stage_dir(run_dir, 1)
    for name in (GENERATOR, DISCRIMINATOR) if adversarial else (GENERATOR,):
        if not (folder / name).is_file():
            raise DataError(
                f"stage 2 starts from stage 1, but there is no {folder / name}; make it by "
                f"python -m wp_srgan.train --stage=1 --run_dir={run_dir}"
                + (" with the adversarial loss on" if name == DISCRIMINATOR else "")
                + ", or name another run by --init_run"
            )
    return folder
