"""The page with a toy model, and a browser. Needs the packages of requirements-demo.in."""

import contextlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bigans import Tiling, Upscaler
from tests.test_bigans.upscaler.numpy_model import NumpyModel

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class RunningPage(NamedTuple):
    url: str
    model: Any
    work: Any


@contextlib.contextmanager
def run_page(upscaler: Upscaler, folder: Path, **limits: Any) -> Iterator[RunningPage]:
    """A page on a port of its own."""
    pytest.importorskip("gradio", reason="needs the extra demo; see requirements-demo.in")
    from bigans.demo.server import PageServer, open_port
    from bigans.demo.settings import PageSettings, Weights
    from bigans.demo.work import Work

    settings = PageSettings(
        **{
            "weights": (Weights("toy", lambda: upscaler, {"model": "toy"}),),
            "niqe": None,
            **limits,
        },
        folder=folder,
    )
    work = Work(settings)
    with PageServer(settings, open_port(0), work=work) as page:
        yield RunningPage(page.url, upscaler.model, work)


@pytest.fixture(scope="session")
def running_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """A page whose generators are of NumPy."""
    upscaler = Upscaler.of_model(NumpyModel(), tiling=Tiling(float("inf"), overlap=0))
    limits = {"max_pixels": 70_000, "max_file_bytes": 400_000}
    with run_page(upscaler, tmp_path_factory.mktemp("page"), **limits) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="see requirements-demo.in")
    found = os.environ.get("BIGANS_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
    if not found:
        pytest.skip("needs Chromium (apt install chromium), or BIGANS_CHROMIUM=PATH")
    with sync_api.sync_playwright() as playwright:
        # As root, Chromium refuses its sandbox.
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


class Visitor:
    """Somebody with a browser; what a test does and sees there."""

    def __init__(self, page: Any, running: RunningPage) -> None:
        self.page, self.running = page, running
        self.outside: list[str] = []
        page.on("request", self._note)
        page.goto(running.url)
        page.wait_for_selector("#bg-view .bg-stage")

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.running.url, "data:", "blob:")):
            self.outside.append(request.url)

    def drop(self, *paths: Path) -> None:
        self.page.set_input_files("#bg-drop input[type=file]", [str(path) for path in paths])

    def merges(self) -> int:
        script = "document.querySelector('[data-merges]')?.dataset.merges ?? 0"
        return int(self.page.evaluate(script))

    @contextlib.contextmanager
    def merged(self, of: str = "") -> Iterator[None]:
        """Waits until the picture has been merged anew, and both layers are of the photo `of`.

        A choice that was made before may be merged meanwhile; where another photo is waited for,
        that must not count.
        """
        before = self.merges()
        yield
        script = f"(document.querySelector('[data-merges]')?.dataset.merges ?? 0) > {before}"
        self.page.wait_for_function(script)
        script = """name => [...document.querySelectorAll('canvas.bg-left, canvas.bg-right')].every(
            canvas => (canvas.getAttribute('aria-label') ?? '').startsWith(name))"""
        self.page.wait_for_function(script, arg=of)

    @contextlib.contextmanager
    def measured(self, of: str = "") -> Iterator[None]:
        """Waits until the scores are those of another choice or photo, and of the photo `of`."""
        script = "document.querySelector('#bg-scores caption')?.textContent ?? ''"
        before = self.page.evaluate(script)
        yield
        self.page.wait_for_function("before => (" + script + ") !== before", arg=before)
        self.page.wait_for_function("name => (" + script + ").startsWith(name)", arg=of)

    def pixels(self, side: str) -> np.ndarray:
        """A canvas, uint8 [H, W, 3]."""
        import base64

        from PIL import Image

        url = self.page.evaluate(f"document.querySelector('canvas.bg-{side}').toDataURL()")
        image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        return np.asarray(image.convert("RGB"))

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def set_slider(self, name: str, value: float) -> None:
        self.page.fill(f"#bg-{name} input[type=number]", f"{value:g}")


@pytest.fixture
def visit(browser: Any, running_page: RunningPage) -> Iterator[Callable[..., Visitor]]:
    """Opens the page as somebody new; told of the size of the window."""
    contexts = []

    def open_page(
        width: int = 1280, height: int = 1000, on: RunningPage = running_page, **options: Any
    ) -> Visitor:
        size: Any = {"width": width, "height": height}
        context = browser.new_context(viewport=size, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return Visitor(page, on)

    yield open_page
    for context in contexts:
        context.close()
