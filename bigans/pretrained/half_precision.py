"""Weights in half of the bytes: float16 on disk, float32 in the network.

11 bits of a weight are kept, three more than bfloat16 computes with. The model card says what that
costs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sr_program.errors import DataError, reason


def write_float16(source: Path, target: Path) -> None:
    """Copies a `.weights.h5` file, its float32 arrays rounded to float16.

    Groups, names, attributes and all other arrays stay; Keras loads the copy as the file itself.

    Args:
        source: The file.
        target: The copy, which is written anew.

    Raises:
        DataError: The file is damaged, or a weight is beyond float16's range.
    """
    try:
        with h5py.File(source) as old, h5py.File(target, "w") as new:
            new.attrs.update(old.attrs)
            old.visititems(lambda name, item: _copy(name, item, new))
    except OSError as error:
        raise DataError(f"{source}: is no file of weights ({reason(error)})") from error
    except OverflowError as error:
        raise DataError(f"{source}: {error}; a training that went astray?") from error


def _copy(name: str, item: Any, new: h5py.File) -> None:
    if isinstance(item, h5py.Dataset):
        made = new.create_dataset(name, data=_rounded(name, np.asarray(item)))
    else:
        made = new.require_group(name)
    made.attrs.update(item.attrs)


def _rounded(name: str, values: Any) -> Any:
    if values.dtype != np.float32:
        return values
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float16)
    if not np.isfinite(rounded).all():
        raise OverflowError(f"{name} has values that are not finite in float16")
    return rounded
