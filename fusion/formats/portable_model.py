"""The fused model as a graph that converters to other runtimes understand.

What is different from the SavedModel's signatures: the quantile is made of comparisons and sums,
and ξ and max_deviation are vectors, because no unknown rank and no default value can be carried.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fusion.formats.portable_quantile import quantile
from fusion.fused_model import FusedModel, fuse
from fusion.generator_model import IMAGE
from sr_program import contract

FUSED, TOWERS = "fused", contract.GENERATORS

# One value for all images, or one an image.
_XI = tf.TensorSpec([None], tf.float32, name=contract.XI)
_MAX_DEVIATION = tf.TensorSpec([None], tf.float32, name=contract.MAX_DEVIATION)


class PortableModel(tf.Module):
    """Two functions of a fused model, by name.

    - `fused`: image uint8 [B, H, W, 3]; xi and max_deviation float32 [1] or [B] -> sr, uint8. As
      what is served; with the delta as printed there is no max_deviation.
    - `towers`: image -> faithful and vivid, float32 grey levels, not rounded.

    Attributes:
        functions: The two, as `tf.function` with an input signature.
    """

    def __init__(self, model: FusedModel) -> None:
        super().__init__(name="portable_model")
        self.model = model
        numbers = (_XI,) if model.delta == "as_printed" else (_XI, _MAX_DEVIATION)
        self.functions: dict[str, Any] = {
            FUSED: tf.function(self._fused, input_signature=[IMAGE, *numbers]),
            TOWERS: tf.function(self._generators, input_signature=[IMAGE]),
        }

    def _generators(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.model.signature_functions[contract.GENERATORS](image=image)

    # As many arguments as the signature has: their names become those of the inputs.
    def _fused(
        self, image: tf.Tensor, xi: tf.Tensor, max_deviation: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        generators = self._generators(image)
        sr = fuse(
            generators["faithful"],
            generators["vivid"],
            xi,
            max_deviation,
            threshold=self.model.threshold,
            delta=self.model.delta,
            quantile=quantile,
        ).sr
        return {"sr": sr}
