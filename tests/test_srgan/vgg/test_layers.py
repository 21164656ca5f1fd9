import keras
import pytest

from sr_program.errors import UsageError
from srgan.vgg.layers import convolution_layers, layers_up_to


@pytest.mark.parametrize("network", ["vgg16", "vgg19"])
def test_layers_are_those_of_keras_applications(network):
    application = getattr(keras.applications, network.upper())
    model = application(weights=None, include_top=False)
    expected = [
        (layer.name, *(weight.shape for weight in layer.get_weights()))
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    layers = convolution_layers(network)
    assert [(each.name, each.kernel_shape, each.bias_shape) for each in layers] == expected


def test_layers_end_with_the_chosen_one():
    names = [each.name for each in layers_up_to("vgg16", "block2_conv1")]
    assert names == ["block1_conv1", "block1_conv2", "block2_conv1"]


def test_unknown_network_lists_the_known_ones():
    with pytest.raises(UsageError, match="'vgg11': choose one of vgg16, vgg19$"):
        convolution_layers("vgg11")


def test_unknown_layer_lists_those_of_the_network():
    with pytest.raises(UsageError) as caught:
        layers_up_to("vgg16", "block3_conv4")
    assert "vgg16 has no layer 'block3_conv4'" in str(caught.value)
    assert "block3_conv3, block4_conv1" in str(caught.value)
    assert str(caught.value).endswith("block5_conv3")
