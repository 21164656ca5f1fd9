"""Decoders fail in their own words, which name no picture of a request; here they give nothing."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def attempt(run: Callable[..., tf.Tensor], *inputs: tf.Tensor, if_it_fails: tf.Tensor) -> tf.Tensor:
    """Runs what may fail, and goes on.

    Args:
        run: From the inputs to one tensor.
        *inputs: Of it.
        if_it_fails: What takes the result's place: of the same type and number of axes.

    Returns:
        The result.
    """
    # Datasets are the one place of a graph that outlives an error. What they do to be quick takes
    # a tenth of a second, which a dataset of one element does not win back.
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    one = tf.data.Dataset.from_tensors(inputs).map(run).ignore_errors().with_options(options)
    return one.reduce(if_it_fails, lambda _, result: result)
