"""Which layers of φ the perceptual loss compares, and what each of them counts.

Reference: Wang et al., Real-ESRGAN, arXiv 2107.10833, Section 4.1 (five layers, weights 0.1 to 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sr_program.errors import UsageError
from srgan.vgg.layers import layers_up_to


@dataclass(frozen=True)
class FeatureTerm:
    """One layer's part of L_vgg.

    Attributes:
        layer: The layer's name, e.g. "block3_conv4".
        weight: Factor beside the layer's own scale, above 0.
    """

    layer: str
    weight: float = 1.0


def parse_feature_terms(network: str, text: str) -> tuple[FeatureTerm, ...]:
    """Reads the layers and weights of `--vgg_layers`.

    Args:
        network: "vgg16" or "vgg19".
        text: NAME:WEIGHT,NAME:WEIGHT and so on; empty: no layers.

    Returns:
        The terms in the order given.

    Raises:
        UsageError: Another form, a layer that the network does not have or that is named twice, or
            a weight that is no number above 0.
    """
    terms: list[FeatureTerm] = []
    for part in filter(None, [each.strip() for each in text.split(",")]):
        layer, colon, number = part.partition(":")
        if not colon:
            raise UsageError(f"--vgg_layers must be NAME:WEIGHT,NAME:WEIGHT,..., got {part!r}")
        layers_up_to(network, layer)
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not 0 < weight < math.inf:
            raise UsageError(f"--vgg_layers: the weight of {layer} must be above 0, got {number!r}")
        if layer in [each.layer for each in terms]:
            raise UsageError(f"--vgg_layers names {layer} twice")
        terms.append(FeatureTerm(layer, weight))
    return tuple(terms)
