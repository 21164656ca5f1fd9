import keras
import numpy as np
import pytest

from srgan.config import OptimizerConfig
from srgan.steps.paired_optimizer import PairedOptimizer, build_optimizer, learning_rate_schedule

SHAPES_G, SHAPES_D = [(3, 2), (4,)], [(2, 2), (1,), (5,)]


def variables(shapes, seed) -> list[keras.Variable]:
    random = np.random.default_rng(seed)
    return [keras.Variable(random.normal(size=shape).astype(np.float32)) for shape in shapes]


def gradients(shapes, step) -> list:
    random = np.random.default_rng(100 + step)
    return [keras.ops.convert_to_tensor(random.normal(size=s).astype(np.float32)) for s in shapes]


def values(of: list[keras.Variable]) -> list[np.ndarray]:
    return [v.value.numpy().astype(np.float64) for v in of]


class AdamByHand:
    """Adam (Kingma & Ba, Algorithm 1 in the form before Section 2.1), one tensor, float64."""

    def __init__(self, value, rate, beta_1=0.9, beta_2=0.999):
        self.value, self.rate = np.array(value, np.float64), rate
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.m, self.v, self.step = 0.0, 0.0, 0

    def update(self, gradient):
        rate = self.rate(self.step) if callable(self.rate) else self.rate
        self.step += 1
        self.m = self.beta_1 * self.m + (1 - self.beta_1) * gradient
        self.v = self.beta_2 * self.v + (1 - self.beta_2) * gradient**2
        correction = np.sqrt(1 - self.beta_2**self.step) / (1 - self.beta_1**self.step)
        self.value = self.value - rate * correction * self.m / (np.sqrt(self.v) + 1e-7)
        return self.value


def test_equals_two_adams_run_apart():
    config = OptimizerConfig(
        learning_rate=1e-2,
        discriminator_learning_rate=3e-2,
        beta_1=0.8,
        beta_2=0.9,
        discriminator_beta_1=0.5,
        discriminator_beta_2=0.99,
    )
    optimizer = build_optimizer(config, 100, adversarial=True)
    g, d = variables(SHAPES_G, 0), variables(SHAPES_D, 1)
    optimizer.build_pair(g, d)
    g_alone, d_alone = variables(SHAPES_G, 0), variables(SHAPES_D, 1)
    g_adam = keras.optimizers.Adam(1e-2, beta_1=0.8, beta_2=0.9)
    d_adam = keras.optimizers.Adam(3e-2, beta_1=0.5, beta_2=0.99)
    by_hand = [AdamByHand(v, 1e-2, 0.8, 0.9) for v in values(g)]
    by_hand += [AdamByHand(v, 3e-2, 0.5, 0.99) for v in values(d)]
    for step in range(5):
        pair = gradients(SHAPES_G + SHAPES_D, step)
        optimizer.apply(pair, g + d)
        g_adam.apply(pair[: len(g)], g_alone)
        d_adam.apply(pair[len(g) :], d_alone)
        expected = [a.update(np.asarray(x)) for a, x in zip(by_hand, pair, strict=True)]
        for actual, alone, hand in zip(
            values(g + d), values(g_alone + d_alone), expected, strict=True
        ):
            np.testing.assert_allclose(actual, alone, rtol=0, atol=1e-7)
            np.testing.assert_allclose(actual, hand, rtol=0, atol=2e-6)
    assert int(optimizer.iterations) == int(optimizer.generator.iterations) == 5


def test_apply_without_naming_the_variables():
    named, unnamed = (build_optimizer(OptimizerConfig(), 9, adversarial=True) for _ in range(2))
    pairs = [(variables(SHAPES_G, 0), variables(SHAPES_D, 1)) for _ in range(2)]
    named.build_pair(*pairs[0])
    unnamed.build_pair(*pairs[1])
    named.apply(gradients(SHAPES_G + SHAPES_D, 0), pairs[0][0] + pairs[0][1])
    unnamed.apply(gradients(SHAPES_G + SHAPES_D, 0))
    for a, b in zip(values(pairs[0][0] + pairs[0][1]), values(sum(pairs[1], [])), strict=True):
        np.testing.assert_array_equal(a, b)


def test_discriminator_takes_the_generators_rate_unless_it_has_its_own():
    both = build_optimizer(OptimizerConfig(learning_rate=2e-4), 10, adversarial=True)
    assert both.discriminator is not None
    assert float(both.discriminator.learning_rate) == pytest.approx(2e-4)
    assert float(both.generator.learning_rate) == pytest.approx(2e-4)
    own = OptimizerConfig(learning_rate=2e-4, discriminator_learning_rate=5e-5)
    both = build_optimizer(own, 10, adversarial=True)
    assert both.discriminator is not None
    assert float(both.discriminator.learning_rate) == pytest.approx(5e-5)
    assert float(both.generator.learning_rate) == pytest.approx(2e-4)


