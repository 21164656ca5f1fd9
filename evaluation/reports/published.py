"""The figures that the paper publishes (4x), to stand beside ours.

Bi-GANs-ST, arXiv 1811.00367, Tables 1 to 4.
"""

from __future__ import annotations

from typing import NamedTuple

# In the order of the paper's columns.
BENCHMARKS = ("Set5", "Set14", "BSD100", "Urban100", "Manga109")
PIRM = "PIRM_val"


class Fidelity(NamedTuple):
    """Table 3: PSNR in dB, and SSIM."""

    psnr: float
    ssim: float


class Perception(NamedTuple):
    """Tables 1, 2 and 4: the perceptual score, and RMSE in grey levels."""

    perceptual_index: float
    rmse: float


# Table 1: the two stages of WP-SRGAN, on the PIRM-SR 2018 self-validation set.
STAGES = {
    "WP-SRGAN, first stage": Perception(5.2002, 14.385),
    "WP-SRGAN, second stage": Perception(2.0815, 16.2813),
}

# Table 2: the three models, on the same set.
MODELS = {
    "MR-SRGAN": Perception(4.404, 11.36),
    "WP-SRGAN": Perception(2.082, 16.28),
    "Bi-GANs-ST": Perception(2.139, 15.77),
}


def _fidelity(*pairs: tuple[float, float]) -> dict[str, Fidelity]:
    return {name: Fidelity(*pair) for name, pair in zip(BENCHMARKS, pairs, strict=True)}


def _perception(*pairs: tuple[float, float]) -> dict[str, Perception]:
    return {name: Perception(*pair) for name, pair in zip(BENCHMARKS, pairs, strict=True)}


TABLE_3 = {
    "Bicubic": _fidelity(
        (24.74, 0.736), (23.47, 0.630), (23.93, 0.602), (21.15, 0.583), (21.82, 0.711)
    ),
    "EDSR": _fidelity(
        (32.53, 0.899), (28.82, 0.786), (27.64, 0.740), (26.62, 0.802), (30.95, 0.914)
    ),
    "MR-SRGAN": _fidelity(
        (31.53, 0.884), (28.28, 0.771), (27.30, 0.725), (25.79, 0.774), (29.82, 0.895)
    ),
    "EnhanceNet": _fidelity(
        (28.90, 0.818), (26.04, 0.685), (25.19, 0.634), (23.60, 0.691), (26.71, 0.827)
    ),
    "WP-SRGAN": _fidelity(
        (29.06, 0.834), (26.01, 0.703), (24.38, 0.642), (23.74, 0.700), (26.62, 0.836)
    ),
    "Bi-GANs-ST": _fidelity(
        (29.54, 0.840), (26.01, 0.706), (24.54, 0.651), (23.90, 0.703), (26.84, 0.839)
    ),
}

TABLE_4 = {
    "EDSR": _perception(
        (5.944, 6.51), (5.256, 10.92), (5.263, 12.38), (4.981, 14.52), (4.714, 8.63)
    ),
    "EnhanceNet": _perception(
        (3.141, 9.94), (3.009, 14.82), (2.979, 16.14), (3.401, 19.49), (3.259, 13.19)
    ),
    "MR-SRGAN": _perception(
        (5.304, 7.44), (4.703, 11.41), (4.995, 12.72), (4.466, 15.64), (4.164, 9.57)
    ),
    "WP-SRGAN": _perception(
        (3.317, 9.80), (2.824, 14.46), (2.226, 18.19), (3.260, 19.04), (3.195, 13.32)
    ),
    "Bi-GANs-ST": _perception(
        (3.531, 9.14), (2.869, 14.22), (2.375, 17.56), (3.272, 18.75), (3.216, 12.97)
    ),
}


def models_on(name: str) -> tuple[str, dict[str, Perception]]:
    """The paper's three models on a set, or on the PIRM set where it publishes none for this one.

    Returns:
        The set's name in the paper's tables, and model → figures.
    """
    if name in BENCHMARKS:
        return name, {model: TABLE_4[model][name] for model in MODELS}
    return "PIRM", MODELS


BICUBIC_REMARK = (
    "The paper's Bicubic row of PSNR lies 3.7, 2.5 and 2.0 dB under what bicubic interpolation "
    "gives on Set5, Set14 and BSD100 by the usual protocol (28.42, 25.99 and 25.96 dB: Y, 4 border "
    "pixels left out); the row is printed as published."
)
