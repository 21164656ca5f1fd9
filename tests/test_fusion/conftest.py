from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

SCALE = 4


class Generator(tf.Module):
    """Nearest x4 with a gain, an offset a channel and a fixed texture; no Keras.

    All constants are multiples of 2**-7, so that every value is exact in whatever order and with
    whatever instructions it is computed, and results can be compared bit by bit.
    """

    def __init__(self, gain: float, offset: list[float], texture: float, scale: int = SCALE):
        super().__init__()
        self.gain = tf.Variable(tf.constant(gain))
        self.offset = tf.Variable(tf.constant(offset))
        self._texture = texture
        self._scale = scale

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])
    def unrounded(self, image):
        large = tf.cast(image, tf.float32)
        for axis in (1, 2):
            large = tf.repeat(large, self._scale, axis)
        rows = tf.range(tf.shape(large)[1])[:, None, None]
        columns = tf.range(tf.shape(large)[2])[None, :, None]
        pattern = (rows * rows * 5 + columns * 11 + rows * columns + tf.range(3) * 7) % 31 - 15
        texture = self._texture * tf.cast(pattern, tf.float32)
        return {"sr": tf.clip_by_value(large * self.gain + self.offset + texture, 0.0, 255.0)}


def save_generator(
    generator: "Generator | NetworkGenerator", directory: Path, signature: str = "unrounded"
) -> Path:
    signatures: dict[str, Any] = {signature: generator.unrounded}
    if isinstance(generator, NetworkGenerator):
        signatures["from_levels"] = generator.from_levels
    tf.saved_model.save(generator, str(directory / "1"), signatures=signatures)
    return directory


@pytest.fixture(scope="session")
def faithful_dir(tmp_path_factory) -> Path:
    generator = Generator(127 / 128, [0.375, 0.5, 0.625], texture=3 / 128)
    return save_generator(generator, tmp_path_factory.mktemp("faithful"))


@pytest.fixture(scope="session")
def vivid_dir(tmp_path_factory) -> Path:
    generator = Generator(133 / 128, [-3.0, 0.25, 2.0], texture=117 / 128)
    return save_generator(generator, tmp_path_factory.mktemp("vivid"))


@pytest.fixture(scope="session")
def double_scale_dir(tmp_path_factory) -> Path:
    return save_generator(Generator(1.0, [0.0] * 3, 3.0, scale=8), tmp_path_factory.mktemp("x8"))


@pytest.fixture(scope="session")
def other_signature_dir(tmp_path_factory) -> Path:
    generator = Generator(1.0, [0.0] * 3, 3.0)
    return save_generator(generator, tmp_path_factory.mktemp("other"), signature="enlarge")


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (3, 5, 7, 3), np.uint8)


class NetworkGenerator(tf.Module):
    """What the real networks are made of: convolutions, PReLUs, a skip, a shuffle."""

    def __init__(self, seed: int, features: int = 8):
        super().__init__()
        rng = np.random.default_rng(seed)

        def weights(*shape: int, scale: float) -> tf.Variable:
            return tf.Variable(tf.constant(rng.normal(0, scale, shape), tf.float32))

        self.head = weights(3, 3, 3, features, scale=0.3)
        self.body = weights(3, 3, features, features, scale=0.1)
        self.tail = weights(5, 5, features, 3 * SCALE**2, scale=0.05)
        self.slopes = [weights(features, scale=1.0) for _ in range(2)]  # of both signs, above 1 too

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])
    def unrounded(self, image):
        return self.from_levels(tf.cast(image, tf.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="levels")])
    def from_levels(self, levels):
        x = levels / 127.5 - 1.0
        head = x = self._rectify(tf.nn.conv2d(x, self.head, 1, "SAME"), self.slopes[0])
        x = self._rectify(tf.nn.conv2d(x, self.body, 1, "SAME") + 0.1, self.slopes[1]) + head
        x = tf.nn.depth_to_space(tf.nn.conv2d(x, self.tail, 1, "SAME"), SCALE)
        return {"sr": tf.clip_by_value((x + 1.0) * 127.5, 0.0, 255.0)}

    def _rectify(self, x, slope):
        return tf.maximum(x, 0.0) + slope * tf.minimum(x, 0.0)


@pytest.fixture(scope="session")
def network_dirs(tmp_path_factory) -> tuple[Path, Path]:
    """Two generators of different weights: SavedModels."""
    generators: list[Any] = [NetworkGenerator(1), NetworkGenerator(1)]
    rng = np.random.default_rng(2)
    for variable in generators[
        1
    ].trainable_variables:  # of one kind, as two networks of a photo are
        variable.assign_add(tf.constant(rng.normal(0, 0.02, variable.shape), tf.float32))
    folders = (
        tmp_path_factory.mktemp("network_faithful"),
        tmp_path_factory.mktemp("network_vivid"),
    )
    for generator, folder in zip(generators, folders, strict=True):
        save_generator(generator, folder)
    return folders
