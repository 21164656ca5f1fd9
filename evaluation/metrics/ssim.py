"""Structural similarity; see `sr_data.fidelity`, where training's validation finds it too."""

from sr_data.fidelity import ssim

__all__ = ["ssim"]
