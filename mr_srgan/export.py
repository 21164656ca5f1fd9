"""Exports a trained MR-SRGAN generator as a SavedModel.

python -m mr_srgan.export --run_dir=runs/mr --output=models/mr_srgan
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cli.entry_point import run
from cli.errors import UsageError
from cli.tensorflow_start import import_tensorflow_quietly
from mr_srgan.config import GeneratorConfig
from srgan.run_dir import generator_of


def export_weights(weights: str | Path, config: GeneratorConfig, directory: str | Path) -> Path:
    """Writes generator weights as the SavedModel `directory/1`.

    Args:
        weights: A `.weights.h5` file.
        config: The architecture that it belongs to.
        directory: The model's directory.

    Returns:
        `directory/1`.

    Raises:
        DataError: The weights cannot be loaded, or `directory/1` exists already.
    """
    # TensorFlow is needed for the export alone, and not for this module's help.
    import_tensorflow_quietly()
    from mr_srgan.generator import build_generator
    from srgan import saved_model

    return saved_model.export_weights(build_generator(config), weights, directory)


def main(arguments: list[str]) -> None:
    """Exports the run that the flags name."""
    if arguments:
        raise UsageError(f"unexpected argument {arguments[0]!r}; everything is a flag")
    run_dir, output = flags.FLAGS.run_dir, flags.FLAGS.output
    if not run_dir or not output:
        raise UsageError("--run_dir and --output are required")
    weights, settings = generator_of(run_dir)
    export_weights(weights, GeneratorConfig(**settings), output)


def cli_main() -> None:
    """The console entry point; flags are defined here because `pretrained` imports this module."""
    flags.DEFINE_string("run_dir", None, "Folder of a training run. Required.")
    flags.DEFINE_string("output", None, "Writes OUTPUT/1, a SavedModel. Required.")
    run(main)


if __name__ == "__main__":
    cli_main()
