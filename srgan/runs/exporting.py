"""From a run, or a file of weights, to a SavedModel; the same for both branches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sr_program.machine.precision import resolve
from sr_program.machine.tensorflow_start import keras_on_tensorflow
from srgan.runs.branch import Branch
from srgan.runs.run_dir import architecture_of, generator_of
from srgan.runs.saved_model import DTYPES, export_generator
from srgan.runs.weights import load_weights


def export_run(
    branch: Branch,
    run_dir: str | Path,
    directory: str | Path,
    precision: str = "float32",
    *,
    last_update: bool = False,
) -> Path:
    """Writes the generator that a run has to show as the SavedModel `directory/1`.

    Args:
        branch: Which one the run has trained.
        run_dir: The run's folder.
        directory: The model's directory.
        precision: As for `export_weights`.
        last_update: Take the weights of the last update; see `generator_of`.

    Returns:
        `directory/1`.

    Raises:
        DataError: No epoch was finished, the weights cannot be loaded, or the model cannot be
            written.
    """
    weights, settings = generator_of(run_dir, last_update)
    architecture = architecture_of(run_dir, settings, branch.architecture)
    return export_weights(branch, weights, architecture, directory, precision)


def export_weights(
    branch: Branch,
    weights: str | Path,
    architecture: Any,
    directory: str | Path,
    precision: str = "float32",
) -> Path:
    """Writes generator weights as the SavedModel `directory/1`.

    Args:
        branch: Which one the weights belong to.
        weights: A `.weights.h5` file, or a checkpoint.
        architecture: The generator's settings.
        directory: The model's directory.
        precision: See `sr_program.machine.precision.resolve`. In bfloat16 everything between the
            first and the last convolution is; input, output and weights are float32.

    Returns:
        `directory/1`.

    Raises:
        DataError: The weights cannot be loaded, or `directory/1` exists already.
        UsageError: Another precision, or Keras runs on another backend in this process.
    """
    with keras_on_tensorflow():
        generator = branch.build_generator(architecture, DTYPES[resolve(precision)])
        load_weights(generator, weights, architecture)
        return export_generator(generator, directory)
