"""Enlarges photos 4x.

python -m bigans PHOTO [PHOTO... | DIR] --output=OUT

OUT is a folder, in which results are named STEM_x4.png; for a single photo it may be a file name
(.png, .jpg, .webp, .bmp, .tif). DIR stands for the photos directly inside of it. A photo that
cannot be read is named and skipped, and the exit code is then 1. Large photos are enlarged in
tiles; results as .png and .tif are then written piece by piece.

--model=pretrained is both generators, merged as far as --xi says; pretrained:faithful and
pretrained:vivid are one of them alone; a directory is a model of your own, from fusion.export,
mr_srgan.export or wp_srgan.export.
"""

import functools
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
    parse,
    require_model,
)
from sr_program import entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError
from sr_program.flag_names import in_flags
from sr_program.machine.precision import PRECISIONS
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

# NumPy and TensorFlow take seconds to import: --help and a wrong flag do without them.
if TYPE_CHECKING:
    from bigans.upscaler.task import Task
    from bigans.upscaler.tiles.tiling import Tiling
    from bigans.upscaler.upscaler import Upscaler

_OUTPUT = flags.DEFINE_string("output", None, "Folder or, for one photo, file of the result.")
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
_MODEL = flags.DEFINE_string("model", "pretrained", MODEL_HELP)
_RUNTIME: Any = flags.DEFINE_enum("runtime", "tensorflow", RUNTIMES, RUNTIME_HELP)
_MEMORY_MB = flags.DEFINE_float(
    "memory_mb",
    None,
    "Memory of the program in all, in 10^6 bytes; photos that need more are enlarged in tiles. "
    "1450 to 2700, by the photo's size, if left out; less where less is free. inf: no limit.",
)
_OVERLAP = flags.DEFINE_integer(
    "overlap",
    None,
    "Pixels of the photo that a tile sees beyond its own, at each side. 12 if left out, which "
    "keeps every value within 1 grey level of the untiled result; 60 gives exactly that result.",
    lower_bound=0,
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    None,
    PRECISIONS,
    "What the shipped models, and any in OpenVINO, compute in: float32 (if left out), bfloat16, "
    "which is faster where the machine has it, or auto: whichever suits this machine.",
)
_SCRATCH_DIR = flags.DEFINE_string(
    "scratch_dir",
    None,
    "Folder for scratch data of a tiled photo, 384 bytes for each of its pixels; the result's "
    "folder if left out.",
)


def main(arguments: list[str]) -> int:
    """Upscales the photos that the command line names; returns the exit code."""
    _check_flags(arguments)
    entry_point.warnings_only()  # --verbosity=0 tells what the first run builds
    from tqdm import tqdm

    from bigans.upscaler.pipeline import enlarge_files
    from bigans.upscaler.planning.plan import Order, plan
    from sr_program.progress import Progress

    tiling = _tiling()
    tasks = plan(arguments, Order(output=_OUTPUT.value)).tasks
    for folder in {task.result.parent for task in tasks}:
        _make_folder(folder)
    with Progress(len(tasks), "photo") as progress:

        def report(problem: str | None) -> None:
            if problem is not None:
                tqdm.write(f"bigans: {in_flags(problem, flags.FLAGS)}", file=sys.stderr)
            progress.update()

        load = functools.partial(_load, tiling)
        problems = enlarge_files(tasks, load, _XI.value, _MAX_DEVIATION.value, report)
    _report(tasks, len(problems))
    return 1 if problems else 0


def _check_flags(arguments: list[str]) -> None:
    if not arguments:
        raise UsageError("name at least one photo or folder")
    if not _OUTPUT.value:
        raise UsageError("--output=OUT is missing: a folder or, for one photo, a file name")
    name = parse(_MODEL.value)
    require_model(name)
    if _XI.value is not None and _MAX_DEVIATION.value is not None:
        raise UsageError("--xi and --max_deviation exclude each other")
    for flag in (_XI, _MAX_DEVIATION):
        if flag.value is not None and flag.value != flag.value:
            raise UsageError(f"--{flag.name} is not a number")
    for flag in (_XI, _MAX_DEVIATION):
        if flag.value is not None and name.kind == PRETRAINED and name.rest != PARTS[0]:
            raise UsageError(f"--{flag.name} has no meaning for --model={name}")


def _tiling() -> "Tiling":
    from bigans.upscaler.tiles.tiling import Tiling

    try:
        return Tiling(_MEMORY_MB.value, _OVERLAP.value, _SCRATCH_DIR.value)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{folder} is a file; name a folder as --output") from None


def _load(tiling: "Tiling") -> "Upscaler":
    from bigans.models.runtime import check_model
    from bigans.upscaler.upscaler import Upscaler
    from sr_program.machine.allocator import keep_freed_memory

    keep_freed_memory()
    # A mistyped name shall not wait for TensorFlow.
    if check_model(_MODEL.value, _RUNTIME.value, _PRECISION.value) == "tensorflow":
        import_tensorflow_quietly()
    upscaler = Upscaler(
        _MODEL.value, tiling=tiling, runtime=_RUNTIME.value, precision=_PRECISION.value
    )
    for flag in (_XI, _MAX_DEVIATION):
        if flag.value is not None and flag.name not in upscaler.inputs:
            raise UsageError(f"{_MODEL.value} has no input {flag.name}; leave the flag out")
    return upscaler


def _report(tasks: "list[Task]", num_failed: int) -> None:
    if num_failed:
        sys.stderr.write(f"bigans: {num_failed} of {len(tasks)} photos failed\n")
    elif sys.stdout.isatty():
        place = tasks[0].result if len(tasks) == 1 else tasks[0].result.parent
        print(f"{len(tasks)} photo{'s' * (len(tasks) > 1)} -> {place}")


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
