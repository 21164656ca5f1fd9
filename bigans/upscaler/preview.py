"""What a run would do, told without doing it: a line a photo."""

from __future__ import annotations

from collections.abc import Iterator

from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.planning.plan import Plan
from bigans.upscaler.task import Task
from bigans.upscaler.tiles.tiling import Tiling
from sr_images.image_io import read_rgb
from sr_program.errors import DataError


def preview(planned: Plan, enlarging: Enlarging, tiling: Tiling) -> Iterator[str]:
    """Tells of each photo where its result would go, how large it would be, and how it is made.

    Photos are decoded and nothing is computed. What is read from their heads alone could be wrong.

    Args:
        planned: The photos.
        enlarging: How they would be enlarged.
        tiling: How they would be cut.
    """
    for task in planned.tasks:
        yield _line(task, enlarging, tiling)
    for one in planned.skipped:
        yield f"{one.task.photo}: skipped, {one.task.result} {one.reason}"


def _line(task: Task, enlarging: Enlarging, tiling: Tiling) -> str:
    try:
        height, width = read_rgb(task.photo).shape[:2]
        pieces = len(tiling.plan(height, width, None).tiles)
    except DataError as error:
        return f"fails: {error}"
    how = "whole" if pieces == 1 else f"{pieces} tiles"
    return f"{task.photo} -> {task.result}: {width}x{height} -> {4 * width}x{4 * height}, {how}"
