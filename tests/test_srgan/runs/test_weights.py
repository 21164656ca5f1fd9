import dataclasses
import json
import re
import shutil
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from sr_program.errors import DataError
from srgan.layers.prelu import PReLU
from srgan.runs.weights import load_start, load_weights, save_weights


def network(
    filters: int = 3, layers: int = 2, batch_norm: bool = False, seed: int = 0
) -> keras.Model:
    keras.utils.set_random_seed(seed)
    image = keras.Input((None, None, 3))
    x = image
    for _ in range(layers):
        x = keras.layers.Conv2D(filters, 3, padding="same", bias_initializer="normal")(x)
        if batch_norm:
            x = keras.layers.BatchNormalization()(x)
    return keras.Model(image, x, name="small")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "small.weights.h5"
    save_weights(network(), path)
    return path


def test_a_saved_network_comes_back(tmp_path):
    first, second = network(batch_norm=True, seed=1), network(batch_norm=True, seed=2)
    first.layers[2].moving_mean.assign([1.0, 2.0, 3.0])
    save_weights(first, tmp_path / "small.weights.h5")
    assert any(np.any(a != b) for a, b in zip(first.variables, second.variables, strict=True))
    for path in (tmp_path / "small.weights.h5", str(tmp_path / "small.weights.h5")):
        load_weights(second, path)
    for expected, found in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(expected, found)


def test_keras_reads_what_is_saved_and_the_other_way_round(saved, tmp_path):
    other = network(seed=3)
    other.load_weights(saved)
    other.save_weights(tmp_path / "other.weights.h5")
    third = network(seed=4)
    load_weights(third, tmp_path / "other.weights.h5")
    for expected, found in zip(network().variables, third.variables, strict=True):
        np.testing.assert_array_equal(expected, found)


def save_checkpoint(path, generator) -> None:
    """By hand, as `checkpoints.save` numbers them; ten and more are in order too."""
    arrays: dict[str, Any] = {
        f"generator/{i:04d}/v": np.array(v) for i, v in enumerate(generator.variables)
    }
    arrays["optimizer/0000/iteration"] = np.array(3)
    np.savez(path, **arrays, state=np.array("{}"))


def test_a_checkpoint_s_generator(tmp_path):
    first, second = network(layers=6, seed=1), network(layers=6, seed=2)
    save_checkpoint(tmp_path / "step-00000003.npz", first)
    load_weights(second, tmp_path / "step-00000003.npz")
    for expected, found in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(expected, found)


def test_checkpoints_that_cannot_be_read(tmp_path):
    path = tmp_path / "step-00000003.npz"
    save_checkpoint(path, network())
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: .* does not fit small$"):
        load_weights(network(filters=4), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"step-00000003\.npz: this checkpoint is damaged \("):
        load_weights(network(), path)
    with pytest.raises(DataError, match="no such weights file"):
        load_weights(network(), tmp_path / "step-00000009.npz")


def test_weights_of_a_trained_model_are_read_without_its_optimizer(tmp_path):
    model = network()
    model.compile("adam", "mse")
    model.train_on_batch(np.zeros((1, 4, 4, 3)), np.ones((1, 4, 4, 3)))
    model.save_weights(tmp_path / "trained.weights.h5")
    other = network(seed=1)
    load_weights(other, tmp_path / "trained.weights.h5")
    np.testing.assert_array_equal(other.variables[0], model.variables[0])


