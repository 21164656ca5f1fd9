import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from evaluation.metrics.structure_texture import texture_and_structure
from srgan.config import ObjectiveConfig
from srgan.losses.equations import perceptual_loss
from srgan.losses.feature_distances import (
    FEATURE_DISTANCES,
    structure_texture_distance,
    unit_distance,
)


def features(seed: int, shape=(2, 5, 6, 7)) -> np.ndarray:
    """As after a ReLU: about half of them are 0."""
    values = 100 * np.random.default_rng(seed).standard_normal(shape)
    return np.maximum(values, 0).astype(np.float32)


def scalar(tensor) -> float:
    assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    assert tuple(tensor.shape) == ()
    return float(tensor)


def gradient(distance, hr: np.ndarray, sr: np.ndarray) -> np.ndarray:
    tensor = tf.convert_to_tensor(sr)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = distance(tf.convert_to_tensor(hr), tensor)
    return np.asarray(tape.gradient(value, tensor))


def test_unit_is_twice_the_cosine_distance():
    hr, sr = features(0) + 1, features(1) + 1  # nowhere all 0, which has no direction
    places = zip(hr.reshape(-1, 7), sr.reshape(-1, 7), strict=True)
    expected = np.mean([2 * cosine(x.astype(float), y.astype(float)) for x, y in places])
    assert scalar(unit_distance(hr, sr)) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), contrast=st.floats(0.1, 10))
def test_unit_does_not_count_contrast(seed, contrast):
    hr, sr = features(seed), features(seed + 100)
    more = (contrast * sr).astype(np.float32)
    assert scalar(unit_distance(hr, more)) == pytest.approx(scalar(unit_distance(hr, sr)), abs=1e-5)


def test_structure_and_texture_are_those_of_the_evaluation():
    hr, sr = features(0), features(1)
    hr[..., 2] = sr[..., 2] = 0  # a map that is silent
    hr[..., 3] = sr[..., 3] = 5  # flat ones
    similarities = [texture_and_structure(x, y) for x, y in zip(hr, sr, strict=True)]
    expected = 1 - np.mean(similarities)
    assert scalar(structure_texture_distance(hr, sr)) == pytest.approx(expected, rel=1e-5)


def test_texture_may_lie_elsewhere_and_structure_may_not():
    hr = features(0)
    moved = np.roll(hr, (1, 2), (1, 2))
    structure = [texture_and_structure(x, y)[1] for x, y in zip(hr, moved, strict=True)]
    distance = scalar(structure_texture_distance(hr, moved))
    assert distance == pytest.approx((1 - np.mean(structure)) / 2, rel=1e-5)
    assert distance > 0.3


@pytest.mark.parametrize("name", list(FEATURE_DISTANCES))
def test_equal_features_are_at_distance_0_and_a_step_against_the_gradient_comes_nearer(name):
    distance = FEATURE_DISTANCES[name]
    hr, sr = features(0), features(1)
    assert scalar(distance(hr, hr)) == pytest.approx(0, abs=1e-6)
    slope = gradient(distance, hr, sr)
    step = 1e-2 * np.abs(sr).max() / np.abs(slope).max()
    assert scalar(distance(hr, sr - step * slope)) < scalar(distance(hr, sr))


@pytest.mark.parametrize("name", list(FEATURE_DISTANCES))
def test_features_of_a_black_region_have_a_gradient(name):
    hr, sr = features(0), np.zeros((2, 5, 6, 7), np.float32)
    for pair in ((hr, sr), (sr, sr), (sr, hr)):
        assert np.isfinite(gradient(FEATURE_DISTANCES[name], *pair)).all()


@pytest.mark.parametrize("name", list(FEATURE_DISTANCES))
def test_the_perceptual_loss_sums_the_layers_distances(name):
    hr = [features(0), features(2, (2, 3, 3, 4))]
    sr = [features(1), features(3, (2, 3, 3, 4))]
    parts = [scalar(FEATURE_DISTANCES[name](x, y)) for x, y in zip(hr, sr, strict=True)]
    loss = perceptual_loss(hr, sr, scale=[0.5, 3.0], distance=name)
    assert scalar(loss) == pytest.approx(0.5 * parts[0] + 3 * parts[1], rel=1e-6)
    alone = perceptual_loss(hr[1], sr[1], scale=3.0, distance=name)
    assert scalar(alone) == pytest.approx(3 * parts[1], rel=1e-6)


def test_another_distance_is_an_error():
    with pytest.raises(ValueError, match="one of mse, unit, structure_texture, got 'huber'"):
        perceptual_loss(features(0), features(1), scale=1.0, distance="huber")


def test_the_flag_offers_what_there_is():
    (field,) = [f for f in dataclasses.fields(ObjectiveConfig) if f.name == "vgg_distance"]
    assert field.metadata["choices"] == tuple(FEATURE_DISTANCES)
    assert field.default == "mse"
