"""The fused model as a graph that converters to other runtimes understand.

What is different from the SavedModel's signatures: the quantile is made of comparisons and sums,
and ξ and max_deviation are vectors, because no unknown rank and no default value can be carried.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from fusion.formats.portable_quantile import quantile
from fusion.fuse import fuse
from fusion.fused_model import FusedModel
from fusion.generator_model import IMAGE, LEVELS
from sr_program import contract

FUSED, GENERATORS = "fused", contract.GENERATORS

# One value for all images, or one an image.
_XI = tf.TensorSpec([None], tf.float32, name=contract.XI)
_MAX_DEVIATION = tf.TensorSpec([None], tf.float32, name=contract.MAX_DEVIATION)


class PortableModel(tf.Module):
    """Two functions of a fused model, by name.

    - `fused`: image uint8 [B, H, W, 3]; xi and max_deviation float32 [1] or [B] -> sr, uint8. As
      what is served; with the delta as printed there is no max_deviation.
    - `generators`: image -> faithful and vivid, float32 grey levels, not rounded. Here the image is
      float32 grey levels in [0, 255] too, for photos of more than 8 bits; uint8 where a generator
      takes nothing else.

    Attributes:
        functions: The two, as `tf.function` with an input signature.
    """

    def __init__(self, model: FusedModel) -> None:
        super().__init__(name="portable_model")
        self.model = model
        numbers = (_XI,) if model.delta == "as_printed" else (_XI, _MAX_DEVIATION)
        generators, image = self._generators, IMAGE
        if model.takes_levels:
            generators, image = (
                self._from_levels,
                tf.TensorSpec(LEVELS.shape, LEVELS.dtype, "image"),
            )
        self.functions: dict[str, Any] = {
            FUSED: tf.function(self._fused, input_signature=[IMAGE, *numbers]),
            GENERATORS: tf.function(generators, input_signature=[image]),
        }

    def _generators(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.model.signature_functions[contract.GENERATORS](image=image)

    def _from_levels(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.model.signature_functions[contract.FROM_LEVELS](levels=image)

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
