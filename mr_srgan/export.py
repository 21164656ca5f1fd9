"""Exports a trained MR-SRGAN generator as a SavedModel.

python -m mr_srgan.export --run_dir=runs/mr --output=models/mr_srgan

writes models/mr_srgan/1 and prints this path.
"""

from __future__ import annotations

from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.machine.tensorflow_start import import_tensorflow_quietly, keras_on_tensorflow
from srgan.config import ExportConfig, check_export


def main(arguments: list[str]) -> None:
    """Exports the run that the flags name."""
    refuse_positional(arguments)
    config = check_export(dataclass_flags.read(ExportConfig()))
    warnings_only()
    # TensorFlow takes seconds to import: the help does without it.
    import_tensorflow_quietly()
    with keras_on_tensorflow():
        from mr_srgan.branch import MR_SRGAN
        from srgan.runs.exporting import export_run

        precision, last = config.precision, config.last_update
        print(export_run(MR_SRGAN, config.run_dir, config.output, precision, last_update=last))


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    dataclass_flags.define(ExportConfig())
    run(main)


if __name__ == "__main__":
    cli_main()
