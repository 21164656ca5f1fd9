"""A generator: any SavedModel that enlarges uint8 images to unrounded grey levels.

Its signature `unrounded` takes `image`, uint8 [B, H, W, 3], and gives `sr`, float32 [B, H', W', 3]
in [0, 255]. Nothing else is known of it, neither its code nor its framework. An ONNX file or a
SavedModel of another program becomes one, see `fusion.foreign.generator`. A model may also take
unrounded grey levels, see `takes_levels`, and tell how far a pixel of the result looks, see
`stated_radius`.
"""

from __future__ import annotations

import hashlib
import os
from itertools import chain
from pathlib import Path
from typing import Any

import tensorflow as tf

from fusion.foreign.generator import of_onnx, of_saved_model
from sr_program import contract
from sr_program.contract import FROM_LEVELS, UNROUNDED
from sr_program.errors import DataError, first_line

IMAGE = tf.TensorSpec([None, None, None, 3], tf.uint8, name=contract.IMAGE)
LEVELS = tf.TensorSpec([None, None, None, 3], tf.float32, name=contract.LEVELS)


def load_saved_model(directory: str | os.PathLike[str]) -> Any:
    """Loads any SavedModel.

    Args:
        directory: The directory that holds saved_model.pb.

    Returns:
        The loaded object; its functions live no longer than it does.

    Raises:
        DataError: No SavedModel can be loaded from there.
    """
    try:
        return tf.saved_model.load(os.fspath(directory))
    except Exception as error:  # TensorFlow raises nearly anything on damaged files
        if KeyboardInterrupt.__name__ in str(error):  # Ctrl-C arrived within native code
            raise KeyboardInterrupt from error
        raise DataError(
            f"{directory}: not a SavedModel that can be loaded ({first_line(error)}); "
            "export it again"
        ) from error


def load_generator(directory: str | os.PathLike[str]) -> Any:
    """Loads a generator and checks its signature.

    Args:
        directory: The directory that holds saved_model.pb, or an ONNX file.

    Returns:
        The loaded object; its functions live no longer than it does.

    Raises:
        DataError: No model can be loaded from there, or it is not a generator.
        UsageError: A package that ONNX files need is not installed.
    """
    if Path(directory).suffix.lower() == ".onnx":
        return of_onnx(directory)
    generator = load_saved_model(directory)
    signature = getattr(generator, "signatures", {}).get(UNROUNDED)
    if signature is None:
        foreign = of_saved_model(generator, directory, saved_model_hash(Path(directory)))
        if foreign is not None:
            return foreign
    if signature is None or not is_generator(signature):
        raise DataError(
            f"{directory}: has no signature {UNROUNDED!r} from a uint8 'image' [B, H, W, 3] "
            "to a float32 'sr'; export the model with mr_srgan.export or wp_srgan.export"
        )
    return generator


def is_generator(signature: Any) -> bool:
    """Whether a loaded signature takes and gives what `unrounded` does."""
    inputs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    return (
        set(inputs) == {"image"}
        and inputs["image"].dtype == tf.uint8
        and inputs["image"].shape.rank == 4
        and inputs["image"].shape.as_list() == IMAGE.shape.as_list()
        and "sr" in outputs
        and outputs["sr"].dtype == tf.float32
    )


def takes_levels(model: Any) -> bool:
    """Whether a loaded SavedModel has the signature `from_levels`.

    Args:
        model: A generator or a fused model.
    """
    signature = getattr(model, "signatures", {}).get(FROM_LEVELS)
    if signature is None:
        return False
    inputs = signature.structured_input_signature[1]
    return set(inputs) == {contract.LEVELS} and inputs[contract.LEVELS].dtype == tf.float32


def stated_radius(model: Any) -> int | None:
    """How far a pixel of a model's result looks, as the model itself tells.

    Args:
        model: A loaded SavedModel. One that was exported by this program has a function
            `receptive_field` without inputs.

    Returns:
        LR pixels: the result above an LR pixel depends on those at most so many rows and columns
        away. None if the model does not tell.
    """
    function: Any = getattr(model, "receptive_field", None)
    return None if function is None else int(function())


def has_bfloat16(signature: Any) -> bool:
    """Whether a loaded signature computes anything in bfloat16; milliseconds."""
    graph = signature.graph.as_graph_def()
    nodes = chain(graph.node, *(function.node_def for function in graph.library.function))
    bfloat16 = tf.bfloat16.as_datatype_enum
    return any(value.type == bfloat16 for node in nodes for value in node.attr.values())


def saved_model_hash(directory: Path) -> str:
    """A hash of the graph and the weights of a SavedModel, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(directory.rglob("*")):
        # Facts, fingerprints and assets.extra do not change what the model computes.
        if file.is_file() and (file.name == "saved_model.pb" or file.parent.name == "variables"):
            digest.update(file.relative_to(directory).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
