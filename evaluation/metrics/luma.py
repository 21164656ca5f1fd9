"""The Y channel that the metrics score; see `sr_images.luma`."""

from sr_images.luma import rgb_to_y

__all__ = ["rgb_to_y"]
