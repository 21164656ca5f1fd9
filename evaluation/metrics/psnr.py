"""Peak signal-to-noise ratio; see `sr_images.fidelity`, which training's validation uses too."""

from sr_images.fidelity import psnr

__all__ = ["psnr"]
