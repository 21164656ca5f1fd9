"""Any network that enlarges, as the generator that `fusion.generator_model` describes.

What it takes is found out: where its channels are, from its shape; which grey levels it means by
which numbers, by a trial on a drawn picture, whose result has to be near bicubic interpolation.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from fusion.foreign.onnx_network import OnnxNetwork
from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import psnr
from sr_program import contract
from sr_program.errors import DataError, first_line
from sr_program.files.hashes import file_sha256
from sr_program.model_facts import ModelFacts

_SIDE = 32  # of the drawn picture, LR pixels
_ODD = 7, 5  # a generator takes images of any size
_NEAR = 20.0  # dB to bicubic interpolation; what enlarges has more than 25
_CLEARLY = 3.0  # dB by which another range has to be nearer than the usual one

Network = Callable[[Any], Any]


class Range(NamedTuple):
    """The numbers that stand for the grey levels 0 and 255."""

    black: float
    white: float

    def from_levels(self, levels: Any) -> Any:
        """Grey levels as the network takes them."""
        return self.black + levels * ((self.white - self.black) / 255)

    def to_levels(self, values: Any) -> Any:
        """What the network gives as grey levels, bounded."""
        levels = (values - self.black) * (255 / (self.white - self.black))
        return tf.clip_by_value(levels, 0.0, 255.0)


# The usual one first.
RANGES = (Range(0, 1), Range(0, 255), Range(-1, 1))


class ForeignGenerator(tf.Module):
    """A network of another make with the signatures of a generator.

    Attributes:
        signatures: `unrounded`, and `from_levels` if the network takes float32.
        facts: Its scale and the hash of its file.

    Example:
        >>> unrounded = of_onnx("span_x4.onnx").signatures["unrounded"]
        >>> sr = unrounded(image=images)["sr"]
    """

    def __init__(
        self,
        network: Network,
        *,
        name: str,
        weights: str,
        channels_last: bool,
        takes_uint8: bool,
        kept: Any = None,
    ) -> None:
        """Tries the network.

        Args:
            network: From images in its layout to enlarged ones.
            name: For messages: of its file.
            weights: Hash of its weights.
            channels_last: Whether images are [B, H, W, 3]; else they are [B, 3, H, W].
            takes_uint8: Whether they are uint8; else they are float32.
            kept: What has the network's weights, if it has not itself.

        Raises:
            DataError: It cannot enlarge a picture, or makes something else of it.
        """
        super().__init__(name="foreign_generator")
        self._network = network
        self._kept = kept  # saving finds the weights through it
        self._name = name
        self._channels_last = channels_last
        self._takes_uint8 = takes_uint8
        self._range, scale = self._tried()
        image = tf.TensorSpec([None, None, None, 3], tf.uint8, name=contract.IMAGE)
        levels = tf.TensorSpec(image.shape, tf.float32, name=contract.LEVELS)

        @tf.function
        def unrounded(*, image):
            return {contract.SR: self._enlarged(tf.cast(image, tf.float32), self._range)}

        @tf.function
        def from_levels(*, levels):
            return {contract.SR: self._enlarged(levels, self._range)}

        self.signatures: Any = {contract.UNROUNDED: unrounded.get_concrete_function(image=image)}
        if not takes_uint8:
            concrete = from_levels.get_concrete_function(levels=levels)
            self.signatures[contract.FROM_LEVELS] = concrete
        self.facts = ModelFacts(scale=scale, weights=weights)

    def _enlarged(self, levels: Any, range_: Range) -> Any:
        images = range_.from_levels(levels)
        images = tf.cast(tf.round(images), tf.uint8) if self._takes_uint8 else images
        images = images if self._channels_last else tf.transpose(images, [0, 3, 1, 2])
        made = tf.cast(self._network(images), tf.float32)
        made = made if self._channels_last else tf.transpose(made, [0, 2, 3, 1])
        return range_.to_levels(made)

    def _tried(self) -> tuple[Range, int]:
        """The range of numbers, and the scale."""
        picture = _drawn()
        ranges = (Range(0, 255),) if self._takes_uint8 else RANGES
        results = [self._result(picture, range_) for range_ in ranges]
        scale = results[0].shape[0] // _SIDE
        wanted = bicubic_upscale(picture, scale).astype(np.float32)
        nearness = [
            psnr(wanted, result, data_range=255) if np.isfinite(result).all() else -np.inf
            for result in results
        ]
        best = int(np.argmax(nearness))
        chosen = best if nearness[best] > nearness[0] + _CLEARLY else 0
        if not np.isfinite(results[chosen]).all():
            raise DataError(
                f"{self._name}: does not enlarge: what it makes of a picture is not finite"
            )
        if nearness[chosen] < _NEAR:
            raise DataError(
                f"{self._name}: does not enlarge: what it makes of a picture is "
                f"{nearness[chosen]:.0f} dB from bicubic interpolation"
            )
        self._try_odd_size(ranges[chosen], scale)
        black, white = ranges[chosen]
        logging.info("%s: scale %d, values %g to %g", self._name, scale, black, white)
        return ranges[chosen], scale

    def _result(self, picture: NDArray[np.uint8], range_: Range) -> NDArray[np.float32]:
        # two of them: a network that takes one image alone is found out
        made = self._made(np.stack([picture, picture[::-1]]), range_)
        scale = made.shape[1] // _SIDE if made.ndim == 4 else 0
        if scale < 2 or made.shape != (2, scale * _SIDE, scale * _SIDE, 3):
            raise DataError(
                f"{self._name}: makes {list(made.shape)} of two images of {_SIDE}x{_SIDE}; a "
                "generator enlarges by a whole factor"
            )
        return made[0]

    def _try_odd_size(self, range_: Range, scale: int) -> None:
        height, width = _ODD
        made = self._made(_drawn()[None, :height, :width], range_)
        if made.shape != (1, scale * height, scale * width, 3):
            raise DataError(
                f"{self._name}: makes {list(made.shape)} of an image of {width}x{height}; a "
                "generator takes images of any size"
            )

    def _made(self, images: NDArray[np.uint8], range_: Range) -> NDArray[np.float32]:
        try:
            return np.asarray(self._enlarged(tf.constant(images, tf.float32), range_))
        except DataError:
            raise
        # TensorFlow and the network's own code raise nearly anything.
        except Exception as error:
            count, height, width, _ = images.shape
            raise DataError(
                f"{self._name}: cannot enlarge {count} images of {width}x{height}, and a generator "
                f"takes images of any size and number ({first_line(error)})"
            ) from error


def _drawn() -> NDArray[np.uint8]:
    """Slow waves, other ones in each channel, with a dark and a bright square; dark to bright."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    waves = [np.cos(2 * np.pi * (rows * down + columns * (3 - down))) for down in range(3)]
    picture = 128 + 90 * np.stack(waves, axis=-1)
    picture[4:12, 4:12], picture[18:28, 16:26] = 20, 240
    return picture.astype(np.uint8)


