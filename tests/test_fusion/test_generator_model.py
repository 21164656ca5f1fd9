import shutil

import pytest
import tensorflow as tf

from fusion.fused_model import FusedModel
from fusion.generator_model import (
    UNROUNDED,
    has_bfloat16,
    load_generator,
    load_saved_model,
    stated_radius,
)
from sr_program.errors import DataError


class Odd(tf.Module):
    """Has the signature's name with another input or output."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="image")])
    def from_floats(self, image):
        return {"sr": image}

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3], tf.uint8, name="image")])
    def of_one_size(self, image):
        return {"sr": tf.cast(image, tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])
    def to_uint8(self, image):
        return {"sr": image}

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])
    def misnamed(self, image):
        return {"hr": tf.cast(image, tf.float32)}


def test_loads_a_generator(faithful_dir):
    generator = load_generator(faithful_dir / "1")
    image = tf.zeros([2, 3, 5, 3], tf.uint8)
    assert generator.signatures[UNROUNDED](image=image)["sr"].shape == (2, 12, 20, 3)


def test_refuses_a_model_without_the_signature(other_signature_dir):
    with pytest.raises(DataError, match="no signature 'unrounded'.*mr_srgan.export"):
        load_generator(other_signature_dir / "1")


@pytest.mark.parametrize("name", ["from_floats", "of_one_size", "to_uint8", "misnamed"])
def test_refuses_another_contract(name, tmp_path):
    odd = Odd()
    tf.saved_model.save(odd, str(tmp_path), signatures={UNROUNDED: getattr(odd, name)})
    with pytest.raises(DataError, match="no signature 'unrounded'"):
        load_generator(tmp_path)


@pytest.mark.parametrize("damage", ["no model", "no variables", "empty"])
def test_refuses_a_damaged_model_in_one_line(faithful_dir, tmp_path, damage):
    directory = shutil.copytree(faithful_dir / "1", tmp_path / "model")
    if damage == "no variables":
        shutil.rmtree(directory / "variables")
    else:
        content = b"" if damage == "empty" else b"not a model"
        (directory / "saved_model.pb").write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_generator(directory)
    message = str(caught.value)
    assert message.startswith(f"{directory}: not a SavedModel that can be loaded (")
    assert "export it again" in message and "\n" not in message


def save_with_reach(generator, directory, reach):
    copy = load_generator(generator / "1")
    copy.receptive_field = tf.function(lambda: tf.constant(reach), input_signature=[])
    tf.saved_model.save(copy, str(directory), signatures=dict(copy.signatures))
    return directory


def test_receptive_field(faithful_dir, vivid_dir, tmp_path):
    generators = [
        save_with_reach(generator, tmp_path / name, reach)
        for generator, name, reach in ((faithful_dir, "a", 60), (vivid_dir, "b", 40))
    ]
    assert [stated_radius(load_generator(generator)) for generator in generators] == [60, 40]
    fused = FusedModel(*generators)
    tf.saved_model.save(fused, str(tmp_path / "fused"), signatures=fused.signature_functions)
    assert stated_radius(load_saved_model(tmp_path / "fused")) == 60


def test_receptive_field_that_is_not_told(faithful_dir, vivid_dir, tmp_path):
    assert stated_radius(load_generator(faithful_dir / "1")) is None
    told = save_with_reach(vivid_dir, tmp_path / "b", 40)
    assert stated_radius(FusedModel(faithful_dir / "1", told)) is None


class Doubled(tf.Module):
    """Doubles what it gets, in a function within the function."""

    def __init__(self, dtype):
        super().__init__()
        self._dtype = dtype

    @tf.function
    def inner(self, image):
        image = tf.cast(image, self._dtype)
        return image + image

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])
    def outer(self, image):
        return {"sr": tf.cast(self.inner(image), tf.float32)}


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
def test_tells_what_a_signature_computes_in(dtype, tmp_path):
    module = Doubled(dtype)
    tf.saved_model.save(module, str(tmp_path), signatures={UNROUNDED: module.outer})
    generator = load_generator(tmp_path)
    assert has_bfloat16(generator.signatures[UNROUNDED]) == (dtype == tf.bfloat16)
