"""Exports a trained WP-SRGAN generator as a SavedModel, one for each stage.

python -m wp_srgan.export --stage=2 --run_dir=runs/wp --output=models/wp_srgan

writes models/wp_srgan/stage2/1 and prints this path.
"""

from __future__ import annotations

from absl import flags

from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run, warnings_only
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly, keras_on_tensorflow
from srgan.config import ExportConfig, check_export
from wp_srgan.stages import STAGES, stage_dir


def main(arguments: list[str]) -> None:
    """Exports the stage that the flags name."""
    refuse_positional(arguments)
    if flags.FLAGS.stage is None:
        raise UsageError("--stage, --run_dir and --output are required")
    config = check_export(dataclass_flags.read(ExportConfig()))
    stage = int(flags.FLAGS.stage)
    warnings_only()
    # TensorFlow takes seconds to import: the help does without it.
    import_tensorflow_quietly()
    with keras_on_tensorflow():
        from srgan.runs.exporting import export_run
        from wp_srgan.branch import WP_SRGAN

        folder, output = stage_dir(config.run_dir, stage), stage_dir(config.output, stage)
        precision, last = config.precision, config.last_update
        print(export_run(WP_SRGAN[stage], folder, output, precision, last_update=last))


def cli_main() -> None:
    """The console entry point; flags are defined here, since both branches have the same names."""
    flags.DEFINE_enum("stage", None, [str(stage) for stage in STAGES], "1 or 2. Required.")
    dataclass_flags.define(ExportConfig())
    run(main)


if __name__ == "__main__":
    cli_main()
