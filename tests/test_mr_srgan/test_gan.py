import dataclasses

import keras
import numpy as np
import pytest

from mr_srgan.config import PAPER_OBJECTIVE
from mr_srgan.gan import MrSrgan
from srgan.config import ObjectiveConfig
from srgan.steps.loss_terms import Passes

HR = np.array([1.0, -1.0, 0.5], np.float32).reshape(1, 1, 1, 3)
SR = np.array([0.5, -1.0, 0.0], np.float32).reshape(1, 1, 1, 3)
# sigmoid(ln 3) = 3/4.
PASSES = Passes(
    sr=SR,
    real_logits=np.array([[2.0]], np.float32),
    fake_logits=np.log(np.array([[3.0]], np.float32)),
    real_features=np.array([1.0, 2.0], np.float32).reshape(1, 1, 1, 2),
    fake_features=np.array([4.0, 2.0], np.float32).reshape(1, 1, 1, 2),
)
PIXEL = (0.5**2 + 0.5**2) / 3
FEATURES = 3.0**2 / 2


def gan(objective: ObjectiveConfig) -> MrSrgan:
    image = keras.Input((None, None, 3))
    generator = keras.Model(image, keras.layers.UpSampling2D(4)(image))
    return MrSrgan(generator, objective, feature_scale=0.5)


def terms(objective: ObjectiveConfig, passes: Passes = PASSES) -> dict[str, tuple[float, float]]:
    found = gan(objective).generator_terms(HR, passes)
    return {name: (weight, float(value)) for name, (weight, value) in found.items()}


def test_equation_2_has_three_terms():
    """L = L_pixel + λ1·L_adv + λ2·L_vgg, with L_adv = -D(G(x))."""
    found = terms(PAPER_OBJECTIVE)
    assert found == {
        "pixel": (1.0, pytest.approx(PIXEL, rel=1e-6)),
        "adversarial": (1e-3, pytest.approx(-0.75, rel=1e-6)),
        "perceptual": (6e-3, pytest.approx(0.5 * FEATURES, rel=1e-6)),
    }
    loss, logs = gan(PAPER_OBJECTIVE).generator_phase(HR, PASSES)
    expected = PIXEL - 1e-3 * 0.75 + 6e-3 * 0.5 * FEATURES
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    assert float(logs["loss_g"]) == float(loss)
    assert {name: float(logs[name]) for name in found} == {n: v for n, (_, v) in found.items()}


def test_discriminator_loss_has_no_logarithm_either():
    loss, logs = gan(PAPER_OBJECTIVE).discriminator_phase(PASSES)
    d_real = 1 / (1 + np.exp(-2.0))
    assert float(loss) == pytest.approx(-d_real + 0.75, rel=1e-6)
    assert float(logs["d_real"]) == pytest.approx(d_real, rel=1e-6)
    assert float(logs["d_fake"]) == pytest.approx(0.75, rel=1e-6)


def test_with_the_logarithm():
    objective = ObjectiveConfig(logarithm=True)
    assert terms(objective)["adversarial"][1] == pytest.approx(-np.log(0.75), rel=1e-6)
    loss, _ = gan(objective).discriminator_phase(PASSES)
    expected = np.log1p(np.exp(-2.0)) - np.log(1 - 0.75)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_weights_and_pixel_loss_are_the_settings():
    objective = ObjectiveConfig(
        pixel_loss="l1", lambda_pixel=2.0, lambda_adv=3.0, lambda_vgg=4.0, logarithm=False
    )
    assert terms(objective) == {
        "pixel": (2.0, pytest.approx(1.0 / 3, rel=1e-6)),
        "adversarial": (3.0, pytest.approx(-0.75, rel=1e-6)),
        "perceptual": (4.0, pytest.approx(0.5 * FEATURES, rel=1e-6)),
    }


def test_a_term_of_the_reduced_images():
    hr = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    passes = dataclasses.replace(PASSES, sr=hr - 0.125)
    model = gan(dataclasses.replace(PAPER_OBJECTIVE, lambda_lr=2.0))
    weight, value = model.generator_terms(hr, passes)["lr"]
    assert (weight, float(value)) == (2.0, pytest.approx(0.125, rel=1e-5))


def test_a_term_of_the_texture():
    """A change of the brightness is none; half the contrast is."""
    hr = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 32, 32, 3)).astype(np.float32)
    model = gan(dataclasses.replace(PAPER_OBJECTIVE, lambda_texture=2.0))
    for sr, expected in ((hr + 0.25, 0.0), (hr / 2, 2 * np.sqrt(1 + np.log(4) ** 2) - 2)):
        weight, value = model.generator_terms(hr, dataclasses.replace(PASSES, sr=sr))["texture"]
        assert (weight, float(value)) == (2.0, pytest.approx(expected, abs=0.1))


def test_a_term_of_the_grid():
    """A grid that HR does not have; a change of the brightness is none."""
    hr = np.random.default_rng(0).normal(0, 0.1, (1, 48, 48, 3)).astype(np.float32)
    tile = np.zeros((4, 4, 1), np.float32)
    tile[0, 0] = 0.2
    model = gan(dataclasses.replace(PAPER_OBJECTIVE, lambda_grid=2.0))
    for sr, low, high in ((hr + 0.25, 0, 1e-3), (hr + np.tile(tile, (12, 12, 1)), 5, 100)):
        weight, value = model.generator_terms(hr, dataclasses.replace(PASSES, sr=sr))["grid"]
        assert weight == 2.0 and low <= float(value) < high


def test_terms_without_their_network_are_left_out():
    assert set(terms(PAPER_OBJECTIVE, Passes(SR))) == {"pixel"}
    without_d = Passes(SR, real_features=PASSES.real_features, fake_features=PASSES.fake_features)
    assert set(terms(PAPER_OBJECTIVE, without_d)) == {"pixel", "perceptual"}
    no_pixel = ObjectiveConfig(lambda_pixel=0.0)
    assert set(terms(no_pixel)) == {"adversarial", "perceptual"}
