"""The two pairs of shipped generators: for photos of cameras, and for the paper's clean images.

Nothing is loaded here: `--help` does without NumPy.
"""

from __future__ import annotations

from typing import Literal, get_args

Pair = Literal["photo", "clean"]
PAIRS: tuple[Pair, ...] = get_args(Pair)

# What is taken where nobody says which.
DEFAULT_PAIR: Pair = "photo"

STAGE_1 = "stage1"

# The faithful and the vivid generator of each, as the manifest names them.
_GENERATORS: dict[Pair, tuple[str, str]] = {
    "photo": ("mr_srgan_photo", "wp_srgan_photo"),
    "clean": ("mr_srgan", "wp_srgan_stage2"),
}

# For the help of flags.
WEIGHTS_HELP = (
    "Which of the shipped weights: photo, for photos from cameras and the web, which are noisy "
    "or compressed; or clean, the paper's setting, for sharp images without noise and artefacts."
)


def generators_of(part: str, pair: Pair) -> tuple[str, ...]:
    """The shipped generators that a part of a pair is made of.

    Args:
        part: "fused", "faithful", "vivid", or "stage1", which is the same for both pairs.
        pair: Which of the two.

    Returns:
        Names of `bigans.pretrained.manifest`, the faithful one first.

    Example:
        >>> generators_of("vivid", "clean")
        ('wp_srgan_stage2',)
    """
    if part == STAGE_1:
        return ("wp_srgan_stage1",)
    faithful, vivid = _GENERATORS[pair]
    return {"fused": (faithful, vivid), "faithful": (faithful,), "vivid": (vivid,)}[part]
