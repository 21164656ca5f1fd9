"""The steps that are timed against each other compute the same, on tiny networks."""

import dataclasses

import keras
import numpy as np
import pytest

from benchmarks.timing import training_variants
from benchmarks.timing.training_networks import build_networks, random_batch
from benchmarks.timing.training_recipes import RECIPES, Sizes
from benchmarks.timing.training_steps import EarlierStep, OurStep, PlainStep
from benchmarks.timing.training_variants import (
    OURS,
    OURS_16,
    PLAIN,
    TORCH,
    available_variants,
    make_steps,
)
from mr_srgan.config import GeneratorConfig as MrConfig
from sr_program.errors import DataError

SIZES = Sizes(batch_size=2, crop_size=32, features=4, blocks=2)
BATCH = random_batch(SIZES)
SEED = 3


def torch_step(recipe, networks, bfloat16=False):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    from benchmarks.peers.torch_training import TorchStep

    return TorchStep(recipe, networks, BATCH, bfloat16)


def some_networks(recipe, sizes=SIZES):
    """Networks of which no bias is 0, no slope and no scale like another."""
    # With some weights the discriminator is so sure that it has no gradient.
    keras.utils.set_random_seed(SEED)
    networks = build_networks(recipe, sizes, "random", "float32")
    rng = np.random.default_rng(1)
    for network in (networks.generator, networks.discriminator, networks.features):
        for variable in network.variables if network is not None else []:
            values = np.asarray(variable)
            noise = rng.uniform(0.8, 1.2, values.shape)
            variable.assign(values * noise if values.all() else values + 0.2 * (noise - 0.9))
    return networks


def copy_of(networks, recipe):
    copy = build_networks(recipe, SIZES, "random", "float32")
    copy.copy_weights(networks)
    return copy


@pytest.fixture(scope="module", params=list(RECIPES))
def case(request):
    """A recipe, its networks, and our first update's outputs and losses."""
    recipe = RECIPES[request.param]
    networks = some_networks(recipe)
    step = OurStep(recipe, copy_of(networks, recipe), BATCH)
    return recipe, networks, step.outputs(), step.run()


