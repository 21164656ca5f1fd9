"""The best validation of a run; a score belongs to the images that it was measured on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from absl import logging

from sr_data.sources import PairedFolder
from sr_program.errors import DataError
from sr_program.files.atomic_write import atomic_file

BEST = "best.json"


@dataclasses.dataclass
class BestSoFar:
    """The best SSIM on one validation set, kept in the run folder's `best.json`.

    Attributes:
        path: The file.
        images: Fingerprint of the validation set.
        ssim: The best so far; None before the first validation.
        step: The update after which it was measured.
    """

    path: Path
    images: str
    ssim: float | None = None
    step: int | None = None

    def improved_by(self, ssim: float) -> bool:
        """Whether a score is better than all before."""
        return self.ssim is None or ssim > self.ssim

    def update(self, ssim: float, step: int) -> None:
        """Takes a better score, and writes it down."""
        self.ssim, self.step = ssim, step
        found = {"images": self.images, "ssim": ssim, "step": step}
        with atomic_file(self.path) as temporary:
            temporary.write_text(json.dumps(found, indent=2) + "\n")


def read_best(
    folder: Path, validation: PairedFolder | None, state: dict[str, Any], *, other_folder: bool
) -> BestSoFar:
    """The best so far of a run that starts or continues.

    Args:
        folder: The run folder.
        validation: The images; a run that has been scored on others starts anew.
        state: The checkpoint's. Those of older programs hold the score.
        other_folder: Whether the run has been validated in another folder until now, which tells
            for older runs that the images are others.

    Raises:
        DataError: `best.json` is damaged.
    """
    path = folder / BEST
    if validation is None:
        return BestSoFar(path, "", None, state.get("best_step"))
    best = BestSoFar(path, validation.fingerprint())
    if path.exists():
        images, ssim, step = _read(path)
        known = images == best.images
    else:
        ssim, step = state.get("best_ssim"), state.get("best_step")
        known = not other_folder
    if ssim is None or step is None:
        return best
    if known:
        best.update(ssim, step)
    else:
        logging.info(
            "%s: these validation images are new to the run; the best SSIM, %.4f of step %d on "
            "others, counts no more",
            *(validation.directory, ssim, step),
        )
    return best


def _read(path: Path) -> tuple[str, float, int]:
    """The images, the SSIM and the step."""
    try:
        found = json.loads(path.read_text())
        return str(found["images"]), float(found["ssim"]), int(found["step"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}); remove this file, the run continues and finds its "
            "best anew"
        ) from error
