import dataclasses

import pytest

from mr_srgan.config import PAPER_OBJECTIVE, GeneratorConfig
from sr_program.errors import UsageError


def test_architecture_is_the_papers():
    """Section 4.1: 7 MR blocks of four ResBlocks, 64 features, no BatchNorm, enlargement by 4."""
    assert dataclasses.asdict(GeneratorConfig()) == {
        "num_mr_blocks": 7,
        "num_res_blocks": 4,
        "features": 64,
        "gate": True,
        "batch_norm": False,
        "scale": 4,
        "bicubic_skip": False,
        "shared_slopes": False,
    }


def test_paper_objective():
    """Section 3.2 as SPEC reads it."""
    objective = PAPER_OBJECTIVE
    assert (objective.pixel_loss, objective.lambda_pixel) == ("mse", 1.0)
    assert (objective.lambda_adv, objective.lambda_vgg) == (1e-3, 6e-3)
    assert objective.adversarial
    assert not objective.logarithm
    assert objective.discriminator_batch_norm
    assert (objective.vgg_network, objective.vgg_layer) == ("vgg16", "block5_conv3")
    assert not objective.vgg_before_relu


def test_round_trip_through_a_dictionary():
    config = GeneratorConfig(num_mr_blocks=4, gate=False, features=32, bicubic_skip=True)
    assert GeneratorConfig(**dataclasses.asdict(config)) == config


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GeneratorConfig().features = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", ["num_mr_blocks", "num_res_blocks", "features"])
@pytest.mark.parametrize("value", [0, -1])
def test_counts_below_one_are_usage_errors(name, value):
    with pytest.raises(UsageError, match=f"--{name} must be at least 1, got {value}"):
        GeneratorConfig(**{name: value})


@pytest.mark.parametrize("name", ["num_mr_blocks", "num_res_blocks", "features"])
def test_counts_that_no_machine_holds(name):
    with pytest.raises(UsageError, match=f"--{name} must be at most 4096, got 100000000"):
        dataclasses.replace(GeneratorConfig(), **{name: 100_000_000})
    assert dataclasses.replace(GeneratorConfig(), **{name: 4096})


def test_every_setting_says_what_it_is():
    for field in dataclasses.fields(GeneratorConfig):
        assert field.metadata["help"].endswith("."), field.name