def assert_same(outputs, expected):
    assert outputs.keys() == expected.keys()
    for name, wanted in expected.items():
        assert outputs[name].shape == wanted.shape
        # Varied enough that a mixed-up order would show.
        assert wanted.std() > 1e-3
        np.testing.assert_allclose(outputs[name], wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_the_plain_step_computes_the_same(case):
    recipe, networks, outputs, losses = case
    plain = PlainStep(recipe, copy_of(networks, recipe), BATCH)
    assert_same(plain.outputs(), outputs)
    found = plain.run()
    if networks.discriminator is None:
        assert found["loss"] == pytest.approx(losses["loss_g"], rel=1e-5)
    else:
        assert found["loss_d"] == pytest.approx(losses["loss_d"], rel=1e-4, abs=1e-6)
        assert 0.01 < losses["d_fake"] < 0.99
        # The discriminator has moved.
        moved = plain.outputs()["D"]
        assert np.abs(moved - outputs["D"]).max() > 1e-3 * np.abs(outputs["D"]).max()


def test_the_torch_step_computes_the_same(case):
    recipe, networks, outputs, losses = case
    step = torch_step(recipe, networks)
    assert_same(step.outputs(), outputs)
    found = step.run()
    # MR's discriminator loss is a small difference of large means.
    assert found == pytest.approx({name: losses[name] for name in found}, rel=1e-4, abs=1e-6)
    assert ("loss_d" in found) == (networks.discriminator is not None)


def test_torch_in_bfloat16_is_near(case):
    recipe, networks, outputs, _ = case
    found = torch_step(recipe, networks, bfloat16=True).outputs()
    for name, wanted in outputs.items():
        difference = np.abs(found[name] - wanted).max() / np.abs(wanted).max()
        assert 1e-4 < difference < 0.1


@pytest.mark.parametrize("make", [lambda r, n: PlainStep(r, n, BATCH), torch_step])
@pytest.mark.parametrize("name", ["wp_pixel", "mr_full"])
def test_the_other_steps_train(make, name):
    step = make(RECIPES[name], some_networks(RECIPES[name], dataclasses.replace(SIZES, blocks=1)))
    before = step.outputs()
    first = step.run()
    for _ in range(4):
        last = step.run()
    name_of_loss = "loss" if "loss" in first else "loss_g"
    assert last[name_of_loss] < first[name_of_loss]
    for network, output in step.outputs().items():
        assert np.array_equal(output, before[network]) == (network == "φ"), network


def test_the_plain_gan_has_two_phases(monkeypatch):
    recipe = RECIPES["wp_stage2"]
    step = PlainStep(recipe, some_networks(recipe), BATCH)
    assert step.model.jit_compile is False
    step.model.run_eagerly = True
    calls: list[str] = []
    for name in ("generator", "discriminator", "features"):
        network = getattr(step.model, name)
        run = network.call
        monkeypatch.setattr(
            network, "call", lambda *a, n=name, r=run, **k: (calls.append(n), r(*a, **k))[1]
        )
    step.run()
    first = ["generator", "discriminator", "discriminator"]
    assert calls == [*first, "generator", "discriminator", "features", "features"]


def test_several_updates_in_a_call():
    recipe = RECIPES["wp_pixel"]
    networks = some_networks(recipe)
    alone = OurStep(recipe, copy_of(networks, recipe), BATCH)
    losses = [alone.run()["loss_g"] for _ in range(3)]
    together = OurStep(recipe, copy_of(networks, recipe), BATCH, steps_per_call=3)
    assert together.run()["loss_g"] == pytest.approx(losses[-1], rel=1e-5)


def test_all_forms_start_from_the_same_weights():
    steps, differences = make_steps([PLAIN, OURS, OURS_16], RECIPES["wp_stage1"], SIZES, "random")
    assert list(steps) == [PLAIN, OURS, OURS_16]
    assert differences[OURS] == 0
    assert 0 < differences[PLAIN] < 1e-5
    assert 1e-4 < differences[OURS_16] < 0.1


def test_forms_that_differ_are_not_timed(monkeypatch):
    monkeypatch.setitem(training_variants.TOLERANCE, "float32", 1e-12)
    with pytest.raises(DataError, match="plain Keras float32: what G computes differs by"):
        make_steps([PLAIN], RECIPES["wp_pixel"], SIZES, "random")


def test_weights_from_a_file(tmp_path):
    recipe = RECIPES["wp_stage2"]
    with pytest.raises(DataError, match="absent.npz"):
        make_steps([OURS], recipe, SIZES, str(tmp_path / "absent.npz"))


def test_which_forms_there_are(monkeypatch):
    monkeypatch.setattr(training_variants, "torch_is_installed", lambda: False)
    assert available_variants("tensorflow", ["float32"], 8) == [PLAIN, OURS]
    monkeypatch.setattr(training_variants, "torch_is_installed", lambda: True)
    assert available_variants("tensorflow", ["float32"], 8) == [PLAIN, OURS, TORCH]
    titles = [variant.title for variant in available_variants("jax", ["float32", "bfloat16"], 8)]
    assert titles[:2] == ["ours float32", "ours bfloat16"]
    assert titles[2:] == ["ours float32, 8 a call", "ours bfloat16, 8 a call"]
    assert len(available_variants("jax", ["bfloat16"], 1)) == 1


def test_the_recipes_are_the_papers():
    paper, small = Sizes(), Sizes(features=8, blocks=3)
    assert RECIPES["wp_pixel"].generator_config(paper).num_res_blocks == 16
    mr = RECIPES["mr_full"].generator_config(small)
    assert mr == MrConfig(num_mr_blocks=3, num_res_blocks=4, features=8)
    for name, adversarial, vgg in (
        ("mr_pixel", False, 0),
        ("mr_full", True, 6e-3),
        ("wp_pixel", False, 0),
        ("wp_stage1", True, 0),
        ("wp_stage2", True, 6e-3),
    ):
        objective = RECIPES[name].objective
        assert (objective.adversarial, objective.lambda_vgg) == (adversarial, vgg)


def test_our_earlier_step_computes_the_same(case):
    recipe, networks, outputs, losses = case
    earlier = EarlierStep(recipe, copy_of(networks, recipe), BATCH)
    assert_same(earlier.outputs(), outputs)
    assert earlier.run() == pytest.approx(losses, rel=1e-4, abs=1e-6)


def test_our_earlier_step_calls_the_discriminator_twice():
    recipe = RECIPES["wp_stage1"]
    calls = {}
    for kind in (OurStep, EarlierStep):
        step = kind(recipe, some_networks(recipe), BATCH)
        sizes = calls[kind] = []
        run = step.model.discriminator.call

        def counted(images, *arguments, run=run, sizes=sizes, **options):
            sizes.append(images.shape[0])
            return run(images, *arguments, **options)

        step.model.discriminator.call = counted
        step.model.run_networks(BATCH.lr, BATCH.hr)
    assert calls == {OurStep: [4], EarlierStep: [2, 2]}


def test_the_earlier_form_is_timed_against_ours_alone():
    variants = available_variants("tensorflow", ["bfloat16"], 8, earlier=True)
    assert [variant.title for variant in variants] == ["ours, earlier bfloat16", "ours bfloat16"]
