import numpy as np
import pytest

from sr_program.errors import DataError
from srgan.runs import checkpoints
from srgan.runs.weights import load_weights


def batch(seed: int):
    random = np.random.default_rng(seed)
    lr, hr = random.uniform(-1, 1, (2, 4, 4, 3)), random.uniform(-1, 1, (2, 16, 16, 3))
    return lr.astype(np.float32), hr.astype(np.float32)


def variables(model) -> list:
    networks = [model.generator, model.discriminator]
    own = [v for network in networks if network is not None for v in network.variables]
    return own + list(model.optimizer.variables)


def values(model) -> list[np.ndarray]:
    return [np.array(v) for v in variables(model)]


def assert_same(first, second) -> None:
    for expected, found in zip(first, second, strict=True):
        assert expected.dtype == found.dtype
        np.testing.assert_array_equal(expected, found)


@pytest.fixture(scope="module")
def filled(tiny_model, training_config):
    """A model whose variables, the optimizer's too, hold random numbers."""
    model, random = tiny_model(training_config(ema_decay=0.9)), np.random.default_rng(1)
    for variable in variables(model):
        integer = variable.dtype.startswith("int")
        variable.assign(random.integers(1, 9) if integer else random.random(variable.shape))
    return model


@pytest.fixture(scope="module")
def _other(tiny_model, training_config):
    return tiny_model(training_config(ema_decay=0.9, seed=5))


@pytest.fixture
def other(_other):
    """A model of the same configuration whose variables are all 0."""
    for variable in variables(_other):
        variable.assign(np.zeros(variable.shape))
    return _other


def test_every_variable_comes_back(filled, other, tmp_path):
    path = checkpoints.save(filled, tmp_path / "checkpoints", 2, {"best_ssim": 0.25})
    assert path == tmp_path / "checkpoints" / "step-00000002.npz"
    assert checkpoints.restore(other, tmp_path / "checkpoints") == {"step": 2, "best_ssim": 0.25}
    assert_same(values(filled), values(other))


def test_training_goes_on_as_if_it_had_not_stopped(tiny_model, training_config, tmp_path):
    one, two = (tiny_model(training_config(ema_decay=0.9, seed=seed)) for seed in (1, 2))
    for seed in range(2):
        one.train_step(batch(seed))
    checkpoints.save(one, tmp_path, 2, {})
    checkpoints.restore(two, tmp_path)
    for seed in range(2, 4):
        logs, logs_again = one.train_step(batch(seed)), two.train_step(batch(seed))
        assert {k: float(v) for k, v in logs.items()} == pytest.approx(
            {k: float(v) for k, v in logs_again.items()}, rel=1e-5
        )
    for expected, found in zip(values(one), values(two), strict=True):
        np.testing.assert_allclose(expected, found, rtol=1e-4, atol=1e-6)


def test_its_generator_is_that_of_the_last_update_and_not_the_average(
    tiny_model, training_config, tmp_path
):
    one, two = (tiny_model(training_config(ema_decay=0.9, seed=seed)) for seed in (1, 2))
    for seed in range(3):
        one.train_step(batch(seed))
    last = [np.array(v) for v in one.generator.variables]
    with one.averaged_weights():
        assert any(
            np.any(a != np.array(v)) for a, v in zip(last, one.generator.variables, strict=True)
        )
    path = checkpoints.save(one, tmp_path, 3, {})
    load_weights(two.generator, path)
    assert_same(last, [np.array(v) for v in two.generator.variables])


def test_without_discriminator(tiny_model, training_config, tmp_path):
    model = tiny_model(training_config(adversarial=False))
    model.train_step(batch(0))
    before = values(model)
    checkpoints.save(model, tmp_path, 1, {})
    model.train_step(batch(1))
    assert checkpoints.restore(model, tmp_path) == {"step": 1}
    assert_same(before, values(model))


def test_nothing_to_restore(other, tmp_path):
    assert checkpoints.restore(other, tmp_path / "missing") is None
    (tmp_path / ".tmp-0123-step-00000004.npz").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert checkpoints.restore(other, tmp_path) is None
    assert not any(np.any(value) for value in values(other))


