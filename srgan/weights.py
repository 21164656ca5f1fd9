"""A network's weights in a `.weights.h5` file: written atomically, read with clear errors."""

from __future__ import annotations

from pathlib import Path

import keras

from cli.errors import DataError
from sr_data.atomic_write import atomic_file


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes a `.weights.h5` file, atomically."""
    with atomic_file(path) as temporary:
        network.save_weights(temporary)


def load_weights(network: keras.Model, path: str | Path) -> None:
    """Loads a `.weights.h5` file into a network.

    Raises:
        DataError: The file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file")
    try:
        network.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unreadable"
        raise DataError(f"{path}: these weights do not fit {network.name}: {reason}") from error
