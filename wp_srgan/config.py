"""What a WP-SRGAN generator is made of; the defaults are the paper's (Section 3.3)."""

from __future__ import annotations

import dataclasses

from cli.errors import UsageError
from srgan.config import setting


@dataclasses.dataclass(frozen=True)
class GeneratorConfig:
    """The architecture of the vivid generator; the attributes' meaning is their help text."""

    num_res_blocks: int = setting(16, "ResBlocks of the trunk.")
    features: int = setting(64, "Channels of the trunk and of the upsamplers.")
    batch_norm: bool = setting(
        False, "BatchNorm in the generator, as SRGAN has it; the paper removes it."
    )
    scale: int = setting(4, "Enlargement, a power of two.")
    bicubic_skip: bool = setting(
        False,
        "Add the interpolated input to the output (not in the paper): the network need not learn "
        "to interpolate, which saves training time.",
    )

    def __post_init__(self) -> None:
        """Rejects counts that make no network."""
        for name in ("num_res_blocks", "features"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, got {getattr(self, name)}")
