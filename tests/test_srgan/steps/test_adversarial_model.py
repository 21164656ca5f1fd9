import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from srgan.config import ObjectiveConfig, OptimizerConfig
from srgan.layers.discriminator import build_discriminator
from srgan.steps.adversarial_model import AdversarialModel, global_norm
from srgan.steps.paired_optimizer import PairedOptimizer, build_optimizer

CROP = 32
FEATURE_SCALE = 0.7
# Weights far from the paper's, so that no term hides behind another.
OBJECTIVE = ObjectiveConfig(lambda_pixel=0.5, lambda_adv=2.0, lambda_vgg=3.0)
RATE_G, RATE_D = 1.0, 0.5


class EveryTerm(AdversarialModel):
    def generator_terms(self, hr, passes):
        return {
            **self.pixel_term(hr, passes),
            **self.adversarial_term(passes),
            **self.perceptual_term(passes),
        }


class Recorder(keras.layers.Layer):
    """Passes its input on and keeps what it was in eager execution."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = []

    def call(self, inputs):
        if tf.executing_eagerly():
            self.seen.append(np.array(inputs))
        return inputs


def generator_network(dtype="float32") -> keras.Model:
    lr = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="tanh", dtype=dtype)(lr)
    x = keras.layers.UpSampling2D(4, dtype=dtype)(x)
    return keras.Model(lr, keras.layers.Conv2D(3, 3, padding="same", dtype="float32")(x))


def feature_network(dtype="float32") -> keras.Model:
    image = keras.Input((None, None, 3))
    return keras.Model(
        image, keras.layers.Conv2D(4, 3, strides=2, activation="relu", dtype=dtype)(image)
    )


def recorded(network: keras.Model) -> keras.Model:
    return keras.Sequential([keras.Input(network.input_shape[1:]), Recorder(), network])


def networks(
    batch_norm=True, dtype="float32", recorders=False
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Generator, discriminator and features, always with the same weights."""
    keras.utils.set_random_seed(0)
    g = generator_network(dtype)
    d = build_discriminator(CROP, batch_norm=batch_norm, base_filters=2, dense_units=4, dtype=dtype)
    phi = feature_network(dtype)
    return (recorded(g), recorded(d), recorded(phi)) if recorders else (g, d, phi)


def build_model(
    objective=OBJECTIVE, optimizer=None, discriminator=True, features=True, **options
) -> Any:  # an EveryTerm, of which the tests know whether its networks are None
    """A compiled model; by default each update is minus a rate times the gradient."""
    g, d, phi = networks(**options)
    batch_norm = options.get("batch_norm", True)
    objective = dataclasses.replace(objective, discriminator_batch_norm=batch_norm)
    model = EveryTerm(
        g,
        objective,
        discriminator=d if discriminator else None,
        features=phi if features else None,
        feature_scale=FEATURE_SCALE,
    )
    if optimizer is None:
        optimizer = PairedOptimizer(
            keras.optimizers.SGD(RATE_G), keras.optimizers.SGD(RATE_D) if discriminator else None
        )
    model.compile_pair(optimizer)
    return model


