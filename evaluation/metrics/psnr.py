"""Peak signal-to-noise ratio; see `sr_data.fidelity`, where training's validation finds it too."""

from sr_data.fidelity import psnr

__all__ = ["psnr"]
