"""Makes, scores and draws the versions that a figure of the paper compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from bigans.models.runtime import Computing
from evaluation.config import Prepared
from evaluation.methods.method import Image, Method
from evaluation.reports.report import DIGITS, HEADINGS
from evaluation.scoring.protocol import Scorer, Scores
from evaluation.sheets.config import SheetsConfig
from evaluation.sheets.sheet import Crop, Panel, draw_sheet, where_they_differ
from evaluation.tables.paper_tables import FIRST_STAGE, SECOND_STAGE, methods
from sr_data.benchmarks import Benchmark, BenchmarkImage
from sr_images.image_io import write_rgb
from sr_program.errors import DataError

# Figure of the paper → label → our variant; HR is put where the paper puts it.
HR = "HR"
COLUMNS = {
    "4": {HR: HR, FIRST_STAGE: FIRST_STAGE, SECOND_STAGE: "WP-SRGAN"},
    "6": {HR: HR, "MR-SRGAN": "MR-SRGAN", "WP-SRGAN": "WP-SRGAN", "Bi-GANs-ST": "Bi-GANs-ST"},
    "7": {
        "Bicubic": "Bicubic",
        "MR-SRGAN": "MR-SRGAN",
        "Bi-GANs-ST": "Bi-GANs-ST",
        "WP-SRGAN": "WP-SRGAN",
        HR: HR,
    },
}
_CAPTION = (("psnr", "ssim"), ("perceptual_index", "niqe"), ("rmse",))


def draw_sheets(
    config: SheetsConfig,
    prepared: Prepared,
    places: Sequence[tuple[int, int]],
    crop: Crop | None,
) -> Iterator[Path | DataError]:
    """Draws a sheet for each image.

    Args:
        config: What is compared, and how large it is shown.
        prepared: The sets, and what can be measured.
        places: (set, image) numbers.
        crop: The rectangle; None: found for each image.

    Yields:
        Each file as it is written; for an image that cannot be read, or that the rectangle does not
        lie in, the error instead.

    Raises:
        DataError: A model is missing or unfit.
    """
    method = methods(
        config.model,
        config.stage1,
        config.xi,
        computing=Computing(config.runtime, config.precision or None),
    )
    scorer = Scorer(prepared.instruments)
    for number, index in tqdm(places, unit="sheet", disable=None):
        benchmark = prepared.benchmarks[number]
        try:
            sheet = _sheet(config, method, scorer, benchmark, index, crop)
        except DataError as error:
            yield error
            continue
        path = prepared.output / f"{benchmark.name}_{benchmark.names[index]}.png"
        write_rgb(path, sheet)
        yield path


def _sheet(
    config: SheetsConfig,
    method: Method,
    scorer: Scorer,
    benchmark: Benchmark,
    index: int,
    crop: Crop | None,
) -> Image:
    image = benchmark[index]
    made = method.enlarge(benchmark.name, image, method.variants)
    place = crop or where_they_differ(
        made["MR-SRGAN"], made["WP-SRGAN"], config.crop_size, config.crop_size
    )
    _check_inside(place, image)
    panels = []
    for label, variant in COLUMNS[config.figure].items():
        sr = image.hr if variant == HR else made[variant]
        scores = scorer(image.hr, image.lr, sr, is_gray=image.is_gray)
        panels.append(Panel(label, sr, caption(scores, is_hr=variant == HR)))
    title = f"{benchmark.name}/{image.name}"
    return draw_sheet(image.hr, panels, place, title=title, zoom=config.zoom)


def caption(scores: Scores, *, is_hr: bool) -> tuple[str, ...]:
    """The scores of a version, a line a kind; of HR those that need no reference."""
    lines = []
    for names in _CAPTION:
        if is_hr and names != ("perceptual_index", "niqe"):
            continue
        shown = [
            f"{HEADINGS[name]} {scores.values[name]:.{DIGITS[name]}f}"
            for name in names
            if name in scores.values
        ]
        if shown:
            lines.append(", ".join(shown))
    return tuple(lines)


def _check_inside(crop: Crop, image: BenchmarkImage) -> None:
    height, width = image.hr.shape[:2]
    if crop.x + crop.width > width or crop.y + crop.height > height:
        raise DataError(
            f"{image.name} is {width}x{height} pixels; --crop={','.join(map(str, crop))} does not "
            "lie in it"
        )
