import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr_program.errors import UsageError
from srgan.losses.feature_terms import FeatureTerm, parse_feature_terms
from srgan.vgg.layers import convolution_layers

NAMES = [each.name for each in convolution_layers("vgg19")]


def test_layers_and_weights_in_the_order_given():
    found = parse_feature_terms("vgg19", "block3_conv4:1,block1_conv2:0.1, block2_conv2:1e-3 ")
    assert found == (
        FeatureTerm("block3_conv4", 1.0),
        FeatureTerm("block1_conv2", 0.1),
        FeatureTerm("block2_conv2", 0.001),
    )
    assert parse_feature_terms("vgg16", "") == ()


@given(
    st.lists(st.sampled_from(NAMES), unique=True),
    st.floats(0, exclude_min=True, allow_infinity=False),
)
def test_what_is_written_is_read(names, weight):
    text = ",".join(f"{name}:{weight!r}" for name in names)
    assert parse_feature_terms("vgg19", text) == tuple(FeatureTerm(name, weight) for name in names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("block1_conv2", "--vgg_layers must be NAME:WEIGHT,NAME:WEIGHT,..., got 'block1_conv2'"),
        ("block1_conv1:1,block1_conv2", "NAME:WEIGHT,NAME:WEIGHT,..., got 'block1_conv2'"),
        ("block9_conv1:1", "vgg16 has no layer 'block9_conv1': choose one of block1_conv1, "),
        ("block3_conv4:1", "vgg16 has no layer 'block3_conv4'"),
        ("block1_conv2:", "weight of block1_conv2 must be above 0, got ''"),
        ("block1_conv2:half", "weight of block1_conv2 must be above 0, got 'half'"),
        ("block1_conv2:0", "weight of block1_conv2 must be above 0, got '0'"),
        ("block1_conv2:-1", "weight of block1_conv2 must be above 0, got '-1'"),
        ("block1_conv2:nan", "weight of block1_conv2 must be above 0, got 'nan'"),
        ("block1_conv2:inf", "weight of block1_conv2 must be above 0, got 'inf'"),
        ("block1_conv2:1:2", "weight of block1_conv2 must be above 0, got '1:2'"),
        ("block1_conv2:1,block1_conv2:2", "--vgg_layers names block1_conv2 twice"),
    ],
)
def test_what_is_refused(text, expected):
    with pytest.raises(UsageError) as caught:
        parse_feature_terms("vgg16", text)
    assert expected in str(caught.value) and "\n" not in str(caught.value)
