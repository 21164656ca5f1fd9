import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan.config import OptimizerConfig
from srgan.steps.muon import QUINTIC, is_matrix, orthogonalized
from srgan.steps.paired_optimizer import build_optimizer

convert = keras.ops.convert_to_numpy

# With these every singular value goes to 1 (Newton and Schulz, of order 5).
CONVERGENT = (15 / 8, -10 / 8, 3 / 8)


def polar_factor(matrix):
    u, _, v = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    return u @ v


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
def test_converges_to_the_polar_factor(rows, columns, seed):
    # Far from singular, so that thirty steps in float32 are enough.
    u, _, v = np.linalg.svd(normal(seed, rows, columns), full_matrices=False)
    values = np.linspace(1, 3, min(rows, columns))
    matrix = (u * values @ v).astype(np.float32)
    found = convert(orthogonalized(matrix, steps=30, coefficients=CONVERGENT))
    np.testing.assert_allclose(found, polar_factor(matrix), atol=2e-5)


@pytest.mark.parametrize("shape", [(576, 64), (64, 576), (64, 64), (3, 576, 64)])
def test_five_steps_keep_the_singular_vectors_and_make_the_values_about_one(shape):
    matrix = normal(0, *shape)
    found = convert(orthogonalized(matrix))
    for one, result in zip(
        matrix.reshape(-1, *shape[-2:]), found.reshape(-1, *shape[-2:]), strict=True
    ):
        u, values, v = np.linalg.svd(one.astype(np.float64), full_matrices=False)
        inner = u.T @ result @ v.T
        np.testing.assert_allclose(inner - np.diag(np.diag(inner)), 0, atol=2e-3)
        # what the polynomial makes of each value, by NumPy
        a, b, c = QUINTIC
        s = values / np.sqrt(np.sum(values**2))
        for _ in range(5):
            s = a * s + b * s**3 + c * s**5
        np.testing.assert_allclose(np.diag(inner), s, atol=2e-3)
        if shape[-2] != shape[-1]:  # a square one has values near 0
            assert s.min() > 0.6 and s.max() < 1.25


def test_zeros_stay_zeros():
    np.testing.assert_array_equal(convert(orthogonalized(np.zeros((9, 4), np.float32))), 0)


def test_the_length_of_a_matrix_does_not_matter():
    matrix = normal(4, 20, 8)
    np.testing.assert_allclose(
        convert(orthogonalized(matrix)), convert(orthogonalized(1e-4 * matrix)), atol=1e-4
    )


def model():
    """A head, a trunk convolution, an upsampler and an output, with the generators' names."""
    keras.utils.set_random_seed(0)
    lr = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", name="head_conv")(lr)
    x = keras.layers.Conv2D(4, 3, padding="same", name="res1_conv1")(x)
    x = keras.layers.Conv2D(16, 3, padding="same", name="upsample1_conv")(x)
    x = keras.layers.Conv2D(3, 5, padding="same", name="output")(x)
    return keras.Model(lr, x)


def test_which_variables_are_matrices():
    found = {v.path for v in model().trainable_variables if is_matrix(v)}
    assert found == {"res1_conv1/kernel", "upsample1_conv/kernel"}


def test_updates_by_hand():
    network = model()
    config = OptimizerConfig(optimizer="muon", learning_rate=1e-2, output_rate=0.25)
    optimizer = build_optimizer(config, 100, adversarial=False)
    variables = network.trainable_variables
    optimizer.build_pair(variables, [])
    adam = keras.optimizers.Adam(1e-2)
    alone = [keras.Variable(v) for v in variables]
    adam.build(alone)
    expected = {v.path: convert(v).astype(np.float64) for v in variables}
    momenta = {v.path: np.zeros(v.shape) for v in variables}
    for step in range(3):
        given = [normal(10 * step + i, *v.shape) for i, v in enumerate(variables)]
        before = [convert(v) for v in alone]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in given], variables)
        adam.apply([keras.ops.convert_to_tensor(g) for g in given], alone)
        for variable, gradient, one, old in zip(variables, given, alone, before, strict=True):
            path = variable.path
            if not is_matrix(variable):
                factor = 0.25 if path == "output/kernel" else 1.0
                expected[path] += factor * (convert(one) - old)
                continue
            momenta[path] = 0.95 * momenta[path] + gradient
            direction = gradient + 0.95 * momenta[path]
            phases = 4 if path.startswith("upsample") else 1
            parts = []
            for part in np.split(direction, phases, axis=-1):
                matrix = part.reshape(36, 4)
                update = convert(orthogonalized(matrix.astype(np.float32)))
                parts.append((0.2 * np.sqrt(36) * update).reshape(part.shape))
            expected[path] -= 1e-2 * np.concatenate(parts, axis=-1)
    for variable in variables:
        np.testing.assert_allclose(
            convert(variable), expected[variable.path], atol=2e-6, err_msg=variable.path
        )


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_an_average_and_clipping_come_with_both(kind):
    network = model()
    config = OptimizerConfig(optimizer=kind, ema_decay=0.5, clip_norm=1e-3, output_rate=0.0)
    optimizer = build_optimizer(config, 100, adversarial=False)
    variables = network.trainable_variables
    optimizer.build_pair(variables, [])
    before = {v.path: convert(v) for v in variables}
    optimizer.apply([keras.ops.ones(v.shape) for v in variables], variables)
    moved = {v.path for v in variables if np.abs(convert(v) - before[v.path]).max() > 0}
    assert moved == before.keys() - {"output/kernel"}
    assert len(optimizer.generator._model_variables_moving_average) == len(variables)
