r"""Draws visual comparison sheets, as in Figures 4, 6 and 7 of the paper.

    python -m evaluation.sheets --benchmarks=Set14 --images=comic --data_dir=DATA --output=OUT

For each image OUT/SET_NAME.png: the original with a framed crop, and the crop of every version
(--figure=4: the two stages of WP-SRGAN; 6: the three models; 7: bicubic and the three models) with
their scores. Without --crop, it is where WP-SRGAN departs most from MR-SRGAN.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from evaluation.config import Prepared, of_chosen_weights, prepare
from evaluation.sheets.config import SheetsConfig
from sr_program import dataclass_flags, entry_point
from sr_program.errors import DataError, UsageError, in_one_line
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

if TYPE_CHECKING:
    from evaluation.sheets.sheet import Crop


DEFAULTS = SheetsConfig()


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def parse_crop(text: str) -> Crop | None:
    """The rectangle that --crop names; None where it is empty."""
    from evaluation.sheets.sheet import Crop

    if not text:
        return None
    numbers = text.split(",")
    if len(numbers) != 4 or not all(n.strip().isdecimal() for n in numbers):
        raise UsageError(f"--crop={text} is not X,Y,WIDTH,HEIGHT in whole pixels")
    crop = Crop(*map(int, numbers))
    if crop.width < 1 or crop.height < 1:
        raise UsageError(f"--crop={text} is empty")
    return crop


def wanted_images(prepared: Prepared, images: str) -> list[tuple[int, int]]:
    """(set, image) numbers of the images that --images names."""
    everything = [
        (name, (number, index))
        for number, benchmark in enumerate(prepared.benchmarks)
        for index, name in enumerate(benchmark.names)
    ]
    if not images:
        return [place for _, place in everything]
    chosen = images.split(",")
    for name in chosen:
        if not any(name == known for known, _ in everything):
            raise DataError(f"--images={name}: no image of this name in the sets; check its name")
    return [place for name, place in everything if name in chosen]


def _main(positional: list[str]) -> int:
    entry_point.refuse_positional(positional)
    entry_point.warnings_only()
    weights_given = bool(dataclass_flags.given("weights"))
    config = of_chosen_weights(dataclass_flags.read(DEFAULTS), given=weights_given)
    from bigans.models.runtime import Computing
    from evaluation.methods.choice import check_fused_model, check_generator

    crop = parse_crop(config.crop)
    for name in ("crop_size", "zoom"):
        if getattr(config, name) < 1:
            raise UsageError(f"--{name} must be at least 1, got {getattr(config, name)}")
    if not 0 <= config.xi <= 1:
        raise UsageError(f"--xi must lie in [0, 1], got {config.xi}")
    check_fused_model(config.model, computing=Computing(config.runtime, config.precision or None))
    check_generator(config.stage1, "stage1")
    prepared = prepare(config)
    places = wanted_images(prepared, config.images)
    from evaluation.sheets.columns import draw_sheets

    import_tensorflow_quietly()
    failed = False
    for made in draw_sheets(config, prepared, places, crop):
        if isinstance(made, DataError):
            failed = True
            print(f"evaluation.sheets: {in_one_line(str(made))}", file=sys.stderr)
        else:
            print(made)
    return 1 if failed else 0


if __name__ == "__main__":
    cli_main()
