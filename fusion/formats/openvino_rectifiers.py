"""Makes PReLUs of what they are composed of, so that OpenVINO fuses them into convolutions.

The networks compute max(x, 0) + a·min(x, 0) or, where no slope exceeds 1, max(x, a·x). OpenVINO
leaves both as they are: four passes over memory, or two. As one operation a rectifier is part of
the convolution before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fusion.formats.openvino_model import import_openvino


def fuse_rectifiers(model: Any) -> int:
    """Replaces both forms, with one slope a channel, by PReLU.

    Args:
        model: An `openvino.Model`; changed in place.

    Returns:
        How many there were.
    """
    import_openvino()
    from openvino import opset13  # pyright: ignore[reportMissingImports]

    num_found = 0
    for node in model.get_ordered_ops():
        rectifier = _match(node)
        if rectifier is not None:
            source, slopes = rectifier
            fused = opset13.prelu(source, opset13.constant(slopes.reshape(-1)))
            fused.set_friendly_name(node.get_friendly_name())
            node.output(0).replace(fused.output(0))
            num_found += 1
    model.validate_nodes_and_infer_types()
    return num_found


def _match(node: Any) -> tuple[Any, np.ndarray] | None:
    """X and the slopes, if the node is the last of a rectifier whose channels are axis 1."""
    for source, scaled in _operands(node, "Maximum"):
        for other, slope in _operands(scaled.get_node(), "Multiply"):
            if source == other and _is_one_a_channel(slope, node):
                slopes = slope.get_node().get_data()
                return (source, slopes) if slopes.max() <= 1 else None
    for positive, scaled in _operands(node, "Add"):
        for upper, zero in _operands(positive.get_node(), "Maximum"):
            for negative, slope in _operands(scaled.get_node(), "Multiply"):
                for lower, other_zero in _operands(negative.get_node(), "Minimum"):
                    same = upper == lower and _is_zero(zero) and _is_zero(other_zero)
                    if same and _is_one_a_channel(slope, node):
                        return upper, slope.get_node().get_data()
    return None


def _operands(node: Any, kind: str) -> list[tuple[Any, Any]]:
    """The two inputs of a node of this kind, in both orders."""
    if node.get_type_name() != kind:
        return []
    first, second = node.input_value(0), node.input_value(1)
    return [(first, second), (second, first)]


def _is_zero(value: Any) -> bool:
    node = value.get_node()
    return node.get_type_name() == "Constant" and not np.any(node.get_data())


def _is_one_a_channel(value: Any, node: Any) -> bool:
    if value.get_node().get_type_name() != "Constant":
        return False
    shape, channels = tuple(value.get_shape()), node.get_output_partial_shape(0)[1]
    return channels.is_static and shape == (1, channels.get_length(), 1, 1)
