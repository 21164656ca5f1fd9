"""How long the page's knob takes, from its move to the new picture, in a browser.

    python -m benchmarks.timing.page --side=256

Needs the extra demo, playwright, Chromium, and scikit-image for the photo. Prints Markdown: the
merge alone, and the whole way: slider, request, merge, bytes, canvas, next frame. Moves come one
after the other, and scores are measured beside them as they are for a person. What a page is worth
depends on what else the machine does: the load is told.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from benchmarks.timing.interleaved import machine
from bigans.demo.choice import Choice
from bigans.demo.server import PageServer, open_port
from bigans.demo.settings import PageSettings, Weights
from bigans.demo.work import Work
from bigans.upscaler.upscaler import Upscaler
from sr_images.picture import Picture
from sr_images.pictures_out import write_picture
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class PageConfig:
    """What is measured."""

    side: int = setting(256, "Of the photo, pixels; the result has 16 times as many.")
    moves: int = setting(60, "Of the knob.")
    model: str = setting("pretrained", "A fused model.")
    chromium: str = setting("", "The browser; found by its name if empty.")


DEFAULTS = PageConfig()

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Moves the slider as a hand does, and waits for the frame with the new picture.
_MOVE = """async (value) => {
  const slider = document.querySelector("#bg-xi input[type=range]");
  const count = () => Number(document.querySelector("[data-merges]").dataset.merges);
  const before = count(), began = performance.now();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, value);
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  while (count() === before) {
    if (performance.now() - began > 10000) throw new Error("no picture came");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def percentiles(values: list[float]) -> str:
    """Median, 95th percentile and maximum of milliseconds, as cells of a table."""
    found = [*np.percentile(values, [50, 95]), max(values)]
    return " | ".join(f"{value:.0f}" for value in found)


def merge_times(work: Work, token: str, moves: int) -> list[float]:
    """Milliseconds of the merge alone, in this process."""
    kept = work.sessions.photo(token)
    times = []
    for xi in _xis(moves):
        began = time.perf_counter()
        kept.shown("result", Choice(xi=xi))
        times.append(1000 * (time.perf_counter() - began))
    return times


def browser_times(url: str, photo: Path, moves: int, chromium: str) -> list[float]:
    """Milliseconds from a move to the frame that shows its picture."""
    from playwright.sync_api import sync_playwright  # pyright: ignore[reportMissingImports]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page: Any = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(300_000)
        page.goto(url)
        page.set_input_files("#bg-drop input[type=file]", str(photo))
        page.wait_for_selector("#bg-curve svg")
        times = [page.evaluate(_MOVE, f"{xi:.2f}") for xi in _xis(moves)]
        browser.close()
    return times


def main(config: PageConfig) -> None:
    """Measures, and prints the table."""
    from skimage import data

    chromium = config.chromium or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if chromium is None:
        raise UsageError("there is no Chromium; install it, or name it by --chromium=PATH")
    import_tensorflow_quietly()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "astronaut.png"
        pixels = np.ascontiguousarray(data.astronaut()[: config.side, : config.side])
        write_picture(photo, Picture(pixels))
        weights = Weights("shipped", lambda: Upscaler(config.model))
        work = Work(PageSettings((weights,), None, Path(folder) / "page"))
        token = work.take("benchmark", [photo], lambda share, text: None).tokens[0]
        merges = merge_times(work, token, config.moves)
        with PageServer(work.settings, open_port(0), work=work) as page:
            moves = browser_times(page.url, photo, config.moves, chromium)
    height, width = pixels.shape[0] * 4, pixels.shape[1] * 4
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {config.moves} moves\n")
    print(f"| {width}x{height}, ms | median | 95th percentile | most |\n|---|---|---|---|")
    print(f"| merge alone | {percentiles(merges)} |")
    print(f"| from the move to the picture | {percentiles(moves)} |")


def _xis(moves: int) -> list[float]:
    """Hundredths, each another than the one before."""
    return [0.05 + 0.01 * (37 * i % 90) for i in range(moves)]


def cli_main() -> NoReturn:
    """Runs the program."""
    dataclass_flags.define(DEFAULTS)
    run(_main)


def _main(arguments: list[str]) -> None:
    refuse_positional(arguments)
    warnings_only()
    main(dataclass_flags.read(DEFAULTS))


if __name__ == "__main__":
    cli_main()
