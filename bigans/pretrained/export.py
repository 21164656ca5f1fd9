r"""Writes the shipped models as SavedModels, for `fusion.export` and programs of your own.

    python -m bigans.pretrained.export --output=models

writes models/mr_srgan/1 (the faithful generator), models/wp_srgan/stage2/1 (the vivid one) and
models/fused/1 (both, merged). From the first two

    python -m fusion.export --faithful=models/mr_srgan --vivid=models/wp_srgan/stage2 \
        --format=onnx --output=models/onnx

makes models for other runtimes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NoReturn

from absl import flags

from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, WEIGHTS_HELP
from bigans.pretrained.saved_models import Shipped, saved_models
from sr_program import entry_point
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory
from sr_program.machine.precision import resolve

_OUTPUT = flags.DEFINE_string("output", None, "Folder to write to.")
_WEIGHTS: Any = flags.DEFINE_enum("weights", DEFAULT_PAIR, PAIRS, WEIGHTS_HELP)
_PRECISION: Any = flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "bfloat16", "auto"],
    "What the models compute in.",
)


def main(arguments: list[str]) -> None:
    """Copies the models that were built in the cache, each by one rename."""
    entry_point.refuse_positional(arguments)
    if not _OUTPUT.value:
        raise UsageError("--output=DIR is missing")
    output = Path(_OUTPUT.value)
    entry_point.warnings_only()
    models = saved_models(Shipped(precision=resolve(_PRECISION.value), pair=_WEIGHTS.value))
    built = {
        output / "mr_srgan" / "1": models.faithful,
        output / "wp_srgan" / "stage2" / "1": models.vivid,
        output / "fused" / "1": models.fused,
    }
    for target in built:
        if target.exists():
            raise DataError(f"{target}: exists already; choose another --output")
    for target, model in built.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_directory(target) as temporary:
            shutil.copytree(model, temporary, dirs_exist_ok=True)
        print(target)


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
