from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

SCALE = 4


class Tower(tf.Module):
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


def save_tower(tower: Tower, directory: Path, signature: str = "unrounded") -> Path:
    tf.saved_model.save(tower, str(directory / "1"), signatures={signature: tower.unrounded})
    return directory


@pytest.fixture(scope="session")
def faithful_dir(tmp_path_factory) -> Path:
    tower = Tower(127 / 128, [0.375, 0.5, 0.625], texture=3 / 128)
    return save_tower(tower, tmp_path_factory.mktemp("faithful"))


@pytest.fixture(scope="session")
def vivid_dir(tmp_path_factory) -> Path:
    tower = Tower(133 / 128, [-3.0, 0.25, 2.0], texture=117 / 128)
    return save_tower(tower, tmp_path_factory.mktemp("vivid"))


@pytest.fixture(scope="session")
def double_scale_dir(tmp_path_factory) -> Path:
    return save_tower(Tower(1.0, [0.0] * 3, 3.0, scale=8), tmp_path_factory.mktemp("x8"))


@pytest.fixture(scope="session")
def other_signature_dir(tmp_path_factory) -> Path:
    tower = Tower(1.0, [0.0] * 3, 3.0)
    return save_tower(tower, tmp_path_factory.mktemp("other"), signature="serving_default")


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (3, 5, 7, 3), np.uint8)
