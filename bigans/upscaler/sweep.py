"""The generators' images of one photo, kept while it is merged again and again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from bigans.models.loaded_model import LoadedModel
from bigans.models.remembered import Pair, Remembered
from bigans.upscaler.tiles.scratch import Scratch
from bigans.upscaler.tiles.tiling import PhotoPlan

_PAIR_BYTES = 2 * 4 * 3  # two float32 images of three channels, for each pixel of the result


@contextlib.contextmanager
def remembering(
    model: LoadedModel, plan: PhotoPlan, scratch_dir: str | os.PathLike[str]
) -> Iterator[Remembered]:
    """A model that runs its generators once; what it keeps is gone when the block ends.

    Args:
        model: A fused one.
        plan: Of the photo. The images of one that is cut into tiles are kept in a file.
        scratch_dir: Folder for that file.

    Yields:
        The model.

    Raises:
        DataError: The model is not fused, or there is no space for the file.
    """
    if plan.is_whole:
        yield Remembered(model)
        return
    needed = _PAIR_BYTES * len(plan.tiles) * plan.tiles.tile_pixels * model.scale**2
    with Scratch(scratch_dir, needed) as scratch:
        count = 0

        def keep(pair: Pair) -> Callable[[], Pair]:
            nonlocal count
            first, count = count, count + 2
            for image in pair:
                scratch.append(image)
            return lambda: (scratch.get(first), scratch.get(first + 1))

        yield Remembered(model, keep=keep)
