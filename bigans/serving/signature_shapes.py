"""Writes into an exported model what shapes its inputs have, for people and clients.

The graph itself promises no shapes, see `bigans.serving.graph.checks`; TensorFlow Serving compares
none. But `saved_model_cli` and a client's model of the signature shall not read "unknown rank".
"""

from __future__ import annotations

from pathlib import Path


def state_shapes(directory: Path) -> None:
    """Edits the signatures of a SavedModel that is not public yet.

    Args:
        directory: Holds saved_model.pb.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    from bigans.serving.serving_model import SHAPES

    path = directory / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta in saved.meta_graphs:
        for signature in meta.signature_def.values():
            for name, info in signature.inputs.items():
                if name in SHAPES and info.tensor_shape.unknown_rank:
                    info.tensor_shape.Clear()
                    for size in SHAPES[name]:
                        info.tensor_shape.dim.add(size=size)
    path.write_bytes(saved.SerializeToString(deterministic=True))
