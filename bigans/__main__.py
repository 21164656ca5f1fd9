"""Enlarges photos.

python -m bigans PHOTO [PHOTO... | DIR | -] [--output=OUT]

OUT is a folder, the current one if left out, in which results are named STEM_x4.png; for a single
photo it may be a file name, whose suffix names the format. DIR stands for the pictures inside it. -
is standard input and, as OUT, standard output. What cannot be read is named and skipped.

Exit code: 0 all done, 1 some photos failed, 2 the command is wrong.
"""

import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from absl import flags

from bigans.models.names import (
    MODEL_HELP,
    PARTS,
    PRETRAINED,
    RUNTIME_HELP,
    RUNTIMES,
    of_pair,
    parse,
    require_model,
)
from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, WEIGHTS_HELP
from bigans.upscaler.enlarging import SCALES, Enlarging
from bigans.upscaler.planning.exists import EXISTS
from sr_images.formats import WRITABLE
from sr_images.limits import Limits
from sr_program import entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError
from sr_program.flag_names import in_flags
from sr_program.help_page import put_under
from sr_program.machine.precision import PRECISIONS
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

# NumPy and TensorFlow take seconds to import: --help and a wrong flag do without them.
if TYPE_CHECKING:
    from bigans.upscaler.job import Job
    from bigans.upscaler.tiles.tiling import Tiling
    from bigans.upscaler.upscaler import Upscaler

_LIMITS = Limits()

_OUTPUT = flags.DEFINE_string(
    "output",
    ".",
    "Folder or, for one photo, file of the result; the current folder if left out.",
    short_name="o",
)
_XI = flags.DEFINE_float(
    "xi",
    None,
    f"How far from the faithful image (0) to the vivid one (1); {DEFAULT_XI} if left out.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_MAX_DEVIATION = flags.DEFINE_float(
    "max_deviation",
    None,
    "Instead of --xi: the most grey levels by which a value may depart from the faithful image.",
    lower_bound=0.0,
)
_SCALE = flags.DEFINE_enum(
    "scale", None, SCALES, "How many times larger the result is; 4 if left out."
)
_SIZE = flags.DEFINE_string("size", None, "Instead of --scale: WIDTHxHEIGHT of the result.")
_CONSISTENT = flags.DEFINE_bool(
    "consistent", False, "Make a result that, reduced again, gives the photo within 1 grey level."
)
_FORMAT = flags.DEFINE_enum(
    "format",
    None,
    [suffix[1:] for suffix in WRITABLE],
    "Format of results in a folder (png if left out) and on standard output (the photo's if left "
    "out).",
    case_sensitive=False,
)
_QUALITY = flags.DEFINE_integer(
    "quality",
    None,
    "Quality of JPEG (95 if left out), WebP (lossless if left out), AVIF, HEIC and JPEG XL.",
    1,
    100,
)
_STRIP: Any = flags.DEFINE_enum(
    "strip", "none", ("none", "gps", "all"), "Which metadata are left out: the place, or all."
)
_ICC: Any = flags.DEFINE_enum(
    "icc", "keep", ("keep", "convert"), "Keeps colour profiles, or converts the pixels to sRGB."
)
_SUFFIX = flags.DEFINE_string(
    "suffix", None, "End of the results' names in a folder; _x4 if left out, _x2 for --scale=2."
)
_RECURSIVE: Any = flags.DEFINE_bool(
    "recursive", False, "Take sub folders, too; results lie in folders of the same names."
)
_EXISTS: Any = flags.DEFINE_enum(
    "exists",
    "overwrite",
    EXISTS,
    "What happens if a result exists. skip keeps it if photo, settings and model are the same as "
    "when it was made, and keeps files of others; rename puts a number behind the new name.",
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Only tell what would be done.")
_REPORT = flags.DEFINE_string("report", None, "JSON file with an entry for each photo.")
_VERBOSE = flags.DEFINE_bool("verbose", False, "Tell of each photo that is done.")
_MODEL = flags.DEFINE_string("model", "pretrained", MODEL_HELP)
_WEIGHTS: Any = flags.DEFINE_enum("weights", DEFAULT_PAIR, PAIRS, WEIGHTS_HELP)
_RUNTIME: Any = flags.DEFINE_enum("runtime", "tensorflow", RUNTIMES, RUNTIME_HELP)
_PRECISION = flags.DEFINE_enum(
    "precision",
    None,
    PRECISIONS,
    "What the shipped models, and any in OpenVINO, compute in: float32 (if left out), bfloat16, "
    "which is faster where the machine has it, or auto: whichever suits this machine.",
)
_MEMORY_MB = flags.DEFINE_float(
    "memory_mb",
    None,
    "Memory that the program may use in all, in 10^6 bytes; photos that need more are enlarged in "
    "tiles. 1450 to 2700, by the photo's size, if left out; less where less is free. inf: no "
    "limit.",
)
_OVERLAP = flags.DEFINE_integer(
    "overlap",
    None,
    "Pixels of the photo that a tile sees beyond its own, at each side. 12 if left out, which "
    "keeps every value within 1 grey level of the untiled result; 60 gives exactly that result.",
    lower_bound=0,
)
_SCRATCH_DIR = flags.DEFINE_string(
    "scratch_dir",
    None,
    "Folder for scratch data of a tiled photo, 384 bytes for each of its pixels; the result's "
    "folder if left out.",
)

_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels", _LIMITS.max_pixels, "Photos with more are refused.", lower_bound=1
)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames",
    _LIMITS.max_frames,
    "Animations with more frames, and documents with more pages, are refused.",
    1,
)
_MAX_RATIO = flags.DEFINE_float(
    "max_ratio",
    _LIMITS.max_ratio,
    "Files that become more than this many times larger when decoded are refused.",
    1,
)

