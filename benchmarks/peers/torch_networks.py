"""The networks of both branches in PyTorch, with the weights of the Keras ones.

PyTorch pads a convolution of stride 2 before the image, TensorFlow after it. Turned by 180
degrees the one is the other; so these networks see every image turned, their kernels are turned
too (`benchmarks.peers.torch_weights`), and apart from that they compute the same.

Submodules are named after the Keras layers whose weights they take, with "." for "_".
"""

from __future__ import annotations

from typing import Any

import keras
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

import mr_srgan.config
from benchmarks.peers.torch_weights import carry
from benchmarks.timing.training_recipes import GeneratorConfig
from srgan.config import ObjectiveConfig
from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.discriminator import CONVOLUTIONS, LEAKY_SLOPE
from srgan.layers.prelu import INITIAL_SLOPE
from srgan.vgg.layers import IMAGENET_MEAN_BGR, layers_up_to

BLOCK, SCALE = 2, 4


def _conv(channels: int, filters: int, side: int, stride: int = 1, bias: bool = True) -> Any:
    return nn.Conv2d(channels, filters, side, stride=stride, padding=side // 2, bias=bias)


class PReLU(nn.PReLU):
    """PyTorch's, for the inputs that autocast gives it."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, INITIAL_SLOPE)

    def forward(self, x: Any) -> Any:
        """Applies the rectifier; PyTorch wants the slopes in the input's type."""
        return functional.prelu(x, self.weight.to(x.dtype))


class ResBlock(nn.Module):
    """conv – PReLU – conv, and the input added."""

    def __init__(self, features: int, slopes: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (_conv(features, features, 3) for _ in range(2))
        self.prelu = PReLU(slopes)

    def forward(self, x: Any) -> Any:
        """[B, C, H, W] to the same."""
        return x + self.conv2(self.prelu(self.conv1(x)))


class MemoryBlock(nn.Module):
    """ResBlocks, a gate over all of their outputs, and the input added."""

    def __init__(self, features: int, count: int, slopes: int) -> None:
        super().__init__()
        self.count = count
        for i in range(1, count + 1):
            self.add_module(f"res{i}", ResBlock(features, slopes))
        self.gate = _conv(count * features, features, 1)

    def forward(self, x: Any) -> Any:
        """[B, C, H, W] to the same."""
        outputs = []
        y = x
        for i in range(1, self.count + 1):
            y = self.get_submodule(f"res{i}")(y)
            outputs.append(y)
        return x + self.gate(torch.cat(outputs, 1))


class Interpolation(nn.Module):
    """The bicubic skip; its kernel, turned by 180 degrees like the image, is itself."""

    def __init__(self) -> None:
        super().__init__()
        kernel = BicubicUpsampling(SCALE).kernel.transpose(3, 2, 0, 1)
        # From (phase, colour) to PyTorch's order, (colour, phase).
        kernel = kernel.reshape(SCALE**2, 3, *kernel.shape[1:]).swapaxes(0, 1)
        self.kernel = torch.from_numpy(kernel.reshape(-1, *kernel.shape[2:]).copy())

    def forward(self, lr: Any) -> Any:
        """[B, 3, H, W] to [B, 3, 4H, 4W]."""
        padded = functional.pad(lr, (2, 2, 2, 2), mode="replicate")
        return functional.pixel_shuffle(functional.conv2d(padded, self.kernel), SCALE)


class Generator(nn.Module):
    """Either branch's generator: with its gate, without BatchNorm, scale 4.

    `forward` leaves the bicubic skip out; `skip` is it.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        features = config.features
        memory = isinstance(config, mr_srgan.config.GeneratorConfig)
        ends = 3 if memory else 9
        slopes = 1 if config.shared_slopes else features
        self.head_conv, self.head_prelu = _conv(3, features, ends), PReLU(slopes)
        self.trunk = nn.Sequential()
        if memory:
            for i in range(1, config.num_mr_blocks + 1):
                block = MemoryBlock(features, config.num_res_blocks, slopes)
                self.trunk.add_module(f"mr{i}", block)
        else:
            for i in range(1, config.num_res_blocks + 1):
                self.trunk.add_module(f"res{i}", ResBlock(features, slopes))
        self.trunk_conv = _conv(features, features, 3)
        for i in (1, 2):
            self.add_module(f"upsample{i}_conv", _conv(features, BLOCK**2 * features, 3))
            self.add_module(f"upsample{i}_prelu", PReLU(slopes))
        self.output = _conv(features, 3, ends)
        self.interpolation = Interpolation() if config.bicubic_skip else None

    def skip(self, lr: Any) -> Any:
        """What the architecture adds to the output, [B, 3, H, W] to [B, 3, 4H, 4W] or 0."""
        return 0.0 if self.interpolation is None else self.interpolation(lr)

    def forward(self, lr: Any) -> Any:
        """[B, 3, H, W] to [B, 3, 4H, 4W]."""
        head = self.head_prelu(self.head_conv(lr))
        x = head + self.trunk_conv(self.trunk(head))
        for i in (1, 2):
            x = functional.pixel_shuffle(self.get_submodule(f"upsample{i}_conv")(x), BLOCK)
            x = self.get_submodule(f"upsample{i}_prelu")(x)
        return self.output(x)


class Discriminator(nn.Module):
    """SRGAN's discriminator."""

    def __init__(self, crop_size: int, batch_norm: bool, base: int, units: int) -> None:
        super().__init__()
        layers, channels, side = [], 3, crop_size
        for number, (multiple, stride) in enumerate(CONVOLUTIONS, start=1):
            normalised = batch_norm and number > 1
            filters = multiple * base
            layers.append((f"conv{number}", _conv(channels, filters, 3, stride, not normalised)))
            if normalised:
                layers.append((f"norm{number}", nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)))
            layers.append((f"activation{number}", nn.LeakyReLU(LEAKY_SLOPE)))
            channels, side = filters, side // stride
        self.trunk = nn.Sequential()
        for name, layer in layers:
            self.trunk.add_module(name, layer)
        self.dense = nn.Linear(channels * side * side, units)
        self.logits = nn.Linear(units, 1)

    def forward(self, images: Any) -> Any:
        """[B, 3, S, S] to [B, 1]."""
        x = self.dense(self.trunk(images).flatten(1))
        return self.logits(functional.leaky_relu(x, LEAKY_SLOPE))


class Features(nn.Module):
    """φ."""

    def __init__(self, network: str, layer: str, before_relu: bool) -> None:
        super().__init__()
        mean = torch.tensor(IMAGENET_MEAN_BGR).reshape(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.trunk = nn.Sequential()
        for each in layers_up_to(network, layer):
            if each.block > 1 and each.position == 1:
                self.trunk.add_module(f"block{each.block - 1}_pool", nn.MaxPool2d(2))
            self.trunk.add_module(each.name, _conv(each.in_channels, each.filters, 3))
            if not (before_relu and each.name == layer):
                self.trunk.add_module(f"{each.name}_relu", nn.ReLU(inplace=True))

    def forward(self, images: Any) -> Any:
        """[B, 3, H, W] RGB in [-1, 1] to [B, C, h, w]."""
        return self.trunk((images.flip(1) + 1.0) * 127.5 - self.mean)


def build_generator(config: GeneratorConfig, ours: keras.Model) -> Any:
    """The generator, with the weights of ours."""
    return carry(Generator(config), ours)


def build_discriminator(ours: keras.Model) -> Any:
    """The discriminator, with the weights of ours."""
    first, dense = ours.get_layer("conv1"), ours.get_layer("dense")
    batch_norm = any(layer.name.startswith("norm") for layer in ours.layers)
    return carry(Discriminator(ours.input_shape[1], batch_norm, first.filters, dense.units), ours)


def build_features(objective: ObjectiveConfig, ours: keras.Model) -> Any:
    """φ, frozen, with the weights of ours."""
    features = Features(objective.vgg_network, objective.vgg_layer, objective.vgg_before_relu)
    return carry(features, ours).requires_grad_(False)
