"""Draws a sheet of crops as `--degradation=photo` trains on them, to look at.

    python -m benchmarks.studies.degraded_crops --data=folder:PHOTOS --output=sheet.png

Each crop stands there three times: HR, the clean LR, and the LR that training sees, both with every
pixel 4 pixels wide. Below them is what was drawn.
"""

from __future__ import annotations

import dataclasses
from math import degrees
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sr_data.degradations.photo_degradation import (
    DrawnDegradation,
    PhotoDegradation,
    draw_degradation,
)
from sr_images.image_io import from_signed, write_rgb
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_keras_quietly
from sr_program.settings import setting

# Pixels between crops, and the height of the lines of text.
_GAP, _TEXT = 6, 40
SCALE = 4


@dataclasses.dataclass(frozen=True)
class SheetConfig:
    """What is drawn."""

    data: str = setting("", "HR images, as --data of the trainers. Required.")
    output: str = setting("", "The sheet, a .png file. Required.")
    crops: int = setting(24, "How many crops.")
    columns: int = setting(3, "Crops side by side.")
    crop_size: int = setting(128, "Side of the HR crops, pixels.")
    clean_share: float = setting(0.15, "As for the trainers.")
    seed: int = setting(0, "Of the crops and of what is drawn.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        if not self.data:
            raise UsageError("--data is required: folder:DIR, tfds:NAME or prepared:DIR")
        if not self.output.lower().endswith(".png"):
            raise UsageError(f"--output is required: a .png file, got {self.output!r}")
        for name, least in {"crops": 1, "columns": 1, "crop_size": 64, "seed": 0}.items():
            if getattr(self, name) < least:
                raise UsageError(f"--{name} must be at least {least}, got {getattr(self, name)}")
        if self.crop_size % SCALE:
            raise UsageError(f"--crop_size must divide by {SCALE}, got {self.crop_size}")
        if not 0 <= self.clean_share <= 1:
            raise UsageError(f"--clean_share must be in [0, 1], got {self.clean_share}")


DEFAULTS = SheetConfig()


def describe(drawn: DrawnDegradation | None) -> list[str]:
    """What happens to a crop, in two lines."""
    if drawn is None:
        return ["clean", ""]
    first, second = [drawn.kernel], []
    if drawn.blur is not None:
        first.append(f"blur {drawn.blur.along:.2f}")
        if drawn.blur.along != drawn.blur.across:
            first[-1] += f"x{drawn.blur.across:.2f} {degrees(drawn.blur.angle):.0f}deg"
    if drawn.resize is not None:
        first.append(f"resize {drawn.resize.factor:.2f}")
    if drawn.noise is not None:
        at_128 = (128 * drawn.noise.shot + drawn.noise.read**2) ** 0.5
        second.append(f"noise {at_128:.1f}")
        if drawn.noise.corner is not None:
            second[-1] += f" mosaic {drawn.noise.smoothing:.1f}"
    second += [f"q{one.quality} {'420' if one.half_colour else '444'}" for one in drawn.jpegs]
    return [", ".join(first), ", ".join(second)]


def sheet(config: SheetConfig) -> NDArray[np.uint8]:
    """Draws the sheet, uint8 [H, W, 3].

    Raises:
        UsageError: A flag has a wrong value.
        DataError: There is no usable image.
    """
    from sr_data.patches import PatchDataset, degradation_rng
    from sr_data.sources import open_source

    config.check()
    settings = PhotoDegradation(clean_share=config.clean_share)
    source = open_source(config.data)
    (hr, clean), (_, degraded) = (
        (from_signed(hr), from_signed(lr))
        for lr, hr in (
            PatchDataset(
                source,
                crop_size=config.crop_size,
                batch_size=config.crops,
                steps_per_epoch=1,
                seed=config.seed,
                flips=False,
                degradation=degradation,
            )[0]
            for degradation in (None, settings)
        )
    )
    side = config.crop_size
    width, height = 3 * side + _GAP, side + _TEXT
    rows = -(-config.crops // config.columns)
    canvas = Image.new("RGB", (config.columns * width, rows * height), "white")
    pen = ImageDraw.Draw(canvas)
    for number in range(config.crops):
        row, column = divmod(number, config.columns)
        top, left = row * height, column * width
        wide = (one[number].repeat(SCALE, 0).repeat(SCALE, 1) for one in (clean, degraded))
        canvas.paste(Image.fromarray(np.hstack([hr[number], *wide])), (left, top))
        drawn = draw_degradation(settings, degradation_rng(config.seed, 0, 0, number))
        for line, text in enumerate(describe(drawn)):
            pen.text((left + 2, top + side + 2 + 15 * line), text, "black", font_size=13)
    return np.asarray(canvas)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    config.check()
    import_keras_quietly()
    write_rgb(Path(config.output), sheet(config))


if __name__ == "__main__":
    cli_main()
