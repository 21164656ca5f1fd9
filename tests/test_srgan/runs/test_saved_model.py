from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from sr_program.contract import FROM_LEVELS, LEVELS, SERVING, UNROUNDED
from sr_program.errors import DataError
from srgan.layers.prelu import PReLU
from srgan.layers.residual_block import conv
from srgan.layers.tail import image_tail
from srgan.runs.saved_model import ServedGenerator, check_reloaded, export_generator


def build_generator(bicubic_skip: bool = True, seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    lr = keras.Input((None, None, 3), name="lr")
    x = PReLU(name="prelu")(conv(4, 3, name="head")(lr))
    x = keras.layers.BatchNormalization(name="norm")(x)
    tail = {"scale": 4, "filters": 4, "output_kernel": 9, "bicubic_skip": bicubic_skip}
    model = keras.Model(lr, image_tail(x, lr, **tail), name="small")
    random = np.random.default_rng(seed)
    for variable in model.variables:  # so that rounding and clipping have work to do
        variable.assign(np.array(variable) + random.normal(0, 0.05, variable.shape))
    model.get_layer("norm").moving_variance.assign([0.5, 1.0, 2.0, 0.1])
    return model


@pytest.fixture(scope="module")
def generator() -> keras.Model:
    return build_generator()


@pytest.fixture(scope="module")
def exported(generator, tmp_path_factory) -> Path:
    return export_generator(generator, tmp_path_factory.mktemp("models") / "new" / "small")


def load(path: Path) -> Any:
    loaded = tf.saved_model.load(str(path))

    def call(signature: str, image: np.ndarray) -> np.ndarray:
        return loaded.signatures[signature](image=tf.constant(image))["sr"].numpy()

    return call


def load_in_session(path: Path) -> Any:
    """As TensorFlow Serving does."""
    session = tf.compat.v1.Session(graph=tf.Graph())
    signatures = tf.compat.v1.saved_model.load(session, ["serve"], str(path)).signature_def

    def call(signature: str, image: np.ndarray) -> np.ndarray:
        inputs, outputs = signatures[signature].inputs, signatures[signature].outputs
        assert set(inputs) == {"image"} and set(outputs) == {"sr"}
        return session.run(outputs["sr"].name, {inputs["image"].name: image})

    return call


LOADERS = {"tf2": load, "session": load_in_session}


@pytest.fixture(scope="module", params=LOADERS)
def call(request, exported):
    return LOADERS[request.param](exported)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, (*shape, 3), dtype=np.uint8)


def expected_levels(generator: keras.Model, image: np.ndarray) -> np.ndarray:
    """Grey levels of the Keras network in float64 after it, neither clipped nor rounded."""
    signed = generator(image.astype(np.float32) / 127.5 - 1, training=False)
    return (np.asarray(signed, np.float64) + 1) * 127.5


def test_lies_in_version_1(exported):
    assert exported.name == "1" and exported.parent.name == "small"
    assert [path.name for path in exported.parent.iterdir()] == ["1"]


def test_each_weight_is_stored_once(generator, exported):
    stored = tf.train.list_variables(str(exported / "variables" / "variables"))
    shapes = [tuple(shape) for name, shape in stored if name.endswith("VARIABLE_VALUE")]
    assert sorted(shapes) == sorted(tuple(v.shape) for v in generator.variables)


@pytest.mark.parametrize("shape", [(1, 5, 8), (3, 9, 7), (1, 1, 1), (2, 16, 16)])
def test_both_signatures_give_what_the_network_gives(call, generator, shape):
    image = noise(*shape)
    expected = expected_levels(generator, image)
    if shape != (1, 1, 1):
        assert expected.min() < 0 and expected.max() > 255  # clipping is seen
    unrounded = call(UNROUNDED, image)
    batch, height, width = shape
    assert unrounded.dtype == np.float32
    assert unrounded.shape == (batch, 4 * height, 4 * width, 3)
    np.testing.assert_allclose(unrounded, np.clip(expected, 0, 255), rtol=0, atol=1e-5 * 255)
    assert np.any(unrounded != np.rint(unrounded)) or shape == (1, 1, 1)
    served = call(SERVING, image)
    assert served.dtype == np.uint8
    # The same graph computes both, so that this holds to the last value.
    np.testing.assert_array_equal(served, np.floor(unrounded.astype(np.float64) + 0.5))


