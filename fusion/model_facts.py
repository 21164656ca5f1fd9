"""The facts of a loaded SavedModel: those that its export wrote, else what its graph tells.

A SavedModel of another program, or one that was exported before facts were written, has no
`facts.json`. Its scale is then seen on a small image, its radius is what it says itself, its
precision what its graph computes in, and its merge follows from the shape of its deviations. What
cannot be told that way is "joint" and "as read", the defaults of `fusion.export`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from fusion.foreign.generator import ForeignGenerator
from fusion.generator_model import has_bfloat16, saved_model_hash, stated_radius
from sr_program.contract import DEVIATIONS, GENERATORS, SERVING, UNROUNDED
from sr_program.model_facts import Delta, ModelFacts, Threshold, read_facts

_SIDE = 8  # LR pixels of the small image

# Of 2x2 pixels: [1, values of a quantile, quantiles].
_THRESHOLDS: dict[tuple[int, ...], Threshold] = {
    (1, 12, 1): "joint",
    (1, 4, 3): "per_channel",
    (1, 4, 1): "luma",
}


def facts_of(loaded: Any, directory: Path) -> ModelFacts:
    """What is known of a SavedModel.

    Args:
        loaded: It, loaded, with a signature `unrounded`, `generators` or `serving_default`.
        directory: What holds saved_model.pb, or the ONNX file.

    Raises:
        DataError: Its facts.json is damaged.
    """
    if isinstance(loaded, ForeignGenerator):
        return loaded.facts
    written = read_facts(directory)
    return _facts_of_graph(loaded, directory) if written is None else written


def _facts_of_graph(loaded: Any, directory: Path) -> ModelFacts:
    signatures = loaded.signatures
    name = next(name for name in (UNROUNDED, GENERATORS, SERVING) if name in signatures)
    threshold: Threshold | None = None
    delta: Delta = "as_read"
    if name != UNROUNDED and DEVIATIONS in signatures:
        pixels = tf.zeros([1, 2, 2, 3])
        values = signatures[DEVIATIONS](faithful=pixels, vivid=pixels)["deviations"]
        threshold = _THRESHOLDS.get(tuple(values.shape), "joint")
        serve = signatures.get(SERVING)
        if serve and "max_deviation" not in serve.structured_input_signature[1]:
            delta = "as_printed"
    elif name == GENERATORS:
        threshold = "joint"
    return ModelFacts(
        scale=_scale(signatures[name]),
        radius=stated_radius(loaded),
        precision="bfloat16" if has_bfloat16(signatures[name]) else "float32",
        weights=saved_model_hash(directory),
        version=None,
        threshold=threshold,
        delta=delta,
    )


def _scale(signature: Any) -> int:
    image = tf.zeros([1, _SIDE, _SIDE, 3], tf.uint8)
    given = {"image": image, "xi": tf.zeros([]), "max_deviation": tf.zeros([])}
    inputs = {key: given[key] for key in signature.structured_input_signature[1]}
    return max(1, int(next(iter(signature(**inputs).values())).shape[1]) // _SIDE)
