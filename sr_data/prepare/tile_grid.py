"""How a photo is cut into tiles, in whole numbers alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle of LR pixels; `bottom` and `right` are the first row and column outside of it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class TileGrid:
    """Square tiles without gap or overlap, numbered row by row.

    Tiles at the right and at the bottom may be smaller. All lengths are in LR pixels, so that in HR
    pixels they are multiples of the scale.

    Attributes:
        height: of the photo's LR image.
        width: of the photo's LR image.
        side: of a whole tile.
    """

    height: int
    width: int
    side: int

    @property
    def rows(self) -> int:
        """Number of tiles down."""
        return -(-self.height // self.side)

    @property
    def columns(self) -> int:
        """Number of tiles across."""
        return -(-self.width // self.side)

    def __len__(self) -> int:
        """Number of tiles."""
        return self.rows * self.columns

    def box(self, tile: int) -> Box:
        """Where a tile lies, 0 <= tile < len(self)."""
        row, column = divmod(tile, self.columns)
        top, left = row * self.side, column * self.side
        bottom, right = min(top + self.side, self.height), min(left + self.side, self.width)
        return Box(top, left, bottom, right)

    def boxes(self) -> list[Box]:
        """Where the tiles lie, in order."""
        return [self.box(tile) for tile in range(len(self))]

    def touched_by(self, box: Box) -> Iterator[int]:
        """The tiles that have pixels in a rectangle, in order."""
        for row in range(box.top // self.side, (box.bottom - 1) // self.side + 1):
            for column in range(box.left // self.side, (box.right - 1) // self.side + 1):
                yield row * self.columns + column
