"""Toy SavedModels with the signatures of the real ones; what they compute is plain to see."""

from pathlib import Path
from typing import Any

import pytest


def _save(directory: Path, function: Any, *inputs: Any, name: str = "serving_default") -> Path:
    import tensorflow as tf

    module = tf.Module()
    module.function = tf.function(function, input_signature=inputs)  # pyright: ignore
    tf.saved_model.save(module, str(directory / "1"), signatures={name: module.function})  # pyright: ignore
    return directory


def _numbers(name: str) -> Any:
    """One value, or one an image."""
    import tensorflow as tf

    any_rank: Any = None
    return tf.TensorSpec(any_rank, tf.float32, name=name)


def _nearest(image: Any) -> Any:
    import tensorflow as tf

    return tf.repeat(tf.repeat(image, 4, axis=1), 4, axis=2)


@pytest.fixture(scope="session")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """image -> sr: every pixel repeated 4x4."""
    import tensorflow as tf

    image = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
    return _save(tmp_path_factory.mktemp("generator"), lambda image: {"sr": _nearest(image)}, image)


@pytest.fixture(scope="session")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """image, xi, max_deviation -> sr: the pixels plus 100 xi, or plus a max_deviation ≥ 0."""
    import tensorflow as tf

    def serve(image: Any, xi: Any, max_deviation: Any) -> Any:
        step = tf.where(max_deviation >= 0, max_deviation, tf.round(100 * xi))
        step = tf.broadcast_to(tf.reshape(step, [-1, 1, 1, 1]), [tf.shape(image)[0], 1, 1, 1])
        return {"sr": _nearest(image) + tf.cast(step, tf.uint8)}

    return _save(
        tmp_path_factory.mktemp("fused"),
        serve,
        tf.TensorSpec([None, None, None, 3], tf.uint8, name="image"),
        _numbers("xi"),
        _numbers("max_deviation"),
    )


@pytest.fixture(scope="session")
def fused_without_bound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """image, xi -> sr, as a model that is fused with the printed sign."""
    import tensorflow as tf

    return _save(
        tmp_path_factory.mktemp("as_printed"),
        lambda image, xi: {"sr": _nearest(image) + tf.cast(xi, tf.uint8)},
        tf.TensorSpec([None, None, None, 3], tf.uint8, name="image"),
        _numbers("xi"),
    )


@pytest.fixture(scope="session")
def not_upscalers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """SavedModels that lack the signature, or have one of other inputs, outputs or types."""
    import tensorflow as tf

    image = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
    floats = tf.TensorSpec([None, None, None, 3], tf.float32, name="image")
    other = tf.TensorSpec([None, None, None, 3], tf.uint8, name="photo")
    root = tmp_path_factory.mktemp("others")
    return {
        "other signature": _save(root / "a", lambda image: {"sr": image}, image, name="unrounded"),
        "other input": _save(root / "b", lambda photo: {"sr": photo}, other),
        "float input": _save(root / "c", lambda image: {"sr": tf.cast(image, tf.uint8)}, floats),
        "other output": _save(root / "d", lambda image: {"image": image}, image),
        "float output": _save(root / "e", lambda image: {"sr": tf.cast(image, tf.float32)}, image),
    }


@pytest.fixture(scope="session")
def toy_generators(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A faithful and a vivid generator of pixels repeated 4x4; every value is exact in float32."""
    import tensorflow as tf

    def generator(gain: float, offset: list[float]) -> Path:
        def unrounded(image: Any) -> Any:
            large = _nearest(tf.cast(image, tf.float32))
            return {"sr": tf.clip_by_value(large * gain + tf.constant(offset), 0.0, 255.0)}

        image = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
        return _save(tmp_path_factory.mktemp("toy"), unrounded, image, name="unrounded")

    return generator(127 / 128, [0.375, 0.5, 0.625]), generator(149 / 128, [-9.0, 0.25, 2.0])


@pytest.fixture(scope="session")
def toy_fused(toy_generators: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy generators, fused."""
    from fusion.exporting import build

    return build(*toy_generators, tmp_path_factory.mktemp("toy_fused"))


@pytest.fixture(scope="session")
def levels_generators(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Like the toy generators, that take grey levels: pixels + 0.25, and pixels * 1.125."""
    import tensorflow as tf

    def generator(gain: float, offset: float) -> Path:
        module: Any = tf.Module()
        shape = [None, None, None, 3]

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="levels")])
        def from_levels(levels: Any) -> Any:
            return {"sr": tf.clip_by_value(_nearest(levels) * gain + offset, 0.0, 255.0)}

        @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name="image")])
        def unrounded(image: Any) -> Any:
            return from_levels(tf.cast(image, tf.float32))

        module.functions = from_levels, unrounded
        directory = tmp_path_factory.mktemp("levels")
        signatures: Any = {"unrounded": unrounded, "from_levels": from_levels}
        tf.saved_model.save(module, str(directory / "1"), signatures=signatures)
        return directory

    return generator(1, 0.25), generator(1.125, 0)
