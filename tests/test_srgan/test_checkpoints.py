import numpy as np
import pytest

from cli.errors import DataError
from srgan import checkpoints


def batch(seed: int = 0):
    random = np.random.default_rng(seed)
    lr, hr = random.uniform(-1, 1, (2, 4, 4, 3)), random.uniform(-1, 1, (2, 16, 16, 3))
    return lr.astype(np.float32), hr.astype(np.float32)


def values(model) -> list[np.ndarray]:
    networks = [model.generator, model.discriminator]
    variables = [v for network in networks if network is not None for v in network.variables]
    return [np.array(v) for v in variables + list(model.optimizer.variables)]


def assert_same(first, second) -> None:
    for expected, found in zip(first, second, strict=True):
        assert expected.dtype == found.dtype
        np.testing.assert_array_equal(expected, found)


@pytest.fixture
def config(training_config):
    return training_config(ema_decay=0.9)


@pytest.fixture
def filled(tiny_model, config):
    """A model whose variables, the optimizer's too, hold random numbers."""
    model, random = tiny_model(config), np.random.default_rng(1)
    for network in (model.generator, model.discriminator, model.optimizer):
        for variable in network.variables:
            integer = variable.dtype.startswith("int")
            variable.assign(random.integers(1, 9) if integer else random.random(variable.shape))
    return model


def test_all_of_a_model_comes_back(tiny_model, config, training_config, tmp_path):
    trained = tiny_model(config)
    for seed in range(2):
        trained.train_on_batch(*batch(seed))
    path = checkpoints.save(trained, tmp_path / "checkpoints", 2, {"best_ssim": 0.25})
    assert path == tmp_path / "checkpoints" / "step-00000002.npz"
    other = tiny_model(training_config(ema_decay=0.9, seed=5))
    assert any(np.any(a != b) for a, b in zip(values(trained), values(other), strict=True))
    assert checkpoints.restore(other, tmp_path / "checkpoints") == {"step": 2, "best_ssim": 0.25}
    assert_same(values(trained), values(other))
    # BatchNorm statistics, Adam's moments, its count and the average are among them: go on.
    first = trained.train_on_batch(*batch(3), return_dict=True)
    second = other.train_on_batch(*batch(3), return_dict=True)
    assert first == pytest.approx(second, rel=1e-5)
    for expected, found in zip(values(trained), values(other), strict=True):
        np.testing.assert_allclose(expected, found, rtol=1e-4, atol=1e-6)


def test_without_discriminator(tiny_model, training_config, tmp_path):
    config = training_config(adversarial=False)
    model = tiny_model(config)
    model.optimizer.variables[0].assign(7)
    checkpoints.save(model, tmp_path, 1, {})
    other = tiny_model(config)
    assert checkpoints.restore(other, tmp_path) == {"step": 1}
    assert_same(values(model), values(other))


def test_nothing_to_restore(tiny_model, config, tmp_path):
    model = tiny_model(config)
    before = values(model)
    assert checkpoints.restore(model, tmp_path / "missing") is None
    (tmp_path / ".tmp-0123-step-00000004.npz").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    assert checkpoints.restore(model, tmp_path) is None
    assert_same(before, values(model))


def test_the_newest_two_are_kept_and_the_newest_is_restored(tiny_model, config, tmp_path):
    model = tiny_model(config)
    variable = model.generator.trainable_variables[0]
    for step in (8, 9, 10, 100):
        variable.assign(np.full(variable.shape, step, np.float32))
        checkpoints.save(model, tmp_path, step, {})
        kept = sorted(path.name for path in tmp_path.iterdir())
        assert kept[-1] == f"step-{step:08d}.npz" and len(kept) <= 2
    assert kept == ["step-00000010.npz", "step-00000100.npz"]
    other = tiny_model(config)
    assert checkpoints.restore(other, tmp_path) == {"step": 100}
    assert np.all(other.generator.trainable_variables[0] == 100)


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


def damages(content: bytes) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    found = {"empty": b"", "text": b"not a checkpoint\n" * 9, "start of npy": b"\x93NUMPY"}
    for share in (0.001, 0.5, 0.999):
        found[f"cut at {share}"] = content[: int(share * len(content))]
    for place in np.linspace(0, len(content) - 1, 40).astype(int):
        piece = random.bytes(40)
        found[f"other bytes at {place}"] = (content[:place] + piece + content[place + 40 :])[
            : len(content)
        ]
    return found


def test_damage_is_named(filled, tiny_model, config, tmp_path):
    checkpoints.save(filled, tmp_path, 1, {})
    path = checkpoints.save(filled, tmp_path, 2, {})
    model = tiny_model(config)
    before = values(model)
    content = path.read_bytes()
    for kind, damaged in damages(content).items():
        path.write_bytes(damaged)
        with pytest.raises(DataError) as caught:
            checkpoints.restore(model, tmp_path)
        assert str(caught.value).startswith(f"{path}: this checkpoint is "), kind
        assert_same(before, values(model))
    path.write_bytes(content[:1000])
    with pytest.raises(DataError, match=r"is damaged .*; delete it to go on from the one before"):
        checkpoints.restore(model, tmp_path)
    path.unlink()  # as the message says
    assert checkpoints.restore(model, tmp_path) == {"step": 1}


def test_a_single_array_is_damage_too(filled, tmp_path):
    path = checkpoints.save(filled, tmp_path, 2, {})
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="is damaged"):
        checkpoints.restore(filled, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"adversarial": False},
        {"ema_decay": 0.0},
        {"schedule": "cosine"},
        {"discriminator_batch_norm": False},
    ],
)
def test_another_configuration(filled, tiny_model, training_config, tmp_path, change):
    path = checkpoints.save(filled, tmp_path, 2, {})
    other = tiny_model(training_config(**{"ema_decay": 0.9, **change}))
    before = values(other)
    with pytest.raises(DataError) as caught:
        checkpoints.restore(other, tmp_path)
    assert str(caught.value).startswith(f"{path}: this checkpoint is of another configuration")
    assert_same(before, values(other))


def test_another_shape(filled, tiny_model, config, tmp_path):
    checkpoints.save(filled, tmp_path, 2, {})
    with pytest.raises(DataError, match="of another configuration"):
        checkpoints.restore(tiny_model(config, features=3), tmp_path)
