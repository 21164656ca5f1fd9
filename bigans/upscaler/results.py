"""The photo and the result; see `bigans.upscaler.task`."""

from bigans.upscaler.task import Task

__all__ = ["Task"]
