"""A PyTorch training step of a recipe: the networks' outputs and losses are those of ours.

Written as PyTorch's super-resolution projects do: the generator first, with the discriminator's
weights held, then the discriminator on the same, detached, images. A step runs G once and D three
times. Eager mode, channels last; the fused Adam. In bfloat16 the forward passes run under
autocast, and the losses in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

from benchmarks.peers.torch_networks import (
    build_discriminator,
    build_features,
    build_generator,
)
from benchmarks.peers.torch_weights import turned, turned_back
from benchmarks.timing.training_networks import Batch, Networks
from benchmarks.timing.training_recipes import Recipe
from srgan.config import OptimizerConfig

# Keras' default.
EPSILON = 1e-7


class TorchStep:
    """An update of both networks.

    Args:
        recipe: What is trained.
        networks: Ours, whose weights it starts from.
        batch: What it is trained on.
        bfloat16: Whether the forward passes run under autocast.
    """

    def __init__(self, recipe: Recipe, networks: Networks, batch: Batch, bfloat16: bool) -> None:
        self._objective = recipe.objective
        self._scale = networks.feature_scale
        self._bfloat16 = bfloat16
        self._lr, self._hr = turned(batch.lr), turned(batch.hr)
        self._generator = build_generator(networks.config, networks.generator)
        self._optimizer = _adam(self._generator)
        self._discriminator = self._features = None
        if networks.discriminator is not None:
            self._discriminator = build_discriminator(networks.discriminator)
            self._discriminator_optimizer = _adam(self._discriminator)
        if networks.features is not None:
            self._features = build_features(recipe.objective, networks.features)

    def run(self) -> dict[str, float]:
        """See `benchmarks.timing.training_steps.Step`."""
        sr, loss_g = self._update_generator()
        losses = {"loss_g": loss_g}
        if self._discriminator is not None:
            losses["loss_d"] = self._update_discriminator(sr.detach())
        return losses

    def outputs(self) -> dict[str, np.ndarray]:
        """See `benchmarks.timing.training_steps.Step`."""
        pairs = {
            "G": (self._generator, self._lr),
            "D": (self._discriminator, self._hr),
            "φ": (self._features, self._hr),
        }
        found = {}
        for name, (network, images) in pairs.items():
            if network is not None:
                network.eval()
                with torch.no_grad(), self._autocast():
                    found[name] = turned_back(network(images))
                network.train()
        return found

    def _autocast(self) -> Any:
        return torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16)

    def _update_generator(self) -> tuple[Any, float]:
        objective = self._objective
        loss = torch.zeros(())
        with self._autocast():
            sr = self._generator(self._lr)
        if objective.lambda_pixel:
            loss = loss + objective.lambda_pixel * functional.mse_loss(sr.float(), self._hr)
        if self._discriminator is not None:
            self._discriminator.requires_grad_(False)
            with self._autocast():
                fake = self._discriminator(sr)
            self._discriminator.requires_grad_(True)
            loss = loss + objective.lambda_adv * _fooled(fake.float(), objective.logarithm)
        if self._features is not None:
            with self._autocast():
                of_sr = self._features(sr)
                with torch.no_grad():
                    of_hr = self._features(self._hr)
            difference = functional.mse_loss(of_sr.float(), of_hr.float())
            loss = loss + objective.lambda_vgg * self._scale * difference
        _apply(self._optimizer, loss)
        return sr, loss.item()

    def _update_discriminator(self, sr: Any) -> float:
        discriminator: Any = self._discriminator
        with self._autocast():
            real, fake = discriminator(self._hr), discriminator(sr)
        loss = _told_apart(real.float(), fake.float(), self._objective.logarithm)
        _apply(self._discriminator_optimizer, loss)
        return loss.item()


def _adam(module: Any) -> Any:
    rate = OptimizerConfig().learning_rate
    return torch.optim.Adam(module.parameters(), rate, eps=EPSILON, fused=True)


def _apply(optimizer: Any, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _fooled(fake: Any, logarithm: bool) -> Any:
    """Eq. (8), or without the logarithm Eq. (4)."""
    return functional.softplus(-fake).mean() if logarithm else -torch.sigmoid(fake).mean()


def _told_apart(real: Any, fake: Any, logarithm: bool) -> Any:
    """The discriminator's loss, see `srgan.losses.equations.discriminator_loss`."""
    if logarithm:
        return functional.softplus(-real).mean() + functional.softplus(fake).mean()
    return torch.sigmoid(fake).mean() - torch.sigmoid(real).mean()
