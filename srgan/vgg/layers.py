"""The convolutions of VGG16 and VGG19: their names, order and shapes.

Reference: Simonyan and Zisserman, arXiv 1409.1556, Table 1, columns D and E; names as in
keras.applications.
"""

from dataclasses import dataclass

from sr_program.errors import UsageError

# 3x3 convolutions in each of the five blocks; a 2x2 max pooling separates the blocks.
BLOCK_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
BLOCK_FILTERS = (64, 128, 256, 512, 512)

# Mean of ImageNet, blue, green, red, in grey levels (0..255), as Caffe's VGG models subtract it.
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class ConvolutionLayer:
    """One 3x3 convolution of a VGG network.

    Attributes:
        block: its block, counted from 1.
        position: its place in the block, counted from 1.
        in_channels: channels of its input.
        filters: channels of its output.
    """

    block: int
    position: int
    in_channels: int
    filters: int

    @property
    def name(self) -> str:
        """Its name in keras.applications, e.g. block3_conv4."""
        return f"block{self.block}_conv{self.position}"

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Height, width, input and output channels (HWIO)."""
        return (3, 3, self.in_channels, self.filters)

    @property
    def bias_shape(self) -> tuple[int]:
        """One value for each output channel."""
        return (self.filters,)


def convolution_layers(network: str) -> tuple[ConvolutionLayer, ...]:
    """Lists all convolutions of a network from the input on.

    Args:
        network: "vgg16" or "vgg19".

    Raises:
        UsageError: unknown network.
    """
    if network not in BLOCK_CONVOLUTIONS:
        raise UsageError(
            f"unknown VGG network {network!r}: choose one of {', '.join(BLOCK_CONVOLUTIONS)}"
        )
    layers = []
    in_channels = 3
    blocks = zip(BLOCK_CONVOLUTIONS[network], BLOCK_FILTERS, strict=True)
    for block, (count, filters) in enumerate(blocks, start=1):
        for position in range(1, count + 1):
            layers.append(ConvolutionLayer(block, position, in_channels, filters))
            in_channels = filters
    return tuple(layers)


def layers_up_to(network: str, layer: str) -> tuple[ConvolutionLayer, ...]:
    """Lists the convolutions of a network up to and including a named one.

    Args:
        network: "vgg16" or "vgg19".
        layer: the last layer's name, e.g. "block5_conv4".

    Raises:
        UsageError: unknown network, or a layer that it does not have.
    """
    layers = convolution_layers(network)
    names = [each.name for each in layers]
    if layer not in names:
        raise UsageError(f"{network} has no layer {layer!r}: choose one of {', '.join(names)}")
    return layers[: names.index(layer) + 1]
