"""Requests that a server sends to itself before it says that it is ready.

The first request of a process takes seconds (kernels, memory, the graph's optimisation).
TensorFlow Serving replays what it finds in assets.extra/tf_serving_warmup_requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bigans.models.server.messages import PredictionLog
from bigans.models.server.tensors import to_message
from sr_program import contract
from sr_program.contract import DEFAULT_XI, USE_XI

FOLDER = "assets.extra"
FILE = "tf_serving_warmup_requests"

# The server refuses more.
_MOST_RECORDS = 1000


def write_warm_up(
    directory: Path, sizes: Iterable[tuple[int, int]], signatures: Mapping[str, Iterable[str]]
) -> int:
    """Writes the requests beside a model that is not public yet.

    Args:
        directory: Of the version.
        sizes: Heights and widths, LR pixels.
        signatures: Of the model, and the names of their inputs.

    Returns:
        How many there are.
    """
    import tensorflow as tf

    logs = [log for size in sizes for log in _logs(*size, signatures)][:_MOST_RECORDS]
    (directory / FOLDER).mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(directory / FOLDER / FILE)) as writer:
        for log in logs:
            writer.write(log.SerializeToString(deterministic=True))
    return len(logs)


def _logs(height: int, width: int, signatures: Mapping[str, Iterable[str]]) -> Iterator[Any]:
    import tensorflow as tf

    image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    encoded = np.empty(1, object)
    encoded[0] = tf.io.encode_png(image[0]).numpy()
    values: dict[str, Any] = {
        contract.IMAGE: image,
        contract.LEVELS: image.astype(np.float32),
        contract.IMAGE_BYTES: encoded,
        contract.XI: np.array([DEFAULT_XI], np.float32),
        contract.MAX_DEVIATION: np.array([USE_XI], np.float32),
        contract.JPEG_QUALITY: np.array([0], np.int32),
    }
    for name, inputs in signatures.items():
        if contract.IMAGE in inputs or contract.IMAGE_BYTES in inputs:
            log = PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            for key in inputs:
                request.inputs[key].CopyFrom(to_message(values[key]))
            yield log
