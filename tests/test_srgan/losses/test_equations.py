import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from srgan.losses.equations import (
    adversarial_loss,
    discriminator_loss,
    perceptual_loss,
    pixel_loss,
    relativistic_adversarial_loss,
    relativistic_discriminator_loss,
)

REAL = np.array([[2.0], [-1.0], [0.5]], np.float32)
FAKE = np.array([[-3.0], [0.25], [1.0]], np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def gradient(loss, logits: np.ndarray) -> np.ndarray:
    tensor = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = loss(tensor)
    return np.asarray(tape.gradient(value, tensor))


def scalar(tensor) -> float:
    assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    assert tuple(tensor.shape) == ()
    return float(tensor)


def test_pixel_loss_by_hand():
    hr = np.array([0.0, 1.0, -1.0, 0.5], np.float32).reshape(1, 2, 2, 1)
    sr = np.array([0.5, 1.0, 1.0, 0.25], np.float32).reshape(1, 2, 2, 1)
    # Differences 0.5, 0, 2, 0.25: squares sum to 4.3125, magnitudes to 2.75.
    assert scalar(pixel_loss(hr, sr)) == 4.3125 / 4
    assert scalar(pixel_loss(hr, sr, "mse")) == 4.3125 / 4
    assert scalar(pixel_loss(hr, sr, "l1")) == 2.75 / 4
    assert scalar(pixel_loss(sr, hr, "l1")) == 2.75 / 4


def test_pixel_loss_of_another_kind_is_an_error():
    with pytest.raises(ValueError, match='"mse" or "l1", got \'huber\''):
        pixel_loss(np.zeros(1), np.zeros(1), "huber")


@pytest.mark.parametrize(
    ("logarithm", "expected"),
    [
        # Eq. (8), -log D of logits -3, 0.25, 1; Eq. (4), -D of the same.
        (True, (3.048587351573742 + 0.5759394198788362 + 0.31326168751822286) / 3),
        (False, -(0.04742587317756678 + 0.5621765008857981 + 0.7310585786300049) / 3),
    ],
)
def test_adversarial_loss_by_hand(logarithm, expected):
    assert scalar(adversarial_loss(FAKE, logarithm=logarithm)) == pytest.approx(expected, rel=1e-6)


def test_discriminator_loss_by_hand():
    d_real, d_fake = sigmoid(REAL), sigmoid(FAKE)
    entropy = -np.log(d_real).mean() - np.log(1 - d_fake).mean()
    assert scalar(discriminator_loss(REAL, FAKE, logarithm=True)) == pytest.approx(
        entropy, rel=1e-6
    )
    plain = -d_real.mean() + d_fake.mean()
    assert scalar(discriminator_loss(REAL, FAKE, logarithm=False)) == pytest.approx(plain, rel=1e-6)


def test_discriminator_loss_falls_as_it_learns():
    for logarithm in (True, False):
        good = scalar(discriminator_loss(REAL + 1, FAKE - 1, logarithm=logarithm))
        assert good < scalar(discriminator_loss(REAL, FAKE, logarithm=logarithm))
        fooled = scalar(adversarial_loss(FAKE + 1, logarithm=logarithm))
        assert fooled < scalar(adversarial_loss(FAKE, logarithm=logarithm))


@settings(max_examples=50, deadline=None)
@given(
    real=st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=5),
    fake=st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=5),
)
def test_losses_equal_float64_formulas(real, fake):
    real_logits, fake_logits = np.array([real]).T, np.array([fake]).T
    real32, fake32 = real_logits.astype(np.float32), fake_logits.astype(np.float32)
    # log(1 + exp) of -log sigmoid, safe in double precision up to these logits.
    g_log = np.logaddexp(0, -fake_logits).mean()
    d_log = np.logaddexp(0, -real_logits).mean() + np.logaddexp(0, fake_logits).mean()
    g_plain = -sigmoid(fake_logits).mean()
    d_plain = sigmoid(fake_logits).mean() - sigmoid(real_logits).mean()
    found = (
        adversarial_loss(fake32, logarithm=True),
        adversarial_loss(fake32, logarithm=False),
        discriminator_loss(real32, fake32, logarithm=True),
        discriminator_loss(real32, fake32, logarithm=False),
    )
    assert [float(value) for value in found] == [
        pytest.approx(expected, rel=1e-5, abs=1e-6) for expected in (g_log, g_plain, d_log, d_plain)
    ]


@pytest.mark.parametrize("logit", [-100.0, 100.0])
@pytest.mark.parametrize("logarithm", [True, False])
def test_large_logits_stay_finite(logit, logarithm):
    logits = np.full((2, 1), logit, np.float32)
    generator = scalar(adversarial_loss(logits, logarithm=logarithm))
    discriminator = scalar(discriminator_loss(-logits, logits, logarithm=logarithm))
    if logarithm:
        # softplus(100) = 100 and softplus(-100) = 4e-44 = 0 in float32's normal range.
        assert generator == pytest.approx(max(-logit, 0.0), abs=1e-30)
        assert discriminator == pytest.approx(2 * max(logit, 0.0), abs=1e-30)
    else:
        assert generator == pytest.approx(-1.0 if logit > 0 else 0.0, abs=1e-30)
        assert discriminator == pytest.approx(1.0 if logit > 0 else -1.0, abs=1e-30)
    for loss in (
        lambda x: adversarial_loss(x, logarithm=logarithm),
        lambda x: discriminator_loss(-x, x, logarithm=logarithm),
    ):
        assert np.isfinite(gradient(loss, logits)).all()


