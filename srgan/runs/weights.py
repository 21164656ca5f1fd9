"""A network's weights in a file: written atomically, read with clear errors.

The file is a `.weights.h5` of Keras, or a checkpoint, which is read only, and holds the generator
among others.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from sr_program.errors import DataError, first_line, reason
from sr_program.files.atomic_write import atomic_file
from srgan.layers.prelu import PReLU

# A checkpoint's file name ends so; the names of the generator's arrays in it start so.
CHECKPOINT, GENERATOR_PART = ".npz", "generator"

# What Keras calls these layers in a file: it goes by their class.
_PRELUS = "p_re_lu"


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
    """Loads a `.weights.h5` file, or a checkpoint's generator, into a network.

    A checkpoint holds the weights as the last update left them, without a moving average.

    Raises:
        DataError: The file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file")
    if path.suffix == CHECKPOINT:
        _load_checkpoint(network, path)
    else:
        _load(network, path, path)


def _load_checkpoint(network: keras.Model, path: Path) -> None:
    try:
        with np.load(path) as archive:
            keys = sorted(key for key in archive.files if key.startswith(f"{GENERATOR_PART}/"))
            arrays = [archive[key] for key in keys]
    except Exception as error:  # numpy raises nearly anything on damaged files
        raise DataError(f"{path}: this checkpoint is damaged ({reason(error)})") from error
    if [array.shape for array in arrays] != [tuple(v.shape) for v in network.variables]:
        raise DataError(f"{path}: this checkpoint does not fit {network.name}")
    for variable, array in zip(network.variables, arrays, strict=True):
        variable.assign(array)


def load_start(network: keras.Model, path: str | Path) -> None:
    """Loads a `.weights.h5` file for further training.

    As `load_weights`; and a generator whose PReLUs have one slope each may start from one that has
    a slope a channel: it takes their means.

    Raises:
        DataError: The file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    shared = any(isinstance(layer, PReLU) and layer.shared for layer in network.layers)
    if not (shared and path.is_file()) or path.suffix == CHECKPOINT:
        return load_weights(network, path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with contextlib.suppress(OSError), h5py.File(copy, "r+") as file:
            _average_slopes(file)
        _load(network, copy, path)


def _average_slopes(file: h5py.File) -> None:
    layers: Any = file.get("layers", {})
    for name, layer in layers.items():
        if name.startswith(_PRELUS):
            mean = np.mean(layer["vars"]["0"])
            del layer["vars"]["0"]
            layer["vars"]["0"] = np.array([mean], np.float32)


def _load(network: keras.Model, file: Path, path: Path) -> None:
    """Loads `file`, which messages call `path`."""
    try:
        with warnings.catch_warnings():
            # Keras warns of missing weights, and then raises.
            warnings.simplefilter("ignore")
            network.load_weights(file)
        stored = _number_of_weights(file)
    except (ValueError, OSError, KeyError, RuntimeError) as error:
        # Of Keras' page on what it could not load the first sentence is for people.
        sentence = first_line(error).split(". Example error")[0]
        raise DataError(
            f"{path}: these weights are damaged or do not fit {network.name} ({sentence}); "
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