def test_grey_levels_are_not_rounded_on_their_way_in(generator, exported):
    levels = np.random.default_rng(3).uniform(0, 255, (2, 7, 6, 3)).astype(np.float32)
    signatures = tf.saved_model.load(str(exported)).signatures
    found = signatures[FROM_LEVELS](**{LEVELS: tf.constant(levels)})["sr"].numpy()
    expected = np.clip(expected_levels(generator, levels), 0, 255)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * 255)
    whole = np.round(levels)
    found = signatures[FROM_LEVELS](**{LEVELS: tf.constant(whole)})["sr"].numpy()
    same = signatures[UNROUNDED](image=tf.constant(whole.astype(np.uint8)))["sr"].numpy()
    np.testing.assert_array_equal(found, same)


def test_an_image_does_not_depend_on_its_batch(call):
    images = noise(3, 6, 5)
    whole = call(UNROUNDED, images)
    for index in range(3):
        alone = call(UNROUNDED, images[index : index + 1])
        np.testing.assert_allclose(alone[0], whole[index], rtol=0, atol=1e-3)


def test_halves_are_rounded_up():
    """10.5 gives 11 and 11.5 gives 12: never the even neighbour."""
    halves = np.arange(0.5, 255, 1, dtype=np.float32)
    signed = halves / np.float32(127.5) - np.float32(1)
    exact = (signed + np.float32(1)) * np.float32(127.5) == halves
    assert exact.sum() > 100
    row = tf.constant(signed[exact])[None, None, :, None]

    class Halves(keras.layers.Layer):
        def call(self, inputs):
            return 0 * inputs[:, :, :1] + row

    lr = keras.Input((None, None, 3))
    served_generator = ServedGenerator(keras.Model(lr, Halves()(lr), name="halves"))
    served = served_generator.rounded(tf.zeros((1, 1, 1, 3), tf.uint8))["sr"].numpy()
    np.testing.assert_array_equal(served[0, 0, :, 0], halves[exact] + 0.5)


def test_shapes_and_types_that_a_server_announces(exported):
    loaded = tf.saved_model.load(str(exported))
    assert set(loaded.signatures) == {"serving_default", "unrounded", "from_levels"}
    for name, dtype in ((SERVING, tf.uint8), (UNROUNDED, tf.float32)):
        _, inputs = loaded.signatures[name].structured_input_signature
        assert inputs == {"image": tf.TensorSpec((None, None, None, 3), tf.uint8, name="image")}
        output = loaded.signatures[name].structured_outputs["sr"]
        assert output.dtype == dtype and output.shape.as_list() == [None, None, None, 3]


def test_tells_its_receptive_field(exported):
    # 1 of the head, 1 + 1/2 + 4/4 of the tail, rounded up.
    assert int(tf.saved_model.load(str(exported)).receptive_field()) == 4


def test_batch_norm_is_that_of_inference(call):
    image = noise(2, 6, 6)
    training = build_generator()(image.astype(np.float32) / 127.5 - 1, training=True)
    different = np.clip((np.asarray(training) + 1) * 127.5, 0, 255)
    assert np.abs(call(UNROUNDED, image) - different).max() > 1


def test_what_exists_is_not_overwritten(exported):
    before = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    with pytest.raises(DataError, match=r"small/1: exists already; .*another directory"):
        export_generator(build_generator(seed=1), exported.parent)
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in exported.parent.iterdir()] == ["1"]


def test_a_failed_export_leaves_nothing(generator, tmp_path, monkeypatch):
    def save(_, path, **__):
        (Path(path) / "saved_model.pb").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(tf.saved_model, "save", save)
    with pytest.raises(OSError, match="disk full"):
        export_generator(generator, tmp_path / "small")
    assert list((tmp_path / "small").iterdir()) == []


def test_the_reloaded_model_is_compared(exported, generator, tmp_path, monkeypatch):
    check_reloaded(ServedGenerator(generator), exported)
    with pytest.raises(DataError, match=r"differs from the one in memory, sr by [0-9.]+"):
        check_reloaded(ServedGenerator(build_generator(seed=1)), exported)
    load_any = tf.saved_model.load
    monkeypatch.setattr(tf.saved_model, "load", lambda _: load_any(str(exported)))
    with pytest.raises(DataError, match="differs from the one in memory"):
        export_generator(build_generator(seed=1), tmp_path / "small")
    assert list((tmp_path / "small").iterdir()) == []


def test_a_network_that_gives_nan_is_not_exported(tmp_path):
    broken = build_generator()
    broken.variables[0].assign(np.full(broken.variables[0].shape, np.nan))
    with pytest.raises(DataError, match="differs from the one in memory, sr by nan"):
        export_generator(broken, tmp_path / "small")
