"""Arrays as messages, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.server.messages import TensorProto
from sr_program.errors import DataError

# TensorFlow's numbers of types.
STRING = 7
DTYPES: dict[int, Any] = {
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    5: np.int16,
    6: np.int8,
    8: np.complex64,
    9: np.int64,
    10: np.bool_,
    17: np.uint16,
    19: np.float16,
    22: np.uint32,
    23: np.uint64,
}
NUMBERS = {np.dtype(dtype): number for number, dtype in DTYPES.items()}
_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 9: "int64_val"}


def to_message(array: Any) -> Any:
    """A tensor for a request.

    Args:
        array: Numbers; or an object array of bytes.
    """
    array = np.asarray(array)
    message = TensorProto()
    for size in array.shape:
        message.tensor_shape.dim.add(size=size)
    if array.dtype == object:
        message.dtype = STRING
        message.string_val.extend(array.reshape(-1).tolist())
        return message
    message.dtype = NUMBERS[array.dtype]
    message.tensor_content = np.ascontiguousarray(array).tobytes()
    return message


def to_array(message: Any) -> NDArray[Any]:
    """The array of an answer; of bytes it is an object array.

    A server writes numbers one by one unless it is told --enable_serialization_as_tensor_content.

    Raises:
        DataError: It is damaged, or of a type that no signature of a model has.
    """
    shape = [dim.size for dim in message.tensor_shape.dim]
    try:
        if message.dtype == STRING:
            values = np.empty(len(message.string_val), object)
            values[:] = list(message.string_val)
            return values.reshape(shape)
        dtype = DTYPES[message.dtype]
        if message.tensor_content:
            return np.frombuffer(message.tensor_content, dtype).reshape(shape)
        values = np.array(getattr(message, _FIELDS[message.dtype]), dtype)
        if values.size == 1:  # equal values may be written once
            return np.broadcast_to(values, shape).copy()
        return values.reshape(shape)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"the server's answer cannot be read (a tensor of type {message.dtype}, "
            f"shape {shape}); is it this program's model?"
        ) from error
