import keras
import numpy as np
import pytest

from srgan.config import OptimizerConfig
from srgan.steps.paired_optimizer import build_optimizer
from srgan.steps.schedules import Delayed, WarmUp, learning_rate_schedule


def rates(schedule, steps: int) -> list[float]:
    return [float(schedule(step)) for step in range(steps)]


def test_warm_up_grows_linearly_to_the_full_rate():
    assert rates(WarmUp(0.8, 4), 6) == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_warm_up_of_a_schedule_scales_what_it_gives():
    cosine = keras.optimizers.schedules.CosineDecay(1.0, 10)
    expected = [min((s + 1) / 5, 1) * 0.5 * (1 + np.cos(np.pi * s / 10)) for s in range(10)]
    assert rates(WarmUp(cosine, 5), 10) == pytest.approx(expected, abs=1e-6)


def test_delayed_starts_the_schedule_later():
    cosine = keras.optimizers.schedules.CosineDecay(1.0, 10)
    assert rates(Delayed(cosine, 3), 13) == pytest.approx(
        [0, 0, 0, *(0.5 * (1 + np.cos(np.pi * s / 10)) for s in range(10))], abs=1e-6
    )
    assert rates(Delayed(0.3, 2), 4) == pytest.approx([0, 0, 0.3, 0.3])


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine"])
def test_warm_up_and_delay_together(schedule):
    plain = OptimizerConfig(schedule=schedule)
    warm = OptimizerConfig(schedule=schedule, warmup_steps=4)
    base = learning_rate_schedule(plain, 0.5, 20)
    base = rates(base, 20) if callable(base) else [base] * 20
    expected = [0.0] * 5 + [min((s + 1) / 4, 1) * rate for s, rate in enumerate(base)]
    found = rates(learning_rate_schedule(warm, 0.5, 25, delay=5), 25)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_schedules_survive_serialization():
    cosine = keras.optimizers.schedules.CosineDecay(1.0, 10)
    schedule = Delayed(WarmUp(cosine, 3), 2)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert rates(copy, 12) == rates(schedule, 12)


def test_only_the_discriminator_learns_at_first():
    config = OptimizerConfig(learning_rate=0.1, discriminator_warmup=2)
    optimizer = build_optimizer(config, 10, adversarial=True)
    networks = [keras.Variable(np.ones(3, np.float32)) for _ in range(2)]
    optimizer.build_pair(networks[:1], networks[1:])
    gradients = [keras.ops.ones(3), keras.ops.ones(3)]
    for step in range(4):
        before = [np.array(v) for v in networks]
        optimizer.apply(gradients, networks)
        moved = [bool(np.any(np.array(v) != b)) for v, b in zip(networks, before, strict=True)]
        assert moved == [step >= 2, True]


def test_long_gradients_are_scaled_down_network_by_network():
    config = OptimizerConfig(clip_norm=1.0)
    optimizer = build_optimizer(config, 10, adversarial=True)
    generator = [keras.Variable(np.zeros(2, np.float32)), keras.Variable(np.zeros(1, np.float32))]
    discriminator = [keras.Variable(np.zeros(1, np.float32))]
    optimizer.build_pair(generator, discriminator)
    gradients = [[3.0, 0.0], [4.0], [0.5]]
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], generator + discriminator)
    # Adam's first average is 0.1 of the gradient: of (3, 0, 4) / 5, and of 0.5, which is short.
    first = [np.array(v) for v in optimizer.variables if "momentum" in v.path]
    expected = [[0.06, 0.0], [0.08], [0.05]]
    for found, wanted in zip(first, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
