r"""A sheet of crops of compressed and noisy photos: bicubic, shipped generators, other weights, HR.

    python -m benchmarks.studies.degraded_sheet --val_dir=VAL --weights=mr_srgan=FILE \
        --rows="kodim08:JPEG q50,kodim24:noise σ 5" --photos=cat.png --output=crops.png

A row a place. Of --rows it is an image of VAL, by a part of its name, and one of the degradations
of `degraded_validation`; of --photos a file, which has no original.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np

from benchmarks.shipped import Enlarge, Image, methods_of
from benchmarks.studies.degraded_lr import degraded_versions
from bigans.upscaler.upscaler import Upscaler
from evaluation.sheets.rows import draw_rows, most_detailed
from sr_data.pairs import SCALE
from sr_data.sources import PairedFolder
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb, write_rgb
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class SheetConfig:
    """What is drawn."""

    val_dir: str = setting("", "Validation images, as --val_dir of the trainers. Required.")
    generators: str = setting("mr_srgan", "Shipped generators, by commas; may be empty.")
    weights: str = setting("", "NAME=FILE, by commas: each a column for other weights of NAME.")
    merged: float = setting(-1.0, "A column for the shipped photo pair at this ξ; below 0: none.")
    rows: str = setting("", "IMAGE:DEGRADATION, by commas. IMAGE is a part of one name.")
    photos: str = setting("", "Files, by commas.")
    crop_size: int = setting(40, "Side of a crop, LR pixels: where the photo has most detail.")
    zoom: int = setting(2, "Each pixel of a result becomes a square of so many.")
    output: str = setting("", "The sheet; its suffix names the format. Required.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("val_dir", "output"):
            if not getattr(self, name):
                raise UsageError(f"--{name} is required")
        if not (self.rows or self.photos):
            raise UsageError("name --rows or --photos: there is nothing to draw")
        if self.merged > 1:
            raise UsageError(f"--merged must be at most 1, got {self.merged}")
        for name in ("crop_size", "zoom"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, got {getattr(self, name)}")


DEFAULTS = SheetConfig()


def degraded_pair(folder: PairedFolder, row: str) -> tuple[Image, Image]:
    """The original and the degraded LR image of a row.

    Args:
        folder: Where it is.
        row: IMAGE:DEGRADATION.

    Raises:
        UsageError: No image, more than one, or no degradation has this name.
    """
    part, _, degradation = row.partition(":")
    found = [number for number, name in enumerate(folder.names) if part in name]
    if len(found) != 1:
        raise UsageError(f"--rows={row}: {len(found)} images have {part!r} in their names, not one")
    _, hr, lr = folder[found[0]]
    versions = degraded_versions(lr, found[0])
    if degradation not in versions:
        raise UsageError(f"--rows={row}: {degradation!r} is none of {', '.join(versions)}")
    return hr, versions[degradation]


def crops_of(lr: Image, hr: Image | None, methods: Mapping[str, Enlarge], side: int) -> list[Image]:
    """The same place in every result, and in the original; white where there is none.

    Args:
        lr: uint8 [H, W, 3]; the whole image is enlarged.
        hr: uint8 [4H, 4W, 3], None if there is none.
        methods: What enlarges it.
        side: Of the place, LR pixels.
    """
    place, _ = most_detailed(bicubic_upscale(lr) if hr is None else hr, SCALE * side)
    versions = [enlarge(lr) for enlarge in methods.values()]
    versions.append(np.full_like(versions[0], 255) if hr is None else hr)
    return [
        one[place.y : place.y + place.height, place.x : place.x + place.width] for one in versions
    ]


def draw(config: SheetConfig) -> Image:
    """The sheet.

    Raises:
        UsageError: A flag has a wrong value.
        DataError: Images or weights cannot be used.
    """
    config.check()
    folder = PairedFolder(config.val_dir)
    names, items, rows, photos = (
        list(filter(None, text.split(",")))
        for text in (config.generators, config.weights, config.rows, config.photos)
    )
    pictures = [(row, *degraded_pair(folder, row)) for row in rows]
    pictures += [(Path(path).stem, None, read_rgb(Path(path))) for path in photos]
    methods = methods_of(names, items)
    if config.merged >= 0:
        upscale = Upscaler.from_pretrained(weights="photo")
        # The font that comes with Pillow has no Greek letters.
        methods[f"photo, xi {config.merged:g}"] = lambda lr: upscale(lr, xi=config.merged)
    drawn = [(row, crops_of(lr, hr, methods, config.crop_size)) for row, hr, lr in pictures]
    drawn = [(row.replace("σ", "sigma"), crops) for row, crops in drawn]
    return draw_rows(drawn, [*map(_label, methods), "HR"], config.zoom)


def _label(method: str) -> str:
    """The name of a column: of other weights that of their run folder."""
    name, _, path = method.partition("=")
    return f"{name}, {Path(path).resolve().parent.name}" if path else name


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    write_rgb(config.output, draw(config))
    print(config.output)


if __name__ == "__main__":
    cli_main()
