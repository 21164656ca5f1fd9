import dataclasses

import keras
import numpy as np
import pytest

from srgan.config import ObjectiveConfig
from srgan.steps.loss_terms import Passes
from wp_srgan.config import PAPER_OBJECTIVE
from wp_srgan.gan import WpSrgan

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
ADVERSARIAL = -np.log(0.75)
PERCEPTUAL = 0.5 * 3.0**2 / 2


def gan(stage: int, objective: ObjectiveConfig | None = None) -> WpSrgan:
    image = keras.Input((None, None, 3))
    generator = keras.Model(image, keras.layers.UpSampling2D(4)(image))
    return WpSrgan(generator, objective or PAPER_OBJECTIVE[stage], stage=stage, feature_scale=0.5)


def terms(model: WpSrgan, passes: Passes = PASSES) -> dict[str, tuple[float, float]]:
    found = model.generator_terms(HR, passes)
    return {name: (weight, float(value)) for name, (weight, value) in found.items()}


def test_stage_1_is_equation_6():
    """L1 = L_pixel + λ1·L_adv, with L_adv = -log D(G(x))."""
    model = gan(1)
    assert terms(model) == {
        "pixel": (1.0, pytest.approx(PIXEL, rel=1e-6)),
        "adversarial": (1e-3, pytest.approx(ADVERSARIAL, rel=1e-6)),
    }
    loss, _ = model.generator_phase(HR, PASSES)
    assert float(loss) == pytest.approx(PIXEL + 1e-3 * ADVERSARIAL, rel=1e-6)


def test_stage_2_is_equation_7():
    """L2 = λ1·L_adv + λ2·L_vgg: no pixel term."""
    model = gan(2)
    assert terms(model) == {
        "adversarial": (1e-3, pytest.approx(ADVERSARIAL, rel=1e-6)),
        "perceptual": (6e-3, pytest.approx(PERCEPTUAL, rel=1e-6)),
    }
    loss, _ = model.generator_phase(HR, PASSES)
    assert float(loss) == pytest.approx(1e-3 * ADVERSARIAL + 6e-3 * PERCEPTUAL, rel=1e-6)


def test_a_term_of_the_reduced_images():
    """0.25 too much everywhere is 0.25 too much in every LR pixel."""
    for stage in (1, 2):
        objective = dataclasses.replace(PAPER_OBJECTIVE[stage], lambda_lr=0.5)
        hr = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
        found = gan(stage, objective).generator_terms(hr, dataclasses.replace(PASSES, sr=hr + 0.25))
        weight, value = found["lr"]
        assert (weight, float(value)) == (0.5, pytest.approx(0.25, rel=1e-5))


def test_a_term_of_the_texture():
    """Half the contrast is a quarter of every energy."""
    rng = np.random.default_rng(0)
    hr = 0.5 * rng.choice([-1.0, 1.0], (2, 64, 64, 1)).astype(np.float32) * np.ones(3, np.float32)
    expected = 2 * np.sqrt(1 + np.log(4) ** 2) - 2
    for stage in (1, 2):
        objective = dataclasses.replace(PAPER_OBJECTIVE[stage], lambda_texture=0.25)
        found = gan(stage, objective).generator_terms(hr, dataclasses.replace(PASSES, sr=hr / 2))
        weight, value = found["texture"]
        assert (weight, float(value)) == (0.25, pytest.approx(expected, abs=0.1))


def test_a_term_of_the_grid():
    """A grid that HR does not have; see tests/test_srgan/losses/test_texture.py."""
    hr = np.random.default_rng(0).normal(0, 0.1, (2, 64, 64, 3)).astype(np.float32)
    tile = np.zeros((4, 4, 1), np.float32)
    tile[0, 0] = 0.2
    for stage in (1, 2):
        objective = dataclasses.replace(PAPER_OBJECTIVE[stage], lambda_grid=0.25)
        passes = dataclasses.replace(PASSES, sr=hr + np.tile(tile, (16, 16, 1)))
        weight, value = gan(stage, objective).generator_terms(hr, passes)["grid"]
        assert weight == 0.25
        assert float(value) > 5
        assert "grid" not in gan(stage).generator_terms(hr, passes)


def test_stage_2_with_a_pixel_term():
    objective = dataclasses.replace(PAPER_OBJECTIVE[2], lambda_pixel=0.01, pixel_loss="l1")
    found = terms(gan(2, objective))
    assert set(found) == {"pixel", "adversarial", "perceptual"}
    assert found["pixel"] == (0.01, pytest.approx(1.0 / 3, rel=1e-6))


@pytest.mark.parametrize("stage", [1, 2])
def test_discriminator_pays_cross_entropy(stage):
    loss, _ = gan(stage).discriminator_phase(PASSES)
    expected = np.log1p(np.exp(-2.0)) - np.log(1 - 0.75)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("stage", [1, 2])
def test_without_the_logarithm(stage):
    objective = dataclasses.replace(PAPER_OBJECTIVE[stage], logarithm=False)
    model = gan(stage, objective)
    assert terms(model)["adversarial"] == (1e-3, pytest.approx(-0.75, rel=1e-6))
    loss, _ = model.discriminator_phase(PASSES)
    assert float(loss) == pytest.approx(0.75 - 1 / (1 + np.exp(-2.0)), rel=1e-6)


def test_adversarial_off():
    features = Passes(SR, real_features=PASSES.real_features, fake_features=PASSES.fake_features)
    assert set(terms(gan(1), Passes(SR))) == {"pixel"}
    assert set(terms(gan(2), features)) == {"perceptual"}
