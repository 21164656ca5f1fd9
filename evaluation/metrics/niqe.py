"""NIQE; see `sr_images.niqe`, where the page finds it too."""

from sr_images.niqe import BLOCK, Niqe

__all__ = ["BLOCK", "Niqe"]
