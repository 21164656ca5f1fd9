"""The gate unit of a memory residual block (Section 3.2, Figure 2)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="mr_srgan")
class Conv2D(keras.layers.Conv2D):
    """A 1x1 convolution from all outputs of a block's ResBlocks, added to the block's input.

    As in MemNet (https://arxiv.org/abs/1708.02209), which the paper takes it from. It has its
    parent's name because Keras names weights in a file by the class of their layer: those of a
    plain convolution from concatenated outputs are the same.

    For training it is that convolution. For inference, after `specialize`, each output goes through
    its part of the kernel onto the sum of those before: the memory is never written as a whole, and
    an output need not be kept until the last is there.

    Args:
        filters: Channels of the block.
        **kwargs: `keras.layers.Conv2D` arguments.

    Input shape:
        A list: the block's input [B, H, W, filters], and the ResBlocks' outputs, likewise.

    Output shape:
        [B, H, W, filters].
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**{"kernel_size": 1, **kwargs, "filters": filters})
        self.input_spec = None  # its parent's: a single tensor
        self._one_by_one = False

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Creates the kernel [1, 1, outputs · C, filters] and the bias [filters]."""
        _, *outputs = input_shape
        super().build((*outputs[0][:-1], sum(shape[-1] or 0 for shape in outputs)))
        self.input_spec = None

    def call(self, inputs: list[Any]) -> Any:
        """Gathers the outputs."""
        features, *outputs = inputs
        if not self._one_by_one:
            memory = ops.concatenate(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
            return ops.add(features, super().call(memory))
        # TensorFlow computes a convolution, its bias and a sum in one pass where it sees all three.
        # So each has a part of the bias; and through a Snapshot, which costs nothing, the graph
        # optimizer does not see the sums that it would else take out and join.
        import tensorflow as tf

        bias = self.bias / len(outputs)
        total = features
        for output, kernel in zip(outputs, ops.split(self.kernel, len(outputs), 2), strict=True):
            # "same", for a size that is seen to be that of the sum.
            part = ops.add(ops.conv(output, kernel, padding="same"), bias)
            total = tf.raw_ops.Snapshot(input=ops.add(part, total))
        return total

    def specialize(self) -> None:
        """Takes the form for inference; sums are in another order then."""
        self._one_by_one = True

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> Any:
        """The block's input's."""
        return input_shape[0]

    def compute_output_spec(self, inputs: list[Any]) -> keras.KerasTensor:
        """Of the compute dtype."""
        return keras.KerasTensor(inputs[0].shape, dtype=self.compute_dtype)
