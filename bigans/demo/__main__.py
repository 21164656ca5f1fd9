"""Opens the page with the live knob, for a browser on this machine.

python -m bigans.demo

Drop a photo: both generators run once, and the knob merges what they have made. The page needs no
network and tells nobody anything; only this machine can reach it. Ctrl-C ends it.

Needs the extra demo: pip install 'bi-gans-st[demo]'
"""

import tempfile
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from absl import flags

from bigans.models.names import FUSED_HELP, RUNTIME_HELP, RUNTIMES, parse, require_model
from sr_program import entry_point
from sr_program.machine.optional_packages import require_extra
from sr_program.machine.precision import PRECISIONS
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

# --help and a wrong flag do without NumPy.
if TYPE_CHECKING:
    from bigans.demo.settings import PageSettings, Weights

_PORT = flags.DEFINE_integer("port", 7860, "Of the page; 0 takes any that is free.", 0, 65535)
_OPEN = flags.DEFINE_bool("open", False, "Whether to open the page in a browser.")
_MODEL = flags.DEFINE_string("model", "pretrained", FUSED_HELP)
_RUNTIME: Any = flags.DEFINE_enum("runtime", "tensorflow", RUNTIMES, RUNTIME_HELP)
_PRECISION = flags.DEFINE_enum("precision", None, PRECISIONS, "As of bigans-upscale.")
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", 1_000_000, "Photos with more are refused; a result has 16 times as many.", 1
)
_MAX_FILE_MB = flags.DEFINE_float("max_file_mb", 64, "Of a photo's file, 10^6 bytes.", 0.001)
_KEPT_MB = flags.DEFINE_float(
    "kept_mb",
    2000,
    "Memory for the photos of all visitors, 10^6 bytes: 0.5 for each 1000 pixels of a photo. The "
    "oldest make room.",
    1,
)
_NIQE_PARAMETERS = flags.DEFINE_string(
    "niqe_parameters",
    "",
    "NIQE's file, modelparameters.mat; if empty, the one that the evaluation has downloaded. "
    "Without it NIQE is not shown.",
)


def main(arguments: list[str]) -> None:
    """Runs the page until Ctrl-C."""
    entry_point.refuse_positional(arguments)
    require_model(parse(_MODEL.value))
    require_extra("demo")
    entry_point.warnings_only()
    from bigans.demo.server import PageServer, open_port

    port = open_port(_PORT.value)
    with tempfile.TemporaryDirectory(prefix="bigans_page_") as folder:
        settings = _settings(Path(folder))
        with PageServer(settings, port) as page:
            print(f"The page is at {page.url} (Ctrl-C ends it)", flush=True)
            if _OPEN.value:
                webbrowser.open(page.url)
            page.wait()


def _settings(folder: Path) -> "PageSettings":
    from bigans.demo.settings import PageSettings
    from sr_images.niqe import NIQE_PARAMETERS, Niqe
    from sr_program.files.downloads import cached

    parameters = _NIQE_PARAMETERS.value or cached(NIQE_PARAMETERS)
    return PageSettings(
        # One model today. A second one, for photos of cameras, becomes a choice on the page.
        weights=(_weights("clean photos", _MODEL.value),),
        niqe=Niqe(parameters) if parameters else None,
        folder=folder,
        max_pixels=_MAX_PIXELS.value,
        max_file_bytes=int(_MAX_FILE_MB.value * 1e6),
        max_bytes=int(_KEPT_MB.value * 1e6),
    )


def _weights(title: str, model: str) -> "Weights":
    from bigans.demo.kept_photo import require_fused
    from bigans.demo.settings import Weights
    from bigans.models.fingerprint import fingerprint
    from bigans.models.runtime import check_model
    from bigans.upscaler.upscaler import Upscaler

    if check_model(model, _RUNTIME.value, _PRECISION.value) == "tensorflow":
        import_tensorflow_quietly()
    upscaler = Upscaler(model, runtime=_RUNTIME.value, precision=_PRECISION.value)
    require_fused(upscaler.model, model)
    told = {
        "model": fingerprint(model),
        "precision": _PRECISION.value,
        "runtime": None if _RUNTIME.value == "tensorflow" else _RUNTIME.value,
    }
    return Weights(title, upscaler, {name: text for name, text in told.items() if text})


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
