"""What a graph of another make asks for and is not known here."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


class Unsupported(Exception):
    """An operator, or one of its settings, that is not known here; the text names it."""


def known(value: Any, name: str) -> NDArray[Any]:
    """A value that must not depend on the image.

    Args:
        value: An array, or a tensor that may be constant.
        name: What it is, for the message.

    Raises:
        Unsupported: It depends on the image.
    """
    found = tf.get_static_value(value) if tf.is_tensor(value) else value
    if found is None:
        raise Unsupported(f"{name} that depend on the image")
    return np.asarray(found)
