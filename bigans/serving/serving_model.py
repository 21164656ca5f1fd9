"""The fused model as TensorFlow Serving runs it: every signature checks, tiles and answers.

serving_default:  image, xi, max_deviation               → sr
image_only:       image                                  → sr          (REST fills no defaults)
unrounded:        image, xi, max_deviation               → sr, float32
components:       image, xi, max_deviation               → faithful, vivid, deviation
bytes:            image_bytes, xi, max_deviation, jpeg_quality → sr_bytes
generators:       image, one tile                        → faithful, vivid, float32
from_levels:      levels, one tile                       → faithful, vivid, float32
model_info:       nothing                                → model_info, JSON
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from bigans.serving.graph.checks import checked_image, checked_numbers, require
from bigans.serving.graph.decoding import decode, encode
from bigans.serving.graph.enlarging import Enlarging, Generators, Outputs
from bigans.serving.limits import Limits
from fusion.fuse import Fused
from sr_images.rounding import grey_levels
from sr_program import contract
from sr_program.contract import DEFAULT_XI, USE_XI
from sr_program.model_facts import ModelFacts


class Source(NamedTuple):
    """A pair of generators that is loaded.

    Attributes:
        owner: What keeps their variables.
        generators: uint8 [B, H, W, 3] → faithful and vivid, float32.
        from_levels: The same from float32 grey levels; None if the pair does not take them.
        facts: Of the fused model.
    """

    owner: Any
    generators: Generators
    from_levels: Generators | None
    facts: ModelFacts


_ANY: Any = None  # the type stubs know no unknown shape
_IMAGE = tf.TensorSpec(_ANY, tf.uint8, name=contract.IMAGE)
_LEVELS = tf.TensorSpec(_ANY, tf.float32, name=contract.LEVELS)
_XI = tf.TensorSpec(_ANY, tf.float32, name=contract.XI)
_MAX_DEVIATION = tf.TensorSpec(_ANY, tf.float32, name=contract.MAX_DEVIATION)
_IMAGE_BYTES = tf.TensorSpec(_ANY, tf.string, name=contract.IMAGE_BYTES)
_JPEG_QUALITY = tf.TensorSpec(_ANY, tf.int32, name=contract.JPEG_QUALITY)

# What a client may expect of the inputs: the graph itself takes any shape and checks it.
SHAPES: dict[str, tuple[int, ...]] = {
    contract.IMAGE: (-1, -1, -1, 3),
    contract.LEVELS: (-1, -1, -1, 3),
    contract.XI: (-1,),
    contract.MAX_DEVIATION: (-1,),
    contract.IMAGE_BYTES: (-1,),
    contract.JPEG_QUALITY: (1,),
}


ROUNDED = Outputs(lambda faithful, vivid, fused: [fused.sr], [tf.uint8], [3], in_whole_levels=True)
NOT_ROUNDED = Outputs(lambda faithful, vivid, fused: [fused.unrounded], [tf.float32], [3])


class ServingModel(tf.Module):
    """The signatures.

    Attributes:
        signature_functions: By name.
        info: What `model_info` tells, JSON.
    """

    def __init__(self, source: Source, limits: Limits, info: dict[str, Any]) -> None:
        """Builds the graphs.

        Args:
            source: The generators.
            limits: What a request may ask for.
            info: What is told of the model.
        """
        super().__init__(name="serving_model")
        self._source = source
        self._limits = limits
        self.info = json.dumps(info, indent=2)
        facts = source.facts
        self._enlarging = Enlarging(
            source.generators,
            scale=facts.scale,
            threshold=facts.threshold or "joint",
            delta=facts.delta,
            tile=limits.tile,
            overlap=limits.overlap,
            exact_pixels=limits.exact_pixels,
        )
        self.signature_functions = self._signatures()

    @property
    def facts(self) -> ModelFacts:
        """Of the fused model."""
        return self._source.facts

    @property
    def generators(self) -> Generators:
        """Both, as they were loaded."""
        return self._source.generators

    def _signatures(self) -> dict[str, Any]:
        with_defaults = self._with_defaults
        functions = {
            contract.SERVING: with_defaults(self._serve),
            contract.UNROUNDED: with_defaults(self._unrounded),
            contract.COMPONENTS: with_defaults(self._components),
            contract.IMAGE_ONLY: _function(self._image_only, [_IMAGE]),
            contract.BYTES: self._bytes_with_defaults(),
            contract.GENERATORS: _function(self._generators, [_IMAGE]),
            contract.MODEL_INFO: _function(self._model_info, []),
        }
        if self._source.from_levels is not None:
            functions[contract.FROM_LEVELS] = _function(self._from_levels, [_LEVELS])
        return functions

    def _with_defaults(self, run: Callable[..., dict[str, tf.Tensor]]) -> Any:
        # A signature stores a default only if it is a Tensor; batching refuses scalars.
        default_xi, default_deviation = tf.constant([DEFAULT_XI]), tf.constant([USE_XI])

        def by_xi(image, xi=default_xi):
            return run(image, xi, tf.constant([USE_XI]))

        def by_either(image, xi=default_xi, max_deviation=default_deviation):
            return run(image, xi, max_deviation)

        if self._source.facts.delta == "as_printed":
            return _function(by_xi, [_IMAGE, _XI])
        return _function(by_either, [_IMAGE, _XI, _MAX_DEVIATION])

    def _bytes_with_defaults(self) -> Any:
        xis, bounds = tf.constant([DEFAULT_XI]), tf.constant([USE_XI])
        quality = tf.constant([0])

        def by_xi(image_bytes, xi=xis, jpeg_quality=quality):
            return self._bytes(image_bytes, xi, tf.constant([USE_XI]), jpeg_quality)

        def by_either(image_bytes, xi=xis, max_deviation=bounds, jpeg_quality=quality):
            return self._bytes(image_bytes, xi, max_deviation, jpeg_quality)

        if self._source.facts.delta == "as_printed":
            return _function(by_xi, [_IMAGE_BYTES, _XI, _JPEG_QUALITY])
        specs = [_IMAGE_BYTES, _XI, _MAX_DEVIATION, _JPEG_QUALITY]
        return _function(by_either, specs)

    def _serve(self, image, xi, max_deviation):
        (sr,) = self._each(image, xi, max_deviation, ROUNDED)
        return {contract.SR: sr}

    def _image_only(self, image):
        return self._serve(image, tf.constant([DEFAULT_XI]), tf.constant([USE_XI]))

    def _unrounded(self, image, xi, max_deviation):
        (sr,) = self._each(image, xi, max_deviation, NOT_ROUNDED)
        return {contract.SR: sr}

    def _components(self, image, xi, max_deviation):
        def make(faithful, vivid, fused: Fused):
            rounded = [tf.cast(grey_levels(one, tf), tf.uint8) for one in (faithful, vivid)]
            distance = tf.reduce_sum(tf.abs(fused.unrounded - faithful), axis=-1, keepdims=True)
            return [*rounded, distance]

        outputs = Outputs(make, [tf.uint8, tf.uint8, tf.float32], [3, 3, 1])
        faithful, vivid, deviation = self._each(image, xi, max_deviation, outputs)
        return {
            contract.FAITHFUL: faithful,
            contract.VIVID: vivid,
            "deviation": tf.squeeze(deviation, -1),
        }

    def _each(
        self,
        image: tf.Tensor,
        xi: tf.Tensor,
        max_deviation: tf.Tensor,
        outputs: Outputs,
    ) -> list[tf.Tensor]:
        """Enlarges the images of a request, one after the other."""
        images = checked_image(image, self._limits.max_pixels)
        batch = tf.shape(images)[0]
        xis, bounds = checked_numbers(xi, max_deviation, batch)
        results = [tf.TensorArray(dtype, batch, infer_shape=False) for dtype in outputs.dtypes]

        def body(index, results):
            made = self._enlarging.enlarge(images[index], xis[index], bounds[index], outputs)
            pairs = zip(results, made, strict=True)
            return index + 1, [one.write(index, value) for one, value in pairs]

        _, results = tf.while_loop(
            lambda index, _: index < batch, body, (tf.constant(0), results), parallel_iterations=1
        )
        return [
            tf.ensure_shape(one.stack(), [None, None, None, count])
            for one, count in zip(results, outputs.channels, strict=True)
        ]

    def _bytes(self, image_bytes, xi, max_deviation, jpeg_quality):
        contents = _checked_list(image_bytes)
        batch = tf.size(contents)
        xis, bounds = checked_numbers(xi, max_deviation, batch)
        quality = _checked_quality(jpeg_quality)
        results = tf.TensorArray(tf.string, batch, element_shape=[])

        def body(index, results):
            image = decode(contents[index], index, self._limits.max_pixels)
            (sr,) = self._enlarging.enlarge(image, xis[index], bounds[index], ROUNDED)
            return index + 1, results.write(index, encode(sr, quality))

        _, results = tf.while_loop(
            lambda index, _: index < batch, body, (tf.constant(0), results), parallel_iterations=1
        )
        return {contract.SR_BYTES: results.stack()}

    def _generators(self, image):
        images = checked_image(image, self._limits.tile_pixels)
        faithful, vivid = self._source.generators(images)
        return {contract.FAITHFUL: faithful, contract.VIVID: vivid}

    def _from_levels(self, levels):
        run = self._source.from_levels
        assert run is not None
        images = checked_image(levels, self._limits.tile_pixels, contract.LEVELS)
        is_finite = require(
            tf.reduce_all((images >= 0) & (images <= 255)), "levels must lie in [0, 255]"
        )
        with tf.control_dependencies([is_finite]):
            images = tf.identity(images)
        faithful, vivid = run(images)
        return {contract.FAITHFUL: faithful, contract.VIVID: vivid}

    def _model_info(self):
        return {contract.MODEL_INFO: tf.constant(self.info)}


def _function(run: Callable[..., dict[str, tf.Tensor]], inputs: Sequence[Any]) -> Any:
    return tf.function(run, input_signature=inputs, autograph=False)


def _checked_list(image_bytes: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(image_bytes)
    is_list = require(
        (tf.size(shape) <= 1) & (tf.reduce_prod(shape) > 0),
        "image_bytes must be a list of at least one encoded picture",
    )
    with tf.control_dependencies([is_list]):
        return tf.reshape(image_bytes, [-1])


def _checked_quality(jpeg_quality: tf.Tensor) -> tf.Tensor:
    values = tf.concat([tf.reshape(jpeg_quality, [-1]), [0]], 0)
    fits = require(
        tf.equal(tf.size(jpeg_quality), 1) & (values[0] >= 0) & (values[0] <= 100),
        "jpeg_quality must be one number: 1 to 100, or 0 for PNG",
    )
    with tf.control_dependencies([fits]):
        return tf.identity(values[0])
