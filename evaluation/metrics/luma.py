"""The Y channel that the metrics score; see `sr_data.luma`."""

from sr_data.luma import rgb_to_y

__all__ = ["rgb_to_y"]