def test_a_failed_save_leaves_the_old_file_and_nothing_else(saved, monkeypatch):
    before = saved.read_bytes()
    broken = network()

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(broken, "save_weights", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(broken, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.weights\.h5: no such weights file"):
        load_weights(network(), tmp_path / "none.weights.h5")
    with pytest.raises(DataError, match="no such weights file"):
        load_weights(network(), tmp_path)


def assert_refused(model: keras.Model, path) -> str:
    with pytest.raises(DataError) as caught:
        load_weights(model, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: these weights ") and "\n" not in message
    assert "do not fit small" in message
    return message


@pytest.mark.parametrize(
    "other",
    [
        {"filters": 4},
        {"layers": 3},
        {"layers": 1},  # Keras itself reads the first layer and drops the second
        {"batch_norm": True},
    ],
)
def test_another_architecture(saved, recwarn, other):
    assert_refused(network(**other), saved)
    assert not recwarn.list  # the one line is all that a person sees


def test_a_file_with_more_than_the_network_has(tmp_path):
    path = tmp_path / "normalised.weights.h5"
    save_weights(network(batch_norm=True), path)
    # 3·3·3·3 + 3 numbers in each of two convolutions, and 4·3 in each of two normalisations
    assert re.search("holds 192 numbers, the network 168", assert_refused(network(), path))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_a_file_cut_short(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    assert_refused(network(), saved)


def test_files_of_something_else(saved, tmp_path):
    saved.write_text("version https://git-lfs.github.com/spec/v1\n")
    assert_refused(network(), saved)
    with h5py.File(saved, "w") as file:
        file["something"] = np.zeros(3)
    assert_refused(network(), saved)
    with h5py.File(saved, "w"):
        pass
    assert_refused(network(), saved)


def test_damage_anywhere_is_a_data_error_or_unseen(saved, tmp_path):
    content = saved.read_bytes()
    random = np.random.default_rng(0)
    model = network()
    num_refused = 0
    for place in np.linspace(0, len(content) - 1, 60).astype(int):
        damaged = bytearray(content)
        stop = min(place + 64, len(content))
        damaged[place:stop] = random.bytes(stop - place)
        path = tmp_path / f"{place}.weights.h5"
        path.write_bytes(damaged)
        try:
            load_weights(model, path)
        except DataError:
            num_refused += 1
        path.unlink()
    assert num_refused > 0
    shutil.copy(saved, tmp_path / "whole.weights.h5")
    load_weights(model, tmp_path / "whole.weights.h5")


def with_slopes(shared: bool) -> keras.Model:
    image = keras.Input((None, None, 3))
    x = image
    for _ in range(2):
        x = PReLU(shared=shared)(keras.layers.Conv2D(4, 1)(x))
    return keras.Model(image, x, name="small")


def test_shared_slopes_start_at_the_mean_of_a_slope_a_channel(tmp_path):
    path = tmp_path / "channels.weights.h5"
    before = with_slopes(shared=False)
    before.layers[2].slope.assign([0.1, 0.2, 0.3, 0.6])
    before.layers[4].slope.assign([-1.0, 1.0, 2.0, 0.0])
    save_weights(before, path)
    stored = path.read_bytes()
    after = with_slopes(shared=True)
    with pytest.raises(DataError, match="do not fit"):
        load_weights(after, path)
    load_start(after, path)
    np.testing.assert_allclose(after.layers[2].slope, [0.3], rtol=1e-6)
    np.testing.assert_allclose(after.layers[4].slope, [0.5], rtol=1e-6)
    for i in (1, 3):
        np.testing.assert_array_equal(after.layers[i].kernel, before.layers[i].kernel)
    assert path.read_bytes() == stored


def test_what_cannot_start_is_named(tmp_path, saved):
    shared = with_slopes(shared=True)
    with pytest.raises(DataError, match=r"absent\.weights\.h5: no such"):
        load_start(shared, tmp_path / "absent.weights.h5")
    with pytest.raises(DataError, match=re.escape(f"{saved}: these weights are damaged or do not")):
        load_start(shared, saved)
    broken = tmp_path / "broken.weights.h5"
    broken.write_bytes(saved.read_bytes()[:900])
    with pytest.raises(DataError, match=re.escape(f"{broken}: these weights are damaged")):
        load_start(shared, broken)


@pytest.mark.parametrize("shared", [True, False])
def test_a_start_of_the_same_form_is_loaded_as_it_is(tmp_path, shared):
    first, second = with_slopes(shared), with_slopes(shared)
    first.layers[2].slope.assign(first.layers[2].slope + 0.1)
    save_weights(first, tmp_path / "same.weights.h5")
    load_start(second, tmp_path / "same.weights.h5")
    for expected, found in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(expected, found)


# The architecture in the file.


@dataclasses.dataclass(frozen=True)
class Architecture:
    skip: bool = False
    blocks: int = 2
    shared_slopes: bool = False


def test_weights_that_fit_and_mean_another_thing(tmp_path):
    path = tmp_path / "small.weights.h5"
    save_weights(network(seed=1), path, Architecture(skip=True, blocks=3))
    other = network(seed=2)
    before = [np.array(v) for v in other.variables]
    for load in (load_weights, load_start):
        with pytest.raises(DataError) as caught:
            load(other, path, Architecture())
        message = str(caught.value)
        assert f"{path}: these weights do not fit small " in message
        assert "(--skip was True, is False, --blocks was 3, is 2)" in message
    for old, new in zip(before, other.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    load_weights(other, path, Architecture(skip=True, blocks=3))
    load_weights(other, path)  # for those who do not know it
    for expected, found in zip(network(seed=1).variables, other.variables, strict=True):
        np.testing.assert_array_equal(expected, found)


def test_a_file_of_before_is_taken_where_its_shapes_fit(saved):
    load_weights(network(seed=2), saved, Architecture(skip=True))


def test_a_younger_setting_was_at_its_default_and_an_unknown_one_is_named(saved):
    with h5py.File(saved, "r+") as file:
        file.attrs["architecture"] = json.dumps({"blocks": 2})
    load_weights(network(), saved, Architecture())
    with pytest.raises(DataError, match="--skip was False, is True"):
        load_weights(network(), saved, Architecture(skip=True))
    with h5py.File(saved, "r+") as file:
        file.attrs["architecture"] = json.dumps({"blocks": 2, "depth": 4})
    with pytest.raises(DataError, match=r"small \(--depth was 4\)"):
        load_weights(network(), saved, Architecture())


def test_the_start_may_have_a_slope_a_channel(tmp_path):
    path = tmp_path / "small.weights.h5"
    save_weights(with_slopes(False), path, Architecture())
    load_start(with_slopes(True), path, Architecture(shared_slopes=True))
    with pytest.raises(DataError, match="--shared_slopes was False, is True"):
        load_weights(with_slopes(True), path, Architecture(shared_slopes=True))


def test_the_architecture_of_a_checkpoint(tmp_path):
    path = tmp_path / "step-00000003.npz"
    save_checkpoint(path, network())
    with np.load(path) as archive:
        arrays = dict(archive)
    state = {"step": 3, "architecture": dataclasses.asdict(Architecture(skip=True))}
    np.savez(path, **{**arrays, "state": np.array(json.dumps(state))})
    load_weights(network(), path, Architecture(skip=True))
    with pytest.raises(DataError, match="--skip was True, is False"):
        load_weights(network(), path, Architecture())
