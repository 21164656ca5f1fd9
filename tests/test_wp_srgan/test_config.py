import dataclasses

import pytest

from sr_program.errors import UsageError
from wp_srgan.config import PAPER_OBJECTIVE, GeneratorConfig


def test_architecture_is_the_papers():
    """Section 3.3: 16 ResBlocks, 64 features, no BatchNorm, enlargement by 4."""
    assert dataclasses.asdict(GeneratorConfig()) == {
        "num_res_blocks": 16,
        "features": 64,
        "batch_norm": False,
        "scale": 4,
        "bicubic_skip": False,
        "shared_slopes": False,
    }


@pytest.mark.parametrize("stage", [1, 2])
def test_paper_objective(stage):
    """Section 3.3 as SPEC reads it."""
    objective = PAPER_OBJECTIVE[stage]
    assert objective.pixel_loss == "mse"
    assert objective.lambda_adv == 1e-3
    assert objective.adversarial
    assert objective.logarithm
    assert not objective.discriminator_batch_norm
    assert (objective.vgg_network, objective.vgg_layer) == ("vgg19", "block5_conv4")
    assert not objective.vgg_before_relu


def test_weights_of_the_stages():
    weights = {s: (o.lambda_pixel, o.lambda_vgg) for s, o in PAPER_OBJECTIVE.items()}
    assert weights == {1: (1.0, 0.0), 2: (0.0, 6e-3)}


def test_round_trip_through_a_dictionary():
    config = GeneratorConfig(num_res_blocks=8, features=32, bicubic_skip=True)
    assert GeneratorConfig(**dataclasses.asdict(config)) == config


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GeneratorConfig().features = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("name", ["num_res_blocks", "features"])
@pytest.mark.parametrize("value", [0, -1])
def test_counts_below_one_are_usage_errors(name, value):
    with pytest.raises(UsageError, match=f"--{name} must be at least 1, got {value}"):
        GeneratorConfig(**{name: value})


@pytest.mark.parametrize("name", ["num_res_blocks", "features"])
def test_counts_that_no_machine_holds(name):
    with pytest.raises(UsageError, match=f"--{name} must be at most 4096, got 100000000"):
        dataclasses.replace(GeneratorConfig(), **{name: 100_000_000})
    assert dataclasses.replace(GeneratorConfig(), **{name: 4096})


def test_every_setting_says_what_it_is():
    for field in dataclasses.fields(GeneratorConfig):
        assert field.metadata["help"].endswith("."), field.name