def batch(seed=0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    hr = random.uniform(-1, 1, (3, CROP, CROP, 3)).astype(np.float32)
    return random.uniform(-1, 1, (3, CROP // 4, CROP // 4, 3)).astype(np.float32), hr


def step(model: Any, seed=0) -> dict[str, float]:
    """One eager update; what it logged."""
    lr, hr = batch(seed)
    logs = model.train_step((tf.constant(lr), tf.constant(hr)))
    return {name: float(value) for name, value in logs.items()}


def graph_step(model: Any, seed=0) -> dict[str, float]:
    """One update through Keras, compiled."""
    logs = model.train_on_batch(*batch(seed), return_dict=True)
    return {name: float(value) for name, value in logs.items()}


def trainable(network: keras.Model) -> list[np.ndarray]:
    return [v.value.numpy().astype(np.float64) for v in network.trainable_variables]


def by_hand(g, d, phi, lr, hr, objective):
    """The logs and both networks' gradients, each from forward passes of its own."""

    def log_d(logits, real):
        probability = tf.sigmoid(logits)
        return tf.math.log(probability if real else 1 - probability)

    mean = tf.reduce_mean
    with tf.GradientTape() as tape:
        sr = g(lr, training=True)
        fake = d(sr, training=True)
        error = sr - hr
        logs = {
            "pixel": mean(error**2) if objective.pixel_loss == "mse" else mean(tf.abs(error)),
            "adversarial": mean(-log_d(fake, True) if objective.logarithm else -tf.sigmoid(fake)),
            "perceptual": FEATURE_SCALE * mean((phi(sr) - phi(hr)) ** 2),
        }
        if objective.relativistic:
            real = d(hr, training=True)
            more, less = fake - mean(real), real - mean(fake)
            logs["adversarial"] = (-mean(log_d(more, True)) - mean(log_d(less, False))) / 2
        logs["loss_g"] = (
            objective.lambda_pixel * logs["pixel"]
            + objective.lambda_adv * logs["adversarial"]
            + objective.lambda_vgg * logs["perceptual"]
        )
    g_gradients = tape.gradient(logs["loss_g"], [v.value for v in g.trainable_variables])
    sr = tf.constant(np.array(g(lr, training=False)))
    with tf.GradientTape() as tape:
        real, fake = d(hr, training=True), d(sr, training=True)
        logs["d_real"], logs["d_fake"] = mean(tf.sigmoid(real)), mean(tf.sigmoid(fake))
        if objective.relativistic:
            more, less = real - mean(fake), fake - mean(real)
            logs["loss_d"] = -mean(log_d(more, True)) - mean(log_d(less, False))
        elif objective.logarithm:
            logs["loss_d"] = -mean(log_d(real, True)) - mean(log_d(fake, False))
        else:
            logs["loss_d"] = -logs["d_real"] + logs["d_fake"]
        d_loss = logs["loss_d"]
        if objective.r1_gamma:
            images = tf.constant(hr)
            with tf.GradientTape() as inner:
                inner.watch(images)
                judgement = tf.reduce_sum(d(images, training=True))
            slopes = tf.convert_to_tensor(inner.gradient(judgement, images))
            logs["r1"] = tf.reduce_sum(slopes**2) / len(hr)
            d_loss += objective.r1_gamma / 2 * objective.r1_every * logs["r1"]
    d_gradients = tape.gradient(d_loss, [v.value for v in d.trainable_variables])
    g_arrays, d_arrays = (
        [np.array(x, np.float64) for x in gradients] for gradients in (g_gradients, d_gradients)
    )
    for name, arrays in (("grad_norm_g", g_arrays), ("grad_norm_d", d_arrays)):
        logs[name] = np.sqrt(sum((array**2).sum() for array in arrays))
    return {name: float(value) for name, value in logs.items()}, g_arrays, d_arrays


def assert_near(actual: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    """Within a share of the largest number of all tensors together."""
    largest = max(np.abs(array).max() for array in expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * largest)


@pytest.mark.parametrize(
    ("run", "changes", "batch_norm"),
    [
        (graph_step, {}, True),
        (graph_step, {"logarithm": False}, False),
        (step, {"pixel_loss": "l1"}, False),
        (step, {"logarithm": False, "lambda_pixel": 1.0}, True),
        (step, {"relativistic": True}, True),
        (graph_step, {"relativistic": True, "r1_gamma": 300.0, "r1_every": 5}, False),
    ],
)
def test_a_step_equals_gradients_by_hand(run, changes, batch_norm):
    """With SGD the step itself shows the gradients."""
    objective = dataclasses.replace(OBJECTIVE, **changes)
    model = build_model(objective, batch_norm=batch_norm)
    logs, g_gradients, d_gradients = by_hand(*networks(batch_norm), *batch(), objective)
    g_before, d_before = trainable(model.generator), trainable(model.discriminator)
    found = run(model)
    assert found == pytest.approx(logs, rel=2e-5)
    g_moved = [a - b for a, b in zip(g_before, trainable(model.generator), strict=True)]
    d_moved = [a - b for a, b in zip(d_before, trainable(model.discriminator), strict=True)]
    assert_near(g_moved, [RATE_G * gradient for gradient in g_gradients], 1e-5)
    assert_near(d_moved, [RATE_D * gradient for gradient in d_gradients], 1e-5)
    assert all(np.abs(moved).max() > 0 for moved in g_moved + d_moved)


def test_two_steps_of_adam_by_hand():
    """An ε of 0.01 keeps a gradient that is nearly 0 from being all rounding error."""
    rates, epsilon = (1e-2, 3e-2), 1e-2
    adams = [keras.optimizers.Adam(rate, epsilon=epsilon) for rate in rates]
    model = build_model(optimizer=PairedOptimizer(*adams), batch_norm=False)
    twins = networks(batch_norm=False)
    m, v = {}, {}
    for count in (1, 2):
        step(model, seed=count)
        _, *gradients = by_hand(*twins, *batch(count), OBJECTIVE)
        for which in (0, 1):
            correction = np.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            for i, (variable, gradient) in enumerate(
                zip(twins[which].trainable_variables, gradients[which], strict=True)
            ):
                m[which, i] = 0.9 * m.get((which, i), 0.0) + 0.1 * gradient
                v[which, i] = 0.999 * v.get((which, i), 0.0) + 0.001 * gradient**2
                update = rates[which] * correction * m[which, i]
                variable.assign(variable.value.numpy() - update / (np.sqrt(v[which, i]) + epsilon))
    for network, twin in ((model.generator, twins[0]), (model.discriminator, twins[1])):
        for actual, expected in zip(trainable(network), trainable(twin), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_each_network_runs_once_on_each_of_its_inputs(batch_norm):
    """The discriminator on both at once, but for BatchNorm, which takes each kind for itself."""
    model = build_model(recorders=True, batch_norm=batch_norm)
    lr, hr = batch()
    sr = np.array(model.generator(lr, training=True))
    recorders = [
        next(layer for layer in network.layers if isinstance(layer, Recorder))
        for network in (model.generator, model.discriminator, model.features)
    ]
    for recorder in recorders:
        recorder.seen.clear()
    step(model)
    judged = [hr, sr] if batch_norm else [np.concatenate([hr, sr])]
    for recorder, expected in zip(recorders, ([lr], judged, [hr, sr]), strict=True):
        assert len(recorder.seen) == len(expected)
        for seen, image in zip(recorder.seen, expected, strict=True):
            np.testing.assert_array_equal(seen, image)


def test_r1_in_one_of_some_updates():
    """On HR images as the discriminator sees them; 0 in the log and no forward pass between."""
    changes = {"r1_gamma": 1.0, "r1_every": 4, "discriminator_shift": True}
    model = build_model(dataclasses.replace(OBJECTIVE, **changes), recorders=True, batch_norm=False)
    recorder = next(layer for layer in model.discriminator.layers if isinstance(layer, Recorder))
    for update in range(6):
        recorder.seen.clear()
        r1 = step(model)["r1"]
        both, *again = recorder.seen
        assert len(again) == (update % 4 == 0)
        assert (r1 > 0) == (update % 4 == 0)
        for seen in again:
            np.testing.assert_array_equal(seen, both[:3])


def test_the_generator_does_not_feel_r1():
    one, other = (
        build_model(dataclasses.replace(OBJECTIVE, r1_gamma=gamma), batch_norm=False)
        for gamma in (0.0, 300.0)
    )
    step(one)
    step(other)
    assert_near(trainable(one.generator), trainable(other.generator), 1e-6)
    first, second = (trainable(model.discriminator)[0] for model in (one, other))
    assert np.abs(first - second).max() > 1e-6


def test_several_layers_from_one_pass():
    """The term is the sum of scale · MSE; φ still runs once on each image."""
    image = keras.Input((None, None, 3))
    first = keras.layers.Conv2D(4, 3, activation="relu")(image)
    second = keras.layers.Conv2D(2, 3, strides=2)(first)
    phi = keras.Model(image, [second, first])
    recorder = Recorder()
    g, _, _ = networks()
    model: Any = EveryTerm(
        g,
        dataclasses.replace(OBJECTIVE, lambda_pixel=0.0),
        features=keras.Model(image, phi(recorder(image))),
        feature_scale=[0.25, 3.0],
    )
    model.compile_pair(PairedOptimizer(keras.optimizers.SGD(RATE_G)))
    lr, hr = batch()
    with tf.GradientTape() as tape:
        sr = g(lr)
        of_hr, of_sr = phi(hr), phi(sr)
        terms = [tf.reduce_mean((a - b) ** 2) for a, b in zip(of_hr, of_sr, strict=True)]
        loss = 0.25 * terms[0] + 3.0 * terms[1]
        weighted = OBJECTIVE.lambda_vgg * loss
    gradients = tape.gradient(weighted, [v.value for v in g.trainable_variables])
    before = trainable(g)
    recorder.seen.clear()
    logs = step(model)
    assert len(recorder.seen) == 2
    assert set(logs) == {"loss_g", "perceptual", "grad_norm_g"}
    assert logs["perceptual"] == pytest.approx(float(loss), rel=1e-6)
    assert logs["loss_g"] == pytest.approx(float(weighted), rel=1e-6)
    moved = [(a - b) / RATE_G for a, b in zip(before, trainable(g), strict=True)]
    assert_near(moved, [np.array(each) for each in gradients], 1e-5)


def test_the_features_distance_is_the_objectives():
    """unit: what the features of both images have in common in direction."""
    model = build_model(dataclasses.replace(OBJECTIVE, vgg_distance="unit"), discriminator=False)
    lr, hr = batch()
    of_hr, of_sr = (np.array(model.features(x), np.float64) for x in (hr, model.generator(lr)))
    lengths = [np.sqrt((x**2).sum(-1) + 1e-4) for x in (of_hr, of_sr)]
    common = (of_hr * of_sr).sum(-1) / (lengths[0] * lengths[1])
    ends = sum(
        (x**2).sum(-1) / length**2 for x, length in zip((of_hr, of_sr), lengths, strict=True)
    )
    expected = FEATURE_SCALE * (ends - 2 * common).mean()
    assert step(model)["perceptual"] == pytest.approx(expected, rel=1e-5)


def test_features_of_images_that_are_shifted_with_the_updates():
    model = build_model(dataclasses.replace(OBJECTIVE, vgg_shift=True), recorders=True)
    lr, hr = batch()
    recorder = next(layer for layer in model.features.layers if isinstance(layer, Recorder))
    for number, (top, left) in {0: (0, 0), 6: (1, 2), 15: (3, 3), 16: (0, 0)}.items():
        sr = np.array(model.generator(lr, training=True))
        model.optimizer.iterations.assign(number)
        recorder.seen.clear()
        step(model)
        for seen, image in zip(recorder.seen, (hr, sr), strict=True):
            np.testing.assert_array_equal(seen, image[:, top : top + 29, left : left + 29])


def test_the_discriminator_sees_both_images_moved_alike():
    changes = {"discriminator_shift": True, "vgg_shift": False}
    model = build_model(dataclasses.replace(OBJECTIVE, **changes), recorders=True)
    lr, hr = batch()
    seen_by = {
        network: next(layer for layer in network.layers if isinstance(layer, Recorder))
        for network in (model.discriminator, model.features)
    }
    for number, (down, right) in {15: (0, 0), 6: (2, 1), 16: (3, 3)}.items():
        sr = np.array(model.generator(lr, training=True))
        model.optimizer.iterations.assign(number)
        for recorder in seen_by.values():
            recorder.seen.clear()
        step(model)
        for seen, image in zip(seen_by[model.discriminator].seen, (hr, sr), strict=True):
            whole = image[:, : 32 - down, : 32 - right]
            np.testing.assert_array_equal(seen[:, down:, right:], whole)
        for seen, image in zip(seen_by[model.features].seen, (hr, sr), strict=True):
            np.testing.assert_array_equal(seen, image)


def test_batch_norm_counts_both_passes():
    model, (_, twin, _) = build_model(), networks()
    lr, hr = batch()
    sr = np.array(model.generator(lr))
    step(model)
    convolved = keras.Model(twin.input, twin.get_layer("conv2").output)
    real, fake = (np.array(convolved(image), np.float64) for image in (hr, sr))
    norm = model.discriminator.get_layer("norm2")
    # Keras' momentum is 0.99, its start a mean of 0 and a variance of 1; hr comes first.
    mean = 0.99 * 0.01 * real.mean((0, 1, 2)) + 0.01 * fake.mean((0, 1, 2))
    variance = 0.99**2 + 0.99 * 0.01 * real.var((0, 1, 2)) + 0.01 * fake.var((0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean, mean, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(norm.moving_variance, variance, rtol=1e-5)


def test_features_stay_as_they_are():
    model = build_model()
    before = model.features.get_weights()
    step(model)
    for a, b in zip(before, model.features.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pair = model.generator.trainable_variables + model.discriminator.trainable_variables
    assert [id(v) for v in model.trainable_variables] == [id(v) for v in pair]


def test_generator_does_not_feel_the_discriminator_where_lambda_1_is_0():
    with_d = build_model(dataclasses.replace(OBJECTIVE, lambda_adv=0.0), batch_norm=False)
    without_d = build_model(discriminator=False)
    for seed in (0, 1):
        assert "adversarial" in step(with_d, seed)
        step(without_d, seed)
    assert_near(trainable(with_d.generator), trainable(without_d.generator), 1e-6)


def test_discriminator_does_not_feel_the_generators_loss():
    """Its first step is the same whatever the generator minimises."""
    one, other = build_model(), build_model(ObjectiveConfig(lambda_adv=50.0), features=False)
    logs = step(one), step(other)
    assert logs[0]["loss_g"] != logs[1]["loss_g"]
    assert logs[0]["grad_norm_d"] == pytest.approx(logs[1]["grad_norm_d"], rel=1e-6)
    assert_near(trainable(one.discriminator), trainable(other.discriminator), 1e-6)


def test_adversarial_off():
    model = build_model(discriminator=False)
    assert model.trainable_pair[1] == []
    lr, hr = batch()
    logs = step(model)
    assert set(logs) == {"loss_g", "pixel", "perceptual", "grad_norm_g"}
    g, _, phi = networks()
    sr = np.array(g(lr), np.float64)
    features = [np.array(phi(image), np.float64) for image in (hr, sr)]
    pixel = ((sr - hr) ** 2).mean()
    perceptual = FEATURE_SCALE * ((features[0] - features[1]) ** 2).mean()
    assert logs["pixel"] == pytest.approx(pixel, rel=1e-5)
    assert logs["perceptual"] == pytest.approx(perceptual, rel=1e-5)
    assert logs["loss_g"] == pytest.approx(0.5 * pixel + 3.0 * perceptual, rel=1e-5)


def test_a_term_without_weight_or_network_is_left_out():
    model = build_model(dataclasses.replace(OBJECTIVE, lambda_pixel=0.0), features=False)
    logs = step(model)
    assert {"pixel", "perceptual"}.isdisjoint(logs)
    assert logs["loss_g"] == pytest.approx(2.0 * logs["adversarial"], rel=1e-6)


def test_a_loss_without_terms_is_an_error():
    objective = dataclasses.replace(OBJECTIVE, lambda_pixel=0.0)
    model = build_model(objective, discriminator=False, features=False)
    with pytest.raises(ValueError, match="the generator's loss has no term left"):
        step(model)


def test_the_base_class_minimises_nothing():
    model = AdversarialModel(generator_network(), OBJECTIVE)
    with pytest.raises(TypeError, match="AdversarialModel does not say which loss"):
        model.generator_terms(None, model.run_networks(*batch()))


def test_mixed_precision_keeps_losses_and_weights_float32():
    model = build_model(dtype="mixed_bfloat16")
    lr, hr = batch()
    logs = model.train_step((tf.constant(lr), tf.constant(hr)))
    assert {value.dtype for value in logs.values()} == {tf.float32}
    expected = step(build_model())
    for name in ("pixel", "adversarial", "perceptual", "loss_g", "loss_d"):
        # Not equal, since it is bfloat16, but near.
        assert float(logs[name]) != expected[name]
        assert float(logs[name]) == pytest.approx(expected[name], rel=0.05)
    passes = model.run_networks(lr, hr)
    assert keras.backend.standardize_dtype(passes.fake_features.dtype) == "bfloat16"
    assert {v.dtype for v in model.trainable_variables} == {"float32"}


def test_calling_the_model_is_calling_the_generator():
    model = build_model()
    lr, _ = batch()
    np.testing.assert_array_equal(model(lr), model.generator(lr))


def test_a_discriminator_needs_an_optimizer():
    with pytest.raises(ValueError, match="a discriminator's variables need an optimizer"):
        build_model(optimizer=PairedOptimizer(keras.optimizers.SGD()))


def averaging_model() -> Any:
    """The generator alone, which is quicker; the discriminator has no average."""
    config = OptimizerConfig(learning_rate=1e-1, ema_decay=0.75)
    optimizer = build_optimizer(config, 10, adversarial=False)
    return build_model(optimizer=optimizer, discriminator=False, features=False)


def test_averaged_weights_are_swapped_in_and_out_again():
    model = averaging_model()
    step(model, 0)
    first = trainable(model.generator)
    step(model, 1)
    second = trainable(model.generator)
    with model.averaged_weights():
        average = [0.75 * a + 0.25 * b for a, b in zip(first, second, strict=True)]
        assert_near(trainable(model.generator), average, 1e-6)
    for a, b in zip(trainable(model.generator), second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_weights_come_back_after_an_error(error):
    model = averaging_model()
    step(model, 0)
    step(model, 1)
    before = trainable(model.generator)
    with pytest.raises(error), model.averaged_weights():
        assert np.abs(trainable(model.generator)[0] - before[0]).max() > 1e-4
        raise error
    for a, b in zip(trainable(model.generator), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_an_average_or_a_step_the_weights_stay():
    """Before the first step the average is still all zeros."""
    never_stepped, no_average = averaging_model(), build_model(discriminator=False, features=False)
    step(no_average)
    for model in (never_stepped, no_average):
        before = trainable(model.generator)
        with model.averaged_weights():
            for a, b in zip(trainable(model.generator), before, strict=True):
                np.testing.assert_array_equal(a, b)


def test_global_norm_by_hand():
    gradients = [tf.constant([3.0, -4.0]), tf.constant([[12.0]])]
    assert float(global_norm(gradients)) == 13.0
    # 257² needs 17 bits; bfloat16 has 8.
    assert float(global_norm([tf.constant([256.0, 1.0], tf.bfloat16)])) == pytest.approx(
        np.sqrt(256.0**2 + 1), rel=1e-7
    )
