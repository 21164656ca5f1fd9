import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.layers.batch_norm import batch_normalization
from srgan.layers.discriminator import build_discriminator


def test_the_settings() -> None:
    layer = batch_normalization(name="norm", momentum=0.8, dtype="float32")
    assert layer.name == "norm"
    assert layer.momentum == 0.8
    assert not layer.synchronized


def test_one_device_of_a_strategy_exchanges_nothing() -> None:
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert not batch_normalization(name="norm").synchronized


def test_several_devices_exchange_their_means(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two devices need a process of their own: test_devices.py computes with them.
    strategy = tf.distribute.get_strategy()
    monkeypatch.setattr(type(strategy), "num_replicas_in_sync", 2)
    norms = [
        layer
        for layer in build_discriminator(32).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(norms) == 7
    assert all(layer.synchronized for layer in norms)


def test_training_normalises_by_the_batch() -> None:
    x = np.random.default_rng(0).normal(3, 2, (4, 5, 6, 2)).astype(np.float32)
    found = np.asarray(batch_normalization(name="norm")(x, training=True))
    spread = np.sqrt(x.var(axis=(0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(found, (x - x.mean(axis=(0, 1, 2))) / spread, atol=1e-5)
