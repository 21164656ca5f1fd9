"""Enlarges one image in tiles, strip by strip, as if it were enlarged as a whole.

Where ξ says how far to go, the threshold is a quantile over the whole image. Then the tiles go
through the two generators into scratch memory or a scratch file first, while their deviations are
counted; once the quantile is known, from there through the merge. Otherwise a tile is finished at
once.

One tile a call: on two cores a pixel costs the same 109 to 113 µs of processor time in one image of
64x64, in 4 or 16 at once and in one of 256x256, and one large tile has less overlap than several.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bigans.models.loaded_model import Images, Levels, LoadedModel
from bigans.upscaler.tiles.scratch import Scratch
from bigans.upscaler.tiles.streaming_quantile import StreamingQuantile
from bigans.upscaler.tiles.tile_plan import Tile, TilePlan
from bigans.upscaler.tiles.tiling import PhotoPlan
from sr_program.progress import Progress

# Pixels of a result that are merged at a time: what is computed of them stays in the cache, and in
# memory that the process has already.
_BAND = 1 << 16
_SCRATCH_BYTES = 2 * 4 * 3  # two float32 images of three channels, for each pixel of the result


def strips(
    model: LoadedModel,
    image: Images,
    merge_inputs: Mapping[str, np.ndarray],
    plan: TilePlan,
    scratch_dir: str | os.PathLike[str],
    spare_bytes: int = 0,
) -> Generator[Images, None, None]:
    """The enlarged image from the top to the bottom, rounded, one strip a row of tiles.

    Close the iterator if it is not read to its end: its scratch file is removed then.

    Args:
        model: Enlarges the tiles.
        image: uint8 [H, W, 3].
        merge_inputs: float32 scalars xi and max_deviation, where the model has them.
        plan: Of this image's size.
        scratch_dir: Folder for up to 24 bytes for each pixel of the result.
        spare_bytes: What of it may be kept in memory instead, all or nothing.

    Yields:
        uint8 [h, scale·W, 3].

    Raises:
        DataError: The model cannot merge in parts; no space for the scratch file; memory ran out.
    """

    def serve(tile: Tile) -> Images:
        return model.serve(_read(image, tile)[np.newaxis], merge_inputs)[0]

    parts = _Parts(model, functools.partial(_read, image), serve, model.merge, np.uint8)
    return _strips(parts, image.shape[:2], merge_inputs, plan, scratch_dir, spare_bytes)


def unrounded_strips(
    model: LoadedModel,
    image: NDArray[Any],
    merge_inputs: Mapping[str, np.ndarray],
    plan: TilePlan,
    scratch_dir: str | os.PathLike[str],
    spare_bytes: int = 0,
    *,
    prepare: Callable[[NDArray[Any]], Images | Levels] = lambda piece: piece,
) -> Generator[Levels, None, None]:
    """As `strips`, but float32 grey levels, and of images of any depth.

    Args:
        model: As there.
        image: [H, W, C].
        merge_inputs: As there.
        plan: As there.
        scratch_dir: As there.
        spare_bytes: As there.
        prepare: Makes of a piece of the image what the model takes, uint8 or float32 grey levels,
            [h, w, 3].

    Yields:
        float32 [h, scale·W, 3], not rounded.

    Raises:
        DataError: As there, or the model takes uint8 images only.
    """

    def read(tile: Tile) -> Images | Levels:
        return prepare(_read(image, tile))

    def serve(tile: Tile) -> Levels:
        return model.serve_unrounded(read(tile), merge_inputs)

    parts = _Parts(model, read, serve, model.merge_unrounded, np.float32)
    return _strips(parts, image.shape[:2], merge_inputs, plan, scratch_dir, spare_bytes)


def generated(
    model: LoadedModel,
    image: Images | Levels,
    plan: PhotoPlan,
    progress: Callable[[float], None],
) -> tuple[Levels, Levels]:
    """Both generators' images of a photo that fits into memory, computed in tiles.

    Args:
        model: A fused one.
        image: uint8 or, where the model takes them, float32 grey levels, [H, W, 3].
        plan: How it is cut.
        progress: Is told after each tile what share is done, in (0, 1].

    Returns:
        The faithful and the vivid image, float32 [scale·H, scale·W, 3], grey levels.

    Raises:
        DataError: Memory ran out, or the model takes uint8 images only.
    """
    if image.dtype != np.uint8:
        model.require_levels()
    shape = (*(model.scale * side for side in plan.size), 3)
    pair = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for done, tile in enumerate(plan.tiles.tiles(), 1):
        pieces = model.generators(np.ascontiguousarray(_read(image, tile)))
        rows, columns = (
            slice(model.scale * span.write, model.scale * span.write_end) for span in tile
        )
        for whole, piece in zip(pair, pieces, strict=True):
            whole[rows, columns] = _core(piece, tile)
        progress(done / len(plan.tiles))
    return pair


class _Parts(NamedTuple):
    """A model, and what it makes of the tiles of one image, rounded or not.

    Attributes:
        model: The model.
        read: What it takes of a tile.
        serve: What it makes of a tile at once.
        merge: What it makes of pieces of both generators' images, and the quantiles.
        dtype: Of the result.
    """

    model: LoadedModel
    read: Callable[[Tile], Images | Levels]
    serve: Callable[[Tile], NDArray[Any]]
    merge: Callable[[Levels, Levels, Levels], NDArray[Any]]
    dtype: DTypeLike


def _strips(
    parts: _Parts,
    size: tuple[int, ...],
    merge_inputs: Mapping[str, np.ndarray],
    plan: TilePlan,
    scratch_dir: str | os.PathLike[str],
    spare_bytes: int,
) -> Generator[NDArray[Any], None, None]:
    if _needs_the_whole_image(merge_inputs):
        parts.model.require_parts()
        needed = _SCRATCH_BYTES * size[0] * size[1] * parts.model.scale**2
        scratch = Scratch(scratch_dir, needed, memory=spare_bytes)
        cores = _merged_cores(parts, float(merge_inputs["xi"]), plan, scratch)
    else:
        cores = (_core(parts.serve(tile), tile) for tile in _with_progress(plan))
    with contextlib.closing(cores):
        for _ in plan.rows:
            yield np.concatenate([next(cores) for _ in plan.columns], axis=1)


def _needs_the_whole_image(merge_inputs: Mapping[str, np.ndarray]) -> bool:
    # The ends of ξ are the generators' own images, whatever the rest of the image is.
    by_xi = "xi" in merge_inputs and 0 < float(merge_inputs["xi"]) < 1
    return by_xi and not float(merge_inputs.get("max_deviation", np.float32(-1))) >= 0


def _merged_cores(
    parts: _Parts, xi: float, plan: TilePlan, scratch: Scratch
) -> Generator[NDArray[Any], None, None]:
    model = parts.model
    with scratch:
        quantiles: list[StreamingQuantile] = []
        for tile in _with_progress(plan):
            faithful, vivid = (_core(large, tile) for large in model.generators(parts.read(tile)))
            for band in _bands(faithful.shape):
                pair = faithful[band], vivid[band]
                values = model.deviations(*pair)
                quantiles = quantiles or [StreamingQuantile(xi) for _ in values.T]
                for quantile, column in zip(quantiles, values.T, strict=True):
                    quantile.count(column)
                for part in pair:
                    scratch.append(part)
            del faithful, vivid, pair  # before the next tile needs the memory
        for faithful, vivid in _pairs(scratch):
            for quantile, column in zip(
                quantiles, model.deviations(faithful, vivid).T, strict=True
            ):
                quantile.refine(column)
        limits = np.array([quantile.value() for quantile in quantiles], np.float32)
        pairs = _pairs(scratch)
        for tile in plan.tiles():
            merged = np.empty(_core_shape(tile, model.scale), parts.dtype)
            for band in _bands(merged.shape):
                merged[band] = parts.merge(*next(pairs), limits)
            yield merged


def _bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of an image that together are small enough for the processor's cache."""
    height, width = shape[:2]
    rows = max(1, _BAND // width)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _pairs(scratch: Scratch) -> Iterator[tuple[Levels, Levels]]:
    arrays = scratch.read()
    return zip(arrays, arrays, strict=True)


def _core_shape(tile: Tile, scale: int) -> tuple[int, int, int]:
    height, width = (scale * (span.write_end - span.write) for span in tile)
    return height, width, 3


def _with_progress(plan: TilePlan) -> Iterator[Tile]:
    with Progress(len(plan), "tile", leave=False) as progress:
        for tile in plan.tiles():
            yield tile
            progress.update()


def _read(image: NDArray[Any], tile: Tile) -> NDArray[Any]:
    rows, columns = tile
    return image[rows.read : rows.read_end, columns.read : columns.read_end]


def _core(large: NDArray[Any], tile: Tile) -> NDArray[Any]:
    """What a tile writes of what it makes, without its overlap."""
    scale = large.shape[0] // (tile.rows.read_end - tile.rows.read)
    top, bottom, left, right = (
        scale * (end - span.read) for span in tile for end in (span.write, span.write_end)
    )
    return large[top:bottom, left:right]
