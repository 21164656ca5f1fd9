"""The same update on TensorFlow and on JAX, each in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("one_step.py")
# The last is WP-SRGAN's stage 1 with a U-Net; it and wp2 have all that is beyond the paper.
BRANCHES = ("mr", "wp1", "wp2", "unet")


# Whose losses are differences of logits, and how many of these there are at most: one a pixel.
RELATIVISTIC = ("wp2", "unet")
NUM_LOGITS = 3 * 32 * 32


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, subprocess_environment, vgg_file):
    """What the program writes on each engine."""
    folder = tmp_path_factory.mktemp("engines")
    # Of another seed, rounding may put a value on the other side of a ReLU's kink, which changes a
    # gradient by a thousandth.
    rng = np.random.default_rng(6)
    lr = rng.uniform(-1, 1, (3, 8, 8, 3)).astype(np.float32)
    hr = rng.uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    inputs = folder / "inputs.npz"
    np.savez(inputs, lr=lr, hr=hr, vgg_file=str(vgg_file))
    found = {}
    for engine in ("tensorflow", "jax"):
        path = folder / f"{engine}.npz"
        environment = {**subprocess_environment, "KERAS_BACKEND": engine}
        command = [sys.executable, str(PROGRAM), str(inputs), str(path)]
        subprocess.run(command, env=environment, check=True)
        found[engine] = dict(np.load(path))
    return found


@pytest.fixture(params=BRANCHES)
def steps(request, outputs):
    """What one update of a branch gives: engine → (facts, arrays)."""
    found: dict[str, Any] = {"branch": request.param}
    for engine, everything in outputs.items():
        start = f"{request.param}/"
        arrays = {k.removeprefix(start): a for k, a in everything.items() if k.startswith(start)}
        found[engine] = json.loads(str(arrays.pop("facts"))), arrays
    return found


def test_both_log_the_same(steps):
    logs = {engine: steps[engine][0]["logs"] for engine in ("tensorflow", "jax")}
    terms = {"loss_g", "loss_d", "adversarial", "d_real", "d_fake", "grad_norm_g", "grad_norm_d"}
    terms |= {
        "mr": {"pixel", "perceptual"},
        "wp1": {"pixel", "lr", "texture"},
        "wp2": {"perceptual", "lr", "texture", "r1"},
        "unet": {"pixel", "lr", "texture", "r1"},
    }[steps["branch"]]
    assert set(logs["jax"]) == terms
    # Without logarithms it is D(G(x)) - D(x), of which little may be left.
    differences = [logs[engine].pop("loss_d") for engine in ("tensorflow", "jax")]
    assert abs(differences[1] - differences[0]) <= 1e-5 * logs["tensorflow"]["d_real"]
    assert logs["jax"] == pytest.approx(logs["tensorflow"], rel=1e-5)


def test_gradients_agree(steps):
    (facts, expected), (_, found) = steps["tensorflow"], steps["jax"]
    keys = [key for key in expected if key.startswith("gradient")]
    assert len(keys) == len(facts["names"]) and len(keys) > 20
    largest = max(float(np.linalg.norm(expected[key])) for key in keys)
    for key, name in zip(keys, facts["names"], strict=True):
        norm = np.linalg.norm(expected[key])
        # A bias in front of BatchNorm moves nothing: its gradient is zero but for rounding.
        allowed = max(1e-4 * norm, 1e-6 * largest)
        if name == "logits/bias" and steps["branch"] in RELATIVISTIC:
            # Nor does a constant on all logits: the sum of terms that are 2 together, as rounded.
            allowed = 2 * np.finfo(np.float32).eps * NUM_LOGITS**0.5
            assert norm <= allowed
        assert np.linalg.norm(found[key] - expected[key]) <= allowed, name


def test_updates_agree(steps):
    """Weights, slots, averages and BatchNorm's statistics, from slots that are not empty."""
    (_, expected), (_, found) = steps["tensorflow"], steps["jax"]
    keys = [key for key in expected if key.startswith("variable")]
    assert keys == [key for key in found if key.startswith("variable")]
    statistics = sum("moving" in key or key.endswith(" u") for key in keys)
    assert statistics == {"mr": 14, "wp1": 0, "wp2": 10, "unet": 8}[steps["branch"]]
    for key in keys:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-4, atol=1e-5, err_msg=key)


def test_the_updated_generators_agree(steps):
    (_, expected), (_, found) = steps["tensorflow"], steps["jax"]
    np.testing.assert_allclose(found["sr"], expected["sr"], atol=1e-4)


def test_each_network_runs_once_on_each_input(steps):
    """The discriminator on both images in one call, but for BatchNorm; and once more for R1."""
    judgements = {"mr": 2, "wp1": 1, "wp2": 2, "unet": 2}[steps["branch"]]
    expected = {"generator": 1, "discriminator": judgements}
    if steps["branch"] in ("mr", "wp2"):
        expected["features"] = 2
    for engine in ("tensorflow", "jax"):
        calls = steps[engine][0]["calls"]
        traced = calls.pop("step")
        assert traced >= 1
        assert calls == {name: traced * count for name, count in expected.items()}, engine


def test_jax_does_without_tensorflow(steps):
    assert steps["tensorflow"][0]["tensorflow"]
    assert not steps["jax"][0]["tensorflow"]


def test_several_updates_in_a_call(subprocess_environment):
    program = subprocess.run(
        [sys.executable, Path(__file__).with_name("several_updates.py")],
        env={**subprocess_environment, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    alone, together = json.loads(program.stdout)
    # one program a shape: nothing is compiled twice
    assert (alone["compilations"], together["compilations"]) == (1, 2)
    assert len(alone["logs"]) == len(together["logs"]) == 8
    for one, other in zip(alone["logs"], together["logs"], strict=True):
        assert other == pytest.approx(one, rel=1e-4)
    assert len({logs["loss_g"] for logs in alone["logs"]}) == 8