def of_onnx(path: str | os.PathLike[str]) -> ForeignGenerator:
    """A generator from an ONNX file: one image in, float32 or uint8, and a larger one out.

    Args:
        path: Of the file; weights may lie beside it.

    Raises:
        DataError: It is missing or damaged, has operators that are not known here, fixed sizes, or
            does not enlarge RGB.
        UsageError: A package of the extra `onnx` is not installed.
    """
    network = OnnxNetwork(path)
    return ForeignGenerator(
        network,
        name=os.fspath(path),
        weights=file_sha256(Path(path)),
        channels_last=_is_channels_last(network.input_shape, os.fspath(path), usually=False),
        takes_uint8=network.takes_uint8,
    )


def of_saved_model(loaded: Any, directory: str | os.PathLike[str], weights: str) -> Any:
    """A generator from a SavedModel of another program.

    Args:
        loaded: It, loaded. `serving_default` takes one image, float32 or uint8, and gives one.
        directory: Where it lies, for messages.
        weights: Hash of its weights.

    Returns:
        None if it is something else.

    Raises:
        DataError: It has fixed sizes, or does not enlarge RGB.
    """
    signature = getattr(loaded, "signatures", {}).get(contract.SERVING)
    if signature is None:
        return None
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        return None
    (argument, spec), (output, _) = next(iter(inputs.items())), next(iter(outputs.items()))
    if spec.dtype not in (tf.uint8, tf.float32) or spec.shape.rank != 4:
        return None
    return ForeignGenerator(
        lambda images: signature(**{argument: images})[output],
        name=os.fspath(directory),
        weights=weights,
        channels_last=_is_channels_last(
            tuple(spec.shape.as_list()), os.fspath(directory), usually=True
        ),
        takes_uint8=spec.dtype == tf.uint8,
        kept=loaded,
    )


def _is_channels_last(shape: tuple[int | None, ...], name: str, *, usually: bool) -> bool:
    """Whether an input has its channels at the end; else they come after the batch.

    `usually` counts where the shape does not tell.
    """
    found = [place for place in (1, 3) if len(shape) == 4 and shape[place] == 3]
    unknown = len(shape) == 4 and shape[1] is None and shape[3] is None
    if not found and not unknown:
        raise DataError(f"{name}: takes {list(shape)}; a generator takes RGB: three channels")
    channels_last = usually if len(found) != 1 else found == [3]
    height, width = shape[1:3] if channels_last else shape[2:]
    if height is not None or width is not None:
        raise DataError(
            f"{name}: takes images of {width}x{height} alone; export it with sizes that may "
            "change (in PyTorch: dynamic_axes or dynamic_shapes)"
        )
    return channels_last
