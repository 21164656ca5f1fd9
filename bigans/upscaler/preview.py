"""What a run would do, told without doing it: a line a photo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.planning.plan import Plan
from bigans.upscaler.target import target_of
from bigans.upscaler.task import Task
from bigans.upscaler.tiles.tiling import Tiling
from sr_data.pairs import SCALE
from sr_images.encoding import check_encoding
from sr_images.limits import Limits
from sr_images.pictures_in import open_pictures
from sr_program.errors import DataError, UsageError


class Foretold(NamedTuple):
    """Of one photo: a line without its end, and whether it would fail."""

    line: str
    fails: bool = False


def preview(
    planned: Plan, enlarging: Enlarging, tiling: Tiling, limits: Limits
) -> Iterator[Foretold]:
    """Tells of each photo where its result would go, how large it would be, and how it is made.

    Photos are decoded, for what cannot be read is told as well; nothing is computed.

    Args:
        planned: The photos.
        enlarging: How they would be enlarged, by a model that enlarges 4x.
        tiling: How they would be cut.
        limits: The largest files that are decoded.
    """
    for task in planned.tasks:
        try:
            told = _told(task, enlarging, tiling, limits)
            yield Foretold(f"{task.photo} -> {task.result}: {told}")
        except UsageError as error:
            yield Foretold(f"fails: {error}", fails=True)
        except DataError as error:
            named = str(error).startswith(f"{task.photo}: ")
            yield Foretold(f"fails: {'' if named else f'{task.photo}: '}{error}", fails=True)
    for one in planned.skipped:
        yield Foretold(f"{one.task.photo}: skipped, {one.task.result} {one.reason}")


def _told(task: Task, enlarging: Enlarging, tiling: Tiling, limits: Limits) -> str:
    with open_pictures(task.photo, limits=limits) as pictures:
        picture = next(iter(pictures))
        frames = pictures.count
    height, width = picture.size
    target = target_of(picture.size, enlarging, SCALE)
    check_encoding(task.result, *target.size, picture, task.encoding, frames=frames)
    num_tiles = len(tiling.plan(height, width, None).tiles)
    parts = [f"{width}x{height} -> {target.size[1]}x{target.size[0]}"]
    parts += [f"{frames} frames"] if frames > 1 else []
    parts += ["whole" if num_tiles == 1 else f"{num_tiles} tiles"]
    return ", ".join(parts)
