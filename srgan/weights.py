"""A network's weights in a `.weights.h5` file: written atomically, read with clear errors."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import keras

from cli.errors import DataError
from sr_data.atomic_write import atomic_file


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes a `.weights.h5` file, atomically.

    Raises:
        OSError: The file cannot be written.
    """
    with atomic_file(path) as temporary:
        # Room is made first: HDF5 goes on for pages when the disk is full.
        temporary.write_bytes(bytes(_size(network)))
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
        with warnings.catch_warnings():
            # Keras warns of missing weights, and then raises.
            warnings.simplefilter("ignore")
            network.load_weights(path)
        stored = _number_of_weights(path)
    except (ValueError, OSError, KeyError, RuntimeError) as error:
        # Of Keras' page on what it could not load the first sentence is for people.
        reason = (str(error).strip().splitlines() or ["unreadable"])[0].split(". Example error")[0]
        raise DataError(
            f"{path}: these weights are damaged or do not fit {network.name} ({reason}); "
            "the flags of the architecture must be theirs"
        ) from error
    if stored != network.count_params():
        # Keras passes over what a file has and the network has not.
        raise DataError(
            f"{path}: these weights do not fit {network.name} (the file holds {stored} numbers, "
            f"the network {network.count_params()}); the flags of the architecture must be theirs"
        )


def _size(network: keras.Model) -> int:
    """About how many bytes a network's file takes."""
    return 4 * network.count_params() + 1024 * len(network.variables)


def _number_of_weights(path: Path) -> int:
    sizes = []

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(int(item.size))

    with h5py.File(path) as file:
        file["layers"].visititems(visit)
    return sum(sizes)