def test_the_newest_two_are_kept_and_the_newest_is_restored(other, tmp_path):
    variable = other.generator.trainable_variables[0]
    for step in (8, 9, 10, 100):
        variable.assign(np.full(variable.shape, step))
        checkpoints.save(other, tmp_path, step, {})
        kept = sorted(path.name for path in tmp_path.iterdir())
        assert kept[-1] == f"step-{step:08d}.npz" and len(kept) <= 2
    assert kept == ["step-00000010.npz", "step-00000100.npz"]
    variable.assign(np.zeros(variable.shape))
    assert checkpoints.restore(other, tmp_path) == {"step": 100}
    assert np.all(np.array(variable) == 100)


def test_a_failed_save_leaves_the_others_alone(filled, tmp_path, monkeypatch):
    for step in (1, 2):
        checkpoints.save(filled, tmp_path, step, {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(file, **_):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(filled, tmp_path, 3, {})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def assert_refused(model, path, what: str) -> None:
    before = values(model)
    with pytest.raises(DataError) as caught:
        checkpoints.restore(model, path.parent)
    message = str(caught.value)
    assert message.startswith(f"{path}: this checkpoint is {what}") and "\n" not in message
    assert_same(before, values(model))


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_checkpoint_cut_short_is_named_and_the_one_before_is_used(
    filled, other, tmp_path, share, caplog
):
    expected = values(filled)
    checkpoints.save(filled, tmp_path, 1, {})
    path = checkpoints.save(filled, tmp_path, 2, {})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with caplog.at_level("WARNING"):
        assert checkpoints.restore(other, tmp_path) == {"step": 1}
    assert_same(values(other), expected)
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{path}: this checkpoint is damaged (") and "\n" not in message
    assert message.endswith("going on from the one before")
    assert path.exists()


def test_a_foreign_checkpoint_is_passed_over(filled, other, tiny_model, training_config, tmp_path):
    checkpoints.save(filled, tmp_path, 1, {})
    foreign = tiny_model(training_config(ema_decay=0.9), features=3)
    checkpoints.save(foreign, tmp_path, 2, {})
    assert checkpoints.restore(other, tmp_path) == {"step": 1}
    assert_same(values(other), values(filled))


def test_the_best_stays_beside_the_newest(other, tmp_path):
    for step in range(1, 7):
        checkpoints.save(other, tmp_path, step, {"best_step": min(step, 2)}, keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000002.npz",
        "step-00000006.npz",
    ]


@pytest.mark.parametrize("content", [b"not a checkpoint\n" * 9, b"\x93NUMPY", b"PK\x03\x04" * 30])
def test_a_file_of_something_else(other, tmp_path, content):
    (tmp_path / "step-00000002.npz").write_bytes(content)
    assert_refused(other, tmp_path / "step-00000002.npz", "damaged (")


def test_a_single_array(other, tmp_path):
    with (tmp_path / "step-00000002.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert_refused(other, tmp_path / "step-00000002.npz", "damaged (")


def test_other_bytes_anywhere_are_named_or_without_effect(filled, other, tmp_path):
    path = checkpoints.save(filled, tmp_path, 2, {})
    content, random = path.read_bytes(), np.random.default_rng(0)
    num_refused, num_places = 0, 60
    for place in np.linspace(0, len(content) - 40, num_places).astype(int):
        path.write_bytes(content[:place] + random.bytes(40) + content[place + 40 :])
        try:
            checkpoints.restore(other, tmp_path)
        except DataError as error:
            num_refused += 1
            assert str(error).startswith(f"{path}: this checkpoint is ")
        else:
            assert_same(values(filled), values(other))
    assert num_refused > num_places / 2


@pytest.mark.parametrize(
    "change",
    [{"adversarial": False}, {"ema_decay": 0.0}, {"schedule": "cosine"}, {"features": 3}],
)
def test_another_configuration(filled, tiny_model, training_config, tmp_path, change):
    path = checkpoints.save(filled, tmp_path, 2, {})
    features = {name: change.pop(name) for name in ["features"] if name in change}
    model = tiny_model(training_config(**{"ema_decay": 0.9, **change}), **features)
    assert_refused(model, path, "of another configuration")
