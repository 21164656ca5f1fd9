"""A network's weights in a file: written atomically, read with clear errors.

The file is a `.weights.h5` of Keras, or a checkpoint, which is read only, and holds the generator
among others. A generator's file carries the settings of its architecture as an attribute: weights
of another architecture may fit by their shapes, and mean another thing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
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

# The attribute of a weights file, and the entry of a checkpoint's state.
ARCHITECTURE = "architecture"

# What Keras calls these layers in a file: it goes by their class.
_PRELUS = "p_re_lu"


def save_weights(network: keras.Model, path: Path, architecture: Any = None) -> None:
    """Writes a `.weights.h5` file, atomically.

    Args:
        network: The network.
        path: The file.
        architecture: The config dataclass of a generator, to be kept in the file.

    Raises:
        OSError: The file cannot be written.
    """
    with atomic_file(path) as temporary:
        # Room is made first: HDF5 goes on for pages when the disk is full.
        temporary.write_bytes(bytes(_size(network)))
        network.save_weights(temporary)
        if architecture is not None:
            with h5py.File(temporary, "r+") as file:
                file.attrs[ARCHITECTURE] = json.dumps(dataclasses.asdict(architecture))


def load_weights(network: keras.Model, path: str | Path, architecture: Any = None) -> None:
    """Loads a `.weights.h5` file, or a checkpoint's generator, into a network.

    A checkpoint holds the weights as the last update left them, without a moving average.

    Args:
        network: The network.
        path: The file.
        architecture: The generator's config dataclass, to compare with the file's, if it has one.

    Raises:
        DataError: The file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file")
    if path.suffix == CHECKPOINT:
        _load_checkpoint(network, path, architecture)
    else:
        check_architecture(network, path, architecture)
        _load(network, path, path)


def check_architecture(
    network: keras.Model, path: Path, architecture: Any, ignored: tuple[str, ...] = ()
) -> None:
    """Compares the architecture that a weights file carries, if it does, with another.

    Args:
        network: For the message.
        path: The `.weights.h5` file.
        architecture: A generator's config dataclass; None compares nothing.
        ignored: Settings that may differ.

    Raises:
        DataError: They differ.
    """
    stored = None
    with contextlib.suppress(OSError, ValueError), h5py.File(path) as file:
        stored = json.loads(str(file.attrs.get(ARCHITECTURE, "null")))
    _compare(network, path, stored, architecture, ignored)


def differences(settings: dict[str, Any], architecture: Any) -> list[str]:
    """Describes how a generator differs from another one's settings: "--name was old, is new"."""
    # A setting that is younger than the other is at its default there.
    old = {**dataclasses.asdict(type(architecture)()), **settings}
    return [
        f"--{name} was {old.get(name)}, is {value}"
        for name, value in dataclasses.asdict(architecture).items()
        if old.get(name) != value
    ]


def _compare(
    network: keras.Model, path: Path, stored: Any, architecture: Any, ignored: tuple[str, ...] = ()
) -> None:
    if architecture is None or not isinstance(stored, dict):
        return
    own = dataclasses.asdict(architecture)
    known = {key: own[key] if key in ignored else value for key, value in stored.items()}
    different = differences(known, architecture)
    different += [f"--{name} was {known[name]}" for name in sorted(set(known) - set(own))]
    if different:
        raise DataError(
            f"{path}: these weights do not fit {network.name} ({', '.join(different)}); the flags "
            "of the architecture must be theirs"
        )


def _load_checkpoint(network: keras.Model, path: Path, architecture: Any) -> None:
    try:
        with np.load(path) as archive:
            state = json.loads(str(archive["state"])) if "state" in archive.files else {}
            keys = sorted(key for key in archive.files if key.startswith(f"{GENERATOR_PART}/"))
            arrays = [archive[key] for key in keys]
    except Exception as error:  # numpy raises nearly anything on damaged files
        raise DataError(f"{path}: this checkpoint is damaged ({reason(error)})") from error
    _compare(network, path, state.get(ARCHITECTURE), architecture)
    if [array.shape for array in arrays] != [tuple(v.shape) for v in network.variables]:
        raise DataError(f"{path}: this checkpoint does not fit {network.name}")
    for variable, array in zip(network.variables, arrays, strict=True):
        variable.assign(array)


def load_start(network: keras.Model, path: str | Path, architecture: Any = None) -> None:
    """Loads a `.weights.h5` file for further training.

    As `load_weights`; and a generator whose PReLUs have one slope each may start from one that has
    a slope a channel: it takes their means.

    Raises:
        DataError: The file is missing, damaged, or of another architecture.
    """
    path = Path(path)
    shared = any(isinstance(layer, PReLU) and layer.shared for layer in network.layers)
    if not (shared and path.is_file()) or path.suffix == CHECKPOINT:
        return load_weights(network, path, architecture)
    check_architecture(network, path, architecture, ignored=("shared_slopes",))
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
