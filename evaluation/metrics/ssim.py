"""Structural similarity; see `sr_images.fidelity`, where training's validation finds it too."""

from sr_images.fidelity import ssim

__all__ = ["ssim"]
