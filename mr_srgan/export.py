"""Exports a trained MR-SRGAN generator as a SavedModel.

python -m mr_srgan.export --run_dir=runs/mr --output=models/mr_srgan
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from mr_srgan.config import GeneratorConfig
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import UsageError
from sr_program.machine.precision import PRECISIONS, resolve
from sr_program.machine.tensorflow_start import import_tensorflow_quietly, keras_on_tensorflow
from srgan.runs.run_dir import generator_of


def export_weights(
    weights: str | Path,
    config: GeneratorConfig,
    directory: str | Path,
    precision: str = "float32",
) -> Path:
    """Writes generator weights as the SavedModel `directory/1`.

    Args:
        weights: A `.weights.h5` file, or a checkpoint.
        config: The architecture that it belongs to.
        directory: The model's directory.
        precision: See `sr_program.machine.precision.resolve`. In bfloat16 everything between the
            first and the last convolution is; input, output and weights are float32.

    Returns:
        `directory/1`.

    Raises:
        DataError: The weights cannot be loaded, or `directory/1` exists already.
        UsageError: Another precision, or Keras runs on another backend in this process.
    """
    # TensorFlow is needed for the export alone, and not for this module's help.
    import_tensorflow_quietly()
    with keras_on_tensorflow():
        from mr_srgan.generator import build_generator
        from srgan.runs import saved_model

        generator = build_generator(config, saved_model.DTYPES[resolve(precision)])
        return saved_model.export_weights(generator, weights, directory)


def main(arguments: list[str]) -> None:
    """Exports the run that the flags name."""
    refuse_positional(arguments)
    run_dir, output = flags.FLAGS.run_dir, flags.FLAGS.output
    if not run_dir or not output:
        raise UsageError("--run_dir and --output are required")
    weights, settings = generator_of(run_dir, flags.FLAGS.last_update)
    export_weights(weights, GeneratorConfig(**settings), output, flags.FLAGS.precision)


def cli_main() -> None:
    """The console entry point; flags are defined here because `pretrained` imports this module."""
    flags.DEFINE_string("run_dir", None, "Folder of a training run. Required.")
    flags.DEFINE_string("output", None, "Writes OUTPUT/1, a SavedModel. Required.")
    flags.DEFINE_enum(
        "precision",
        "float32",
        PRECISIONS,
        "What the model computes in; bfloat16 is faster where the machine has it, auto finds out.",
    )
    flags.DEFINE_bool(
        "last_update",
        False,
        "Export the weights as the last update left them: without their moving average "
        "(--ema_decay of the training), and whichever epoch was the best.",
    )
    run(main)


if __name__ == "__main__":
    cli_main()
