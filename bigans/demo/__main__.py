"""Opens the page with the live knob, for a browser on this machine.

python -m bigans.demo

Drop a photo: both generators run once, and the knob merges what they have made. The page needs no
network and sends nothing to anybody; only this machine can reach it. Ctrl-C ends it.

Needs the extra demo: pip install 'bi-gans-st[demo]'
"""

import dataclasses
import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bigans.models.names import (
    FUSED_HELP,
    PARTS,
    PRETRAINED,
    RUNTIME_HELP,
    RUNTIMES,
    ModelName,
    Runtime,
    of_pair,
    parse,
    require_model,
)
from bigans.pretrained.pairs import PAIRS
from sr_program import dataclass_flags, entry_point
from sr_program.errors import UsageError
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.precision import PRECISIONS
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

# --help and a wrong flag do without NumPy.
if TYPE_CHECKING:
    from bigans.demo.settings import PageSettings, Weights
    from bigans.upscaler.upscaler import Upscaler


@dataclasses.dataclass(frozen=True)
class PageConfig:
    """The page."""

    port: int = setting(7860, "Port of the page; 0 takes any free one.")
    open: bool = setting(False, "Whether to open the page in a browser.")
    model: str = setting(
        "pretrained", f"{FUSED_HELP} The page lets a person choose between the shipped pairs."
    )
    runtime: Runtime = setting("tensorflow", RUNTIME_HELP, RUNTIMES)
    precision: str = setting(
        "", "As for bigans-upscale; empty: float32, or what a model is for.", ("", *PRECISIONS)
    )
    max_pixels: int = setting(
        1_000_000, "Photos with more are refused; a result has 16 times as many."
    )
    max_file_mb: float = setting(64.0, "Largest file of a photo, in 10^6 bytes.")
    kept_mb: float = setting(
        2000.0,
        "Memory for the photos of all visitors, in 10^6 bytes: 0.5 for each 1000 pixels of a "
        "photo. The oldest make room.",
    )
    niqe_parameters: str = setting(
        "",
        "NIQE's file, modelparameters.mat; if empty, the one that the evaluation has downloaded. "
        "Without it NIQE is not shown.",
    )

    def check(self) -> None:
        """Refuses numbers that cannot be.

        Raises:
            UsageError: One is out of its range.
        """
        if not 0 <= self.port <= 65535:
            raise UsageError(f"--port must be in 0 to 65535, got {self.port}")
        for name, least in (("max_pixels", 1), ("max_file_mb", 0.001), ("kept_mb", 1)):
            if not getattr(self, name) >= least:
                raise UsageError(f"--{name} must be at least {least}, got {getattr(self, name)}")


DEFAULTS = PageConfig()


def main(arguments: list[str]) -> None:
    """Runs the page until Ctrl-C."""
    entry_point.refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    config.check()
    require_model(parse(config.model))
    require_extra("demo")
    entry_point.warnings_only()
    from bigans.demo.server import PageServer, open_port

    port = open_port(config.port)
    with tempfile.TemporaryDirectory(prefix="bigans_page_") as folder:
        settings = _settings(config, Path(folder))
        with PageServer(settings, port) as page:
            print(f"The page is at {page.url} (Ctrl-C ends it)", flush=True)
            if config.open:
                webbrowser.open(page.url)
            page.wait()


def _settings(config: PageConfig, folder: Path) -> "PageSettings":
    from bigans.demo.settings import PageSettings
    from sr_images.niqe import NIQE_PARAMETERS, Niqe
    from sr_program.files.downloads import cached

    parameters = config.niqe_parameters or cached(NIQE_PARAMETERS)
    weights = tuple(_weights(*choice, config) for choice in _choices(config.model))
    # A person's first photo does not wait for them. The others are loaded when they are chosen.
    _ = weights[0].upscaler
    return PageSettings(
        weights=weights,
        niqe=Niqe(parameters) if parameters else None,
        folder=folder,
        max_pixels=config.max_pixels,
        max_file_bytes=int(config.max_file_mb * 1e6),
        max_bytes=int(config.kept_mb * 1e6),
    )


def _choices(model: str) -> list[tuple[str, str]]:
    """The weights that a person can choose, and the names of their models."""
    if parse(model) != ModelName(PRETRAINED, PARTS[0]):
        return [("model", model)]
    return [(pair, of_pair(model, pair, given=False)) for pair in PAIRS]


def _weights(pair: str, name: str, config: PageConfig) -> "Weights":
    from bigans.demo.settings import TITLES, Weights
    from bigans.models.fingerprint import fingerprint
    from bigans.models.runtime import Computing

    precision = config.precision or None
    if Computing(config.runtime, precision).check(name) == "tensorflow":
        import_tensorflow_quietly()
    told = {
        "model": fingerprint(name),
        "precision": precision,
        "runtime": None if config.runtime == "tensorflow" else config.runtime,
    }
    settings = {key: text for key, text in told.items() if text}
    return Weights(pair, lambda: _loaded(name, config), settings, TITLES.get(pair, ""))


def _loaded(name: str, config: PageConfig) -> "Upscaler":
    from bigans.demo.kept_photo import require_fused
    from bigans.upscaler.upscaler import Upscaler

    upscaler = Upscaler(name, runtime=config.runtime, precision=config.precision or None)
    require_fused(upscaler.model, name)
    return upscaler


def cli_main() -> NoReturn:
    """Runs the program."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