for _heading, _names in {
    "photos and results": "output suffix recursive exists dry_run report verbose",
    "files": "format quality strip icc max_pixels max_frames max_ratio",
    "how they are enlarged": "xi max_deviation scale size consistent",
    "model and machine": "model weights runtime precision memory_mb overlap scratch_dir",
}.items():
    for _name in _names.split():
        put_under(_heading, _name)


def main(arguments: list[str]) -> int:
    """Enlarges the photos that the command line names; returns the exit code."""
    _check_flags(arguments)
    entry_point.warnings_only()  # --verbosity=0 tells what the first run builds
    from tqdm import tqdm

    from bigans.upscaler.job import carry_out

    job = _job(arguments)

    def say(line: str) -> None:
        tqdm.write(f"bigans: {in_flags(line, flags.FLAGS)}", file=sys.stderr)

    return carry_out(job, functools.partial(_load, job.tiling), say)


def _check_flags(arguments: list[str]) -> None:
    if not arguments:
        raise UsageError("name at least one photo or folder")
    if not _OUTPUT.value:
        raise UsageError("--output is empty: name a folder or, for one photo, a file")
    name = parse(_model())
    require_model(name)
    for first, second in ((_XI, _MAX_DEVIATION), (_SCALE, _SIZE)):
        if first.value is not None and second.value is not None:
            raise UsageError(f"--{first.name} and --{second.name} exclude each other")
    if _CONSISTENT.value and _MAX_DEVIATION.value is not None:
        raise UsageError(f"--{_CONSISTENT.name} and --{_MAX_DEVIATION.name} exclude each other")
    for flag in (_XI, _MAX_DEVIATION, _MAX_RATIO):
        if flag.value is not None and flag.value != flag.value:
            raise UsageError(f"--{flag.name} is not a number")
    for flag in (_XI, _MAX_DEVIATION):
        if flag.value is not None and name.kind == PRETRAINED and name.rest != PARTS[0]:
            raise UsageError(f"--{flag.name} has no meaning for --model={name}")
    _check_texts()


def _check_texts() -> None:
    if _SIZE.value is not None and not re.fullmatch(r"[1-9]\d{0,8}x[1-9]\d{0,8}", _SIZE.value):
        raise UsageError(f"--size={_SIZE.value} is no size; write WIDTHxHEIGHT, as 1920x1080")
    if re.search(r"[/\\\0]", _SUFFIX.value or ""):
        raise UsageError(f"--suffix={_SUFFIX.value} is a part of a file name, without slashes")


def _job(arguments: list[str]) -> "Job":
    from bigans.upscaler.job import Job
    from bigans.upscaler.planning.plan import Order
    from sr_images.encoding import Encoding

    scale = _SCALE.value or "4"
    suffix = f"_{_SIZE.value}" if _SIZE.value else f"_x{scale}"
    width, height = map(int, (_SIZE.value or "0x0").split("x"))
    return Job(
        photos=arguments,
        order=Order(
            output=_OUTPUT.value,
            suffix=suffix if _SUFFIX.value is None else _SUFFIX.value,
            recursive=_RECURSIVE.value,
            exists=_EXISTS.value,
            encoding=Encoding(
                format=_FORMAT.value,
                quality=_QUALITY.value,
                strip=_STRIP.value,
                icc=_ICC.value,
            ),
        ),
        enlarging=Enlarging(
            xi=_XI.value,
            max_deviation=_MAX_DEVIATION.value,
            scale=float(scale),
            size=(width, height) if _SIZE.value else None,
            consistent=_CONSISTENT.value,
        ),
        tiling=_tiling(),
        limits=Limits(_MAX_PIXELS.value, _MAX_FRAMES.value, _MAX_RATIO.value),
        model=_model(),
        precision=_PRECISION.value,
        runtime=_RUNTIME.value,
        report=Path(_REPORT.value) if _REPORT.value else None,
        dry_run=_DRY_RUN.value,
        verbose=_VERBOSE.value,
    )


def _model() -> str:
    return of_pair(_MODEL.value, _WEIGHTS.value, given=bool(_WEIGHTS.present))


def _tiling() -> "Tiling":
    from bigans.upscaler.tiles.tiling import Tiling

    try:
        return Tiling(_MEMORY_MB.value, _OVERLAP.value, _SCRATCH_DIR.value)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _load(tiling: "Tiling") -> "Upscaler":
    from bigans.models.runtime import Computing
    from bigans.upscaler.upscaler import Upscaler
    from sr_program.machine.allocator import keep_freed_memory

    keep_freed_memory()
    # A mistyped name shall not wait for TensorFlow.
    if Computing(_RUNTIME.value, _PRECISION.value).check(_model()) == "tensorflow":
        import_tensorflow_quietly()
    upscaler = Upscaler(_model(), tiling=tiling, runtime=_RUNTIME.value, precision=_PRECISION.value)
    for flag in (_XI, _MAX_DEVIATION):
        if flag.value is not None and flag.name not in upscaler.inputs:
            raise UsageError(f"{_MODEL.value} has no input {flag.name}; leave the flag out")
    return upscaler


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