def test_without_a_discriminator_there_is_one_adam():
    optimizer = build_optimizer(OptimizerConfig(learning_rate=1e-2), 10, adversarial=False)
    g, alone = variables(SHAPES_G, 0), variables(SHAPES_G, 0)
    optimizer.build_pair(g, [])
    adam = keras.optimizers.Adam(1e-2)
    for step in range(3):
        optimizer.apply(gradients(SHAPES_G, step), g)
        adam.apply(gradients(SHAPES_G, step), alone)
    for a, b in zip(values(g), values(alone), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-7)
    # The facade's two, and Adam's iteration, learning rate and two slots a variable.
    assert len(optimizer.variables) == 2 + 2 + 2 * len(g)


def test_variables_are_its_own_then_each_networks():
    optimizer = build_optimizer(OptimizerConfig(ema_decay=0.9), 10, adversarial=True)
    g, d = variables(SHAPES_G, 0), variables(SHAPES_D, 1)
    optimizer.build_pair(g, d)
    assert optimizer.discriminator is not None
    pair = optimizer.generator.variables + optimizer.discriminator.variables
    assert [id(v) for v in optimizer.variables[-len(pair) :]] == [id(v) for v in pair]
    # Iteration and rate of three optimizers, two slots and an average a variable of G, two of D.
    assert len(optimizer.variables) == 3 * 2 + 3 * len(g) + 2 * len(d)
    assert len({id(v) for v in optimizer.variables}) == len(optimizer.variables)


def test_discriminator_variables_without_an_optimizer_are_an_error():
    optimizer = PairedOptimizer(keras.optimizers.Adam())
    with pytest.raises(ValueError, match="a discriminator's variables need an optimizer"):
        optimizer.build_pair(variables(SHAPES_G, 0), variables(SHAPES_D, 1))


def rates(config: OptimizerConfig, steps: int) -> list[float]:
    schedule = learning_rate_schedule(config, config.learning_rate, steps)
    return [float(schedule(update)) for update in range(steps + 1)]


def test_constant_schedule_is_a_number():
    assert learning_rate_schedule(OptimizerConfig(), 3e-4, 100) == 3e-4


@pytest.mark.parametrize(
    ("steps", "decay_at", "full"), [(10, 0.5, 5), (10, 0.8, 8), (30, 0.5, 15), (4, 0.0, 0)]
)
def test_step_schedule_divides_by_ten_after_its_share(steps, decay_at, full):
    config = OptimizerConfig(learning_rate=1e-2, schedule="step", decay_at=decay_at)
    expected = [1e-2] * full + [1e-3] * (steps + 1 - full)
    np.testing.assert_allclose(rates(config, steps), expected, rtol=1e-6)


def test_cosine_schedule_by_hand():
    config = OptimizerConfig(learning_rate=1e-2, schedule="cosine")
    found = rates(config, 12)
    expected = [1e-2 * 0.5 * (1 + np.cos(np.pi * update / 12)) for update in range(13)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
    assert found[0] == pytest.approx(1e-2)
    assert found[6] == pytest.approx(5e-3)
    assert found[12] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("adversarial", [True, False])
def test_the_updates_follow_the_schedule(adversarial):
    config = OptimizerConfig(learning_rate=1e-2, schedule="step")
    optimizer = build_optimizer(config, 4, adversarial=adversarial)
    g, d = variables(SHAPES_G, 0), variables(SHAPES_D if adversarial else [], 1)
    optimizer.build_pair(g, d)
    by_hand = [AdamByHand(v, lambda update: 1e-2 if update < 2 else 1e-3) for v in values(g + d)]
    shapes = SHAPES_G + (SHAPES_D if adversarial else [])
    for step in range(4):
        pair = gradients(shapes, step)
        optimizer.apply(pair, g + d)
        for hand, gradient in zip(by_hand, pair, strict=True):
            hand.update(np.asarray(gradient))
    for actual, hand in zip(values(g + d), by_hand, strict=True):
        np.testing.assert_allclose(actual, hand.value, rtol=0, atol=2e-6)


def test_average_of_the_generator_by_hand():
    config = OptimizerConfig(learning_rate=1e-1, ema_decay=0.75)
    optimizer = build_optimizer(config, 10, adversarial=True)
    g, d = variables(SHAPES_G, 0), variables(SHAPES_D, 1)
    optimizer.build_pair(g, d)
    expected: list[np.ndarray] = []
    for step in range(4):
        optimizer.apply(gradients(SHAPES_G + SHAPES_D, step), g + d)
        # It starts from the weights after the first update, not from the random ones.
        expected = [
            0.75 * average + 0.25 * value if step else value
            for average, value in zip(expected or values(g), values(g), strict=True)
        ]
    averages = optimizer.generator._model_variables_moving_average
    for average, hand in zip(values(averages), expected, strict=True):
        np.testing.assert_allclose(average, hand, rtol=0, atol=1e-6)
    assert optimizer.discriminator is not None and not optimizer.discriminator.use_ema


def test_no_average_unless_asked_for():
    assert not build_optimizer(OptimizerConfig(), 10, adversarial=True).generator.use_ema
