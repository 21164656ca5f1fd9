"""The fused model: two SavedModels, one image in, their soft-thresholded merge out.

A generator is known by its signature only, see `fusion.generator_model`. Δ is computed from
unrounded images and the result is rounded once.

    image ─┬─► faithful generator ─► I_g ─┐
           └─► vivid generator ────► I_G ─┴─► t = Q(ξ) of |Δ|, or max_deviation ─► I_e ─► uint8
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from fusion.fuse import Fused, fuse
from fusion.generator_model import IMAGE, LEVELS, load_generator, takes_levels
from fusion.model_facts import facts_of
from fusion.modes import DELTAS, THRESHOLDS, Delta, Threshold
from fusion.parts import deviations, merge_at
from sr_images.rounding import grey_levels
from sr_program import contract
from sr_program.contract import DEFAULT_XI, FROM_LEVELS, UNROUNDED, USE_XI
from sr_program.errors import DataError, UsageError
from sr_program.model_facts import ModelFacts, hash_of_parts

# One value for all images, or one an image. (The type stubs know no unknown rank.)
_ANY_RANK: Any = None
_XI = tf.TensorSpec(_ANY_RANK, tf.float32, name=contract.XI)
_MAX_DEVIATION = tf.TensorSpec(_ANY_RANK, tf.float32, name=contract.MAX_DEVIATION)

_FAITHFUL = tf.TensorSpec([None, None, None, 3], tf.float32, name=contract.FAITHFUL)
_VIVID = tf.TensorSpec([None, None, None, 3], tf.float32, name=contract.VIVID)


class FusedModel(tf.Module):
    """Two loaded generators and the merge, with the signatures of the fused SavedModel.

    - what servers take: image, xi, max_deviation -> sr, uint8; see `sr_program.contract`.
    - `components`: the same inputs -> faithful and vivid, uint8; deviation, float32 [B, H, W], the
      sum over channels of |I_e − I_g| in grey levels, not rounded.
    - `generators`: image -> faithful and vivid, float32 grey levels, not rounded: with `fuse`, a
      sweep over ξ runs the generators once.
    - `from_levels`: the same from float32 grey levels in [0, 255], for photos of more than 8 bits;
      only where both generators have a signature of this name.
    - `deviations` and `merge`: see `fusion.parts`; for an image that comes in tiles.

    `xi` and `max_deviation` are scalars or have one value an image; the model stores their
    defaults. With `as_printed` there is no input max_deviation: no bound holds there.

    Attributes:
        facts: What stands beside the exported model.
        takes_levels: Whether there is `from_levels`.
    """

    def __init__(
        self,
        faithful: str | os.PathLike[str],
        vivid: str | os.PathLike[str],
        *,
        threshold: Threshold = "joint",
        delta: Delta = "as_read",
    ) -> None:
        """Loads the generators.

        Args:
            faithful: Directory of the SavedModel of I_g, the one that holds saved_model.pb.
            vivid: Directory of the SavedModel of I_G.
            threshold: See `fuse`.
            delta: See `fuse`.

        Raises:
            DataError: A directory holds no SavedModel that can be loaded, or the model lacks the
                signature `unrounded`, or the two enlarge by different factors, or stand in each
                other's place.
            UsageError: Unknown `threshold` or `delta`.
        """
        super().__init__(name="fused_model")
        if threshold not in THRESHOLDS:
            raise UsageError(f"threshold is {threshold!r}; choose one of {', '.join(THRESHOLDS)}")
        if delta not in DELTAS:
            raise UsageError(f"delta is {delta!r}; choose one of {', '.join(DELTAS)}")
        self.threshold: Threshold = threshold
        self.delta: Delta = delta
        # Kept whole: what the signatures capture lives no longer than the loaded object, and
        # saving finds the variables through it.
        self._faithful = load_generator(faithful)
        self._vivid = load_generator(vivid)
        parts = facts_of(self._faithful, Path(faithful)), facts_of(self._vivid, Path(vivid))
        _refuse_exchanged(*parts, faithful, vivid)
        self._check_sizes(faithful, vivid)
        self.takes_levels = takes_levels(self._faithful) and takes_levels(self._vivid)
        self.signature_functions = self._make_signatures()
        self.facts = _facts_of_both(*parts, threshold, delta)
        radius = self.facts.radius
        if radius is not None:
            self.receptive_field = tf.function(lambda: tf.constant(radius), input_signature=[])

    def _check_sizes(self, faithful: str | os.PathLike[str], vivid: str | os.PathLike[str]) -> None:
        first, second = self._generators(tf.zeros([1, 8, 8, 3], tf.uint8))
        if first.shape != second.shape:
            raise DataError(
                f"{faithful} makes {first.shape[1:].as_list()} of an 8x8 image and {vivid} "
                f"{second.shape[1:].as_list()}; fuse models of the same scale"
            )

    @property
    def generators(self) -> tuple[Any, Any]:
        """The loaded generators, the faithful and the vivid; see `fusion.generator_model`."""
        return self._faithful, self._vivid

    def _generators(self, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """I_g and I_G, float32 grey levels."""
        faithful = self._faithful.signatures[UNROUNDED](image=image)["sr"]
        vivid = self._vivid.signatures[UNROUNDED](image=image)["sr"]
        return faithful, vivid

    def _make_signatures(self) -> dict[str, Any]:
        def generators(image):
            faithful, vivid = self._generators(image)
            return {"faithful": faithful, "vivid": vivid}

        def from_levels(levels):
            both = (one.signatures[FROM_LEVELS] for one in (self._faithful, self._vivid))
            faithful, vivid = (signature(levels=levels)["sr"] for signature in both)
            return {"faithful": faithful, "vivid": vivid}

        def parts(faithful, vivid):
            return {"deviations": deviations(faithful, vivid, self.threshold)}

        def merge(faithful, vivid, limits):
            modes = self.threshold, self.delta
            return {"sr": merge_at(faithful, vivid, limits, *modes)}

        count = 3 if self.threshold == "per_channel" else 1
        limits = tf.TensorSpec([None, count], tf.float32, name="limits")
        functions: dict[str, Any] = {
            contract.SERVING: self._with_defaults(self._serve),
            contract.COMPONENTS: self._with_defaults(self._components),
            contract.GENERATORS: tf.function(generators, input_signature=[IMAGE]),
            contract.DEVIATIONS: tf.function(parts, input_signature=[_FAITHFUL, _VIVID]),
            contract.MERGE: tf.function(merge, input_signature=[_FAITHFUL, _VIVID, limits]),
        }
        if self.takes_levels:
            functions[FROM_LEVELS] = tf.function(from_levels, input_signature=[LEVELS])
        return functions

    def _with_defaults(self, run: Callable[..., dict[str, tf.Tensor]]) -> Any:
        # A signature stores a default only if it is a Tensor.
        default_xi, default_deviation = tf.constant(DEFAULT_XI), tf.constant(USE_XI)

        def by_xi(image, xi=default_xi):
            return run(image, xi)

        def by_either(image, xi=default_xi, max_deviation=default_deviation):
            return run(image, xi, max_deviation)

        if self.delta == "as_printed":
            return tf.function(by_xi, input_signature=[IMAGE, _XI])
        return tf.function(by_either, input_signature=[IMAGE, _XI, _MAX_DEVIATION])

    def _serve(self, image: tf.Tensor, *how_far: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sr": self._fuse(*self._generators(image), *how_far).sr}

    def _components(self, image: tf.Tensor, *how_far: tf.Tensor) -> dict[str, tf.Tensor]:
        faithful, vivid = self._generators(image)
        fused = self._fuse(faithful, vivid, *how_far)
        return {
            "faithful": tf.cast(grey_levels(faithful, tf), tf.uint8),
            "vivid": tf.cast(grey_levels(vivid, tf), tf.uint8),
            "deviation": tf.reduce_sum(tf.abs(fused.unrounded - faithful), axis=-1),
        }

    def _fuse(self, faithful: tf.Tensor, vivid: tf.Tensor, *how_far: tf.Tensor) -> Fused:
        return fuse(faithful, vivid, *how_far, threshold=self.threshold, delta=self.delta)


def _facts_of_both(
    faithful: ModelFacts, vivid: ModelFacts, threshold: Threshold, delta: Delta
) -> ModelFacts:
    radii = faithful.radius, vivid.radius
    precisions = {faithful.precision, vivid.precision}
    return ModelFacts(
        scale=faithful.scale,
        radius=None if None in radii else max(radius for radius in radii if radius is not None),
        precision="bfloat16" if "bfloat16" in precisions else "float32",
        weights=hash_of_parts(faithful.weights, vivid.weights),
        threshold=threshold,
        delta=delta,
    )


def _refuse_exchanged(
    faithful: ModelFacts,
    vivid: ModelFacts,
    faithful_dir: str | os.PathLike[str],
    vivid_dir: str | os.PathLike[str],
) -> None:
    if (faithful.generator, vivid.generator) == ("wp_srgan", "mr_srgan"):
        raise DataError(
            f"{faithful_dir} is a WP-SRGAN, the vivid generator, and {vivid_dir} an MR-SRGAN, the "
            "faithful one; exchange the two"
        )
