"""Weights and images between Keras and PyTorch, where every image is turned by 180 degrees.

PyTorch's pixel shuffle takes channels in the order (channel, phase), Keras' depth_to_space in the
order (phase, channel): the weights of the convolutions before it are permuted.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

PHASES = 4


def turned(images: np.ndarray) -> Any:
    """[B, H, W, C] to a tensor [B, C, H, W], turned by 180 degrees, channels last in memory."""
    tensor = torch.from_numpy(images[:, ::-1, ::-1].transpose(0, 3, 1, 2).copy())
    return tensor.contiguous(memory_format=torch.channels_last)


def turned_back(tensor: Any) -> np.ndarray:
    """The inverse of `turned`; logits, [B, 1], stay as they are."""
    array = tensor.detach().float().numpy()
    return array.transpose(0, 2, 3, 1)[:, ::-1, ::-1] if array.ndim == 4 else array


def carry(module: Any, ours: keras.Model) -> Any:
    """Gives every layer of a module the weights of its Keras namesake.

    Args:
        module: One of `benchmarks.peers.torch_networks`.
        ours: The same network in Keras.

    Returns:
        The module, channels last in memory.
    """
    for path, layer in module.named_modules():
        if not list(layer.parameters(recurse=False)):
            continue
        name = path.removeprefix("trunk.").replace(".", "_")
        values = [np.asarray(w) for w in ours.get_layer(name).get_weights()]
        if isinstance(layer, nn.Linear) and name == "dense":
            values[0] = _kernel_of_flat_image(values[0], ours.get_layer("flatten").input.shape)
        names = ("weight", "bias", "running_mean", "running_var")
        arrays = zip(names, _in_torch_order(layer, name, values), strict=False)
        # BatchNorm's counter of batches has no counterpart.
        state = {key: torch.from_numpy(np.ascontiguousarray(array)) for key, array in arrays}
        layer.load_state_dict({**layer.state_dict(), **state})
    return module.to(memory_format=torch.channels_last)


def _in_torch_order(layer: Any, name: str, values: list[np.ndarray]) -> list[np.ndarray]:
    if isinstance(layer, nn.PReLU):
        return [values[0].reshape(-1)]
    if isinstance(layer, nn.Linear):
        return [values[0].T, *values[1:]]
    if not isinstance(layer, nn.Conv2d):
        return values
    values = [values[0][::-1, ::-1].transpose(3, 2, 0, 1), *values[1:]]
    return [_channel_major(v) for v in values] if name.startswith("upsample") else values


def _channel_major(values: np.ndarray) -> np.ndarray:
    """(phase, channel) to (channel, phase) on the first axis; turning reverses the phases."""
    phases = values.reshape(PHASES, -1, *values.shape[1:])[::-1]
    return phases.swapaxes(0, 1).reshape(values.shape)


def _kernel_of_flat_image(kernel: np.ndarray, shape: tuple[Any, ...]) -> np.ndarray:
    """[h·w·c, units] for flattened [B, h, w, c] to [c·h·w, units] for a turned [B, c, h, w]."""
    image = kernel.reshape(*shape[1:], -1)[::-1, ::-1]
    return image.transpose(2, 0, 1, 3).reshape(kernel.shape)