def test_logarithm_keeps_the_gradient_where_the_discriminator_is_sure():
    """d/dx softplus(-x) = sigmoid(x) - 1; without the logarithm, -sigmoid(x)·(1 - sigmoid(x))."""
    sure = np.full((1, 1), -20.0, np.float32)
    with_log = gradient(lambda x: adversarial_loss(x, logarithm=True), sure)
    without = gradient(lambda x: adversarial_loss(x, logarithm=False), sure)
    np.testing.assert_allclose(with_log, [[-1.0]], rtol=1e-6)
    np.testing.assert_allclose(without, [[-2.0611536e-9]], rtol=1e-5)
    logits = np.array([[0.75]], np.float32)
    p = sigmoid(logits)
    np.testing.assert_allclose(
        gradient(lambda x: adversarial_loss(x, logarithm=False), logits), -p * (1 - p), rtol=1e-6
    )


def test_relativistic_losses_by_hand():
    """Means: of the real logits 0.5, of the fake ones -7/12."""
    leads = np.array([2.0, -1.0, 0.5]) + 7 / 12
    lags = np.array([-3.0, 0.25, 1.0]) - 0.5
    d = -np.log(sigmoid(leads)).mean() - np.log(1 - sigmoid(lags)).mean()
    assert scalar(relativistic_discriminator_loss(REAL, FAKE)) == pytest.approx(d, rel=1e-6)
    g = (-np.log(sigmoid(lags)).mean() - np.log(1 - sigmoid(leads)).mean()) / 2
    assert scalar(relativistic_adversarial_loss(REAL, FAKE)) == pytest.approx(g, rel=1e-6)


def test_at_chance_relativistic_losses_are_the_others():
    """Values and gradients, so that λ1 and the learning rates keep their meaning."""
    zeros, logarithm = np.zeros((3, 1), np.float32), True
    plain = discriminator_loss(zeros, zeros, logarithm=logarithm)
    assert scalar(relativistic_discriminator_loss(zeros, zeros)) == scalar(plain)
    plain = adversarial_loss(zeros, logarithm=logarithm)
    assert scalar(relativistic_adversarial_loss(zeros, zeros)) == scalar(plain)
    for relativistic, other in (
        (
            lambda x: relativistic_adversarial_loss(zeros, x),
            lambda x: adversarial_loss(x, logarithm=logarithm),
        ),
        (
            lambda x: relativistic_discriminator_loss(x, zeros) / 2,
            lambda x: discriminator_loss(x, zeros, logarithm=logarithm),
        ),
    ):
        # D moves both kinds apart, so each logit counts twice there.
        np.testing.assert_allclose(gradient(relativistic, zeros), gradient(other, zeros), rtol=1e-6)


@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_large_relativistic_logits_stay_finite(logit):
    real, fake = (np.full((2, 3, 3, 1), value, np.float32) for value in (logit, -logit))
    expected = 2 * max(-2 * logit, 0.0)
    assert scalar(relativistic_discriminator_loss(real, fake)) == pytest.approx(expected, abs=1e-30)
    loss = scalar(relativistic_adversarial_loss(real, fake))
    assert loss == pytest.approx(max(2 * logit, 0.0), abs=1e-30)
    found = gradient(lambda x: relativistic_adversarial_loss(real, x), fake)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("scale", [1.0, 0.25, 3.0])
def test_perceptual_loss_is_scale_times_mse(scale):
    hr = np.array([1.0, 2.0, 3.0], np.float32).reshape(1, 1, 1, 3)
    sr = np.array([1.0, 4.0, 0.0], np.float32).reshape(1, 1, 1, 3)
    assert scalar(perceptual_loss(hr, sr, scale=scale)) == pytest.approx(scale * 13 / 3, rel=1e-6)


def test_perceptual_loss_of_several_layers_is_their_sum():
    hr = [np.zeros((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 3), np.float32)]
    sr = [np.full((1, 2, 2, 1), 3, np.float32), np.array([[[[1, 3, 1]]]], np.float32)]
    # 0.5 · 9 + 6 · 4 / 3: each layer's mean over its own size.
    assert scalar(perceptual_loss(hr, sr, scale=[0.5, 6.0])) == pytest.approx(12.5, rel=1e-6)
    alone = perceptual_loss(hr[1], sr[1], scale=6.0)
    assert scalar(perceptual_loss(hr[1:], sr[1:], scale=[6.0])) == scalar(alone)
    with pytest.raises(ValueError, match="shorter"):
        perceptual_loss(hr, sr, scale=[0.5])


def test_bfloat16_inputs_are_compared_in_float32():
    """1 - 2^-9 needs more than bfloat16's 8 bits: the difference itself must be float32."""
    hr = tf.ones((1, 3, 1, 1), tf.bfloat16)
    sr = tf.fill((1, 3, 1, 1), tf.cast(2**-9, tf.bfloat16))
    difference = 1 - 2**-9
    assert scalar(pixel_loss(hr, sr)) == pytest.approx(difference**2, rel=1e-6)
    assert scalar(pixel_loss(hr, sr, "l1")) == pytest.approx(difference, rel=1e-6)
    assert scalar(perceptual_loss(hr, sr, scale=2.0)) == pytest.approx(2 * difference**2, rel=1e-6)
    logits = tf.constant([[2.0], [-1.0], [0.5]], tf.bfloat16)
    assert scalar(relativistic_discriminator_loss(logits, FAKE)) == scalar(
        relativistic_discriminator_loss(REAL, FAKE)
    )
    for logarithm in (True, False):
        assert scalar(adversarial_loss(logits, logarithm=logarithm)) == scalar(
            adversarial_loss(REAL, logarithm=logarithm)
        )
        assert scalar(discriminator_loss(logits, logits, logarithm=logarithm)) == scalar(
            discriminator_loss(REAL, REAL, logarithm=logarithm)
        )
