"""How a photo is cut into tiles of one size, in whole numbers alone.

A tile reads more than it writes: `overlap` LR pixels at each side, for the pixels that the network
looks at beyond its own. At the photo's edges a tile reads up to the edge and no further, so that
the network meets the same border there as in the whole photo; the last tile of a row is shifted
inwards to have the size of the others.

    photo   |===============================|
    reads   |------------|
                    |------------|
                           |------------|        (shifted)
    writes  |==========|=========|==========|
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# Tiles that write less at a time than this are nearly all overlap.
SMALLEST_CORE = 32


class Span(NamedTuple):
    """A tile along one axis, in LR pixels; the ends are exclusive."""

    read: int
    read_end: int
    write: int
    write_end: int


class Tile(NamedTuple):
    """A tile: its rows and its columns."""

    rows: Span
    columns: Span


class TilePlan(NamedTuple):
    """All tiles of a photo.

    Attributes:
        rows: The rows of tiles, from the top; all read equally many rows of pixels.
        columns: The columns of tiles, from the left; all read equally many columns of pixels.
    """

    rows: list[Span]
    columns: list[Span]

    def __len__(self) -> int:
        """The number of tiles."""
        return len(self.rows) * len(self.columns)

    def tiles(self) -> Iterator[Tile]:
        """The tiles, row by row."""
        for rows in self.rows:
            for columns in self.columns:
                yield Tile(rows, columns)

    @property
    def tile_pixels(self) -> int:
        """LR pixels that one tile reads."""
        height, width = (axis[0].read_end - axis[0].read for axis in (self.rows, self.columns))
        return height * width


def plan_tiles(height: int, width: int, max_pixels: int, overlap: int) -> TilePlan | None:
    """Cuts a photo into tiles, so that the fewest pixels are computed.

    Args:
        height: Of the photo, LR pixels.
        width: Likewise.
        max_pixels: What a tile may read at most.
        overlap: LR pixels ≥ 0 that a tile reads at each side beyond what it writes, where the photo
            does not end before.

    Returns:
        The plan; a single tile if the photo has no more than `max_pixels`. None if `max_pixels` is
        too little for any: tiles write at least 32 pixels in each direction.
    """
    best: tuple[int, int, int] | None = None
    for across in range(1, _most(width, overlap) + 1):
        tile_width = _tile_length(width, across, overlap)
        if _fewest(width, tile_width, overlap) != across:
            continue  # fewer tiles of this width do
        down = _fewest(height, max_pixels // tile_width, overlap)
        if down is None:
            continue
        tile_height = _tile_length(height, down, overlap)
        cost = across * tile_width * down * tile_height
        if best is None or (cost, across * down) < (best[0], best[1] * best[2]):
            best = cost, down, across
    if best is None:
        return None
    _, down, across = best
    return TilePlan(_spans(height, down, overlap), _spans(width, across, overlap))


def smallest_tile(height: int, width: int, overlap: int) -> int:
    """The least `max_pixels` for which there is a plan.

    Args:
        height: Of the photo, LR pixels.
        width: Likewise.
        overlap: As for `plan_tiles`.

    Returns:
        LR pixels.
    """
    sides = (_tile_length(n, _most(n, overlap), overlap) for n in (height, width))
    return next(sides) * next(sides)


def _most(length: int, overlap: int) -> int:
    """The most tiles along an axis."""
    return max(1, (length - 2 * overlap) // SMALLEST_CORE)


def _fewest(length: int, longest: int, overlap: int) -> int | None:
    """The fewest tiles along an axis that are no longer than `longest`; None if there are none."""
    if length <= longest:
        return 1
    core = longest - 2 * overlap
    if core < SMALLEST_CORE:
        return None
    count = -(-(length - 2 * overlap) // core)
    return count if count <= _most(length, overlap) else None


def _tile_length(length: int, count: int, overlap: int) -> int:
    if count == 1:
        return length
    # The first and the last tile have the photo's edge on one side, and no overlap there.
    return -(-(length - 2 * overlap) // count) + 2 * overlap


def _spans(length: int, count: int, overlap: int) -> list[Span]:
    size = _tile_length(length, count, overlap)
    spans, write = [], 0
    for index in range(count):
        read = min(index * (size - 2 * overlap), length - size)
        write_end = length if index == count - 1 else read + size - overlap
        spans.append(Span(read, read + size, write, write_end))
        write = write_end
    return spans
