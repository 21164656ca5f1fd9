"""One image of any size, enlarged in tiles by loops of the graph, as if it were enlarged whole.

ξ is a quantile over the whole image. Hence three loops: the tiles go through the generators, what
both make of them is kept and the deviations are counted; a second reading finds the quantile; then
each tile is merged and forgotten.

Memory: what the generators take for one tile, and for what is kept (two images of 4x the size) 288
bytes an LR pixel, or 192 in large images whose results are rounded: then 16 bits a value have to
do. A pair runs one after the other, so that it does not add up.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from bigans.serving.graph.counted_quantile import (
    LOWER_BINS,
    UPPER_BINS,
    bin_of,
    lower_counts,
    upper_counts,
    value_of,
)
from bigans.serving.graph.kept_pieces import KeptPieces
from bigans.serving.graph.spans import Axis, Span, cut, most_written, span
from fusion.fuse import Fused, fuse
from fusion.modes import Delta, Threshold
from fusion.parts import deviations

# uint8 [1, h, w, 3] → faithful and vivid, float32 [1, s·h, s·w, 3], grey levels.
Generators = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

_while = functools.partial(tf.while_loop, parallel_iterations=1)


class Outputs(NamedTuple):
    """What a signature gives.

    Attributes:
        make: faithful, vivid, and their merge, of one tile → what is given, each [h, w, C].
        dtypes: Of what is given.
        channels: C of each.
        in_whole_levels: Whether all of it is rounded. A bound on the deviation counts in whole grey
            levels then.
    """

    make: Callable[[tf.Tensor, tf.Tensor, Fused], Sequence[tf.Tensor]]
    dtypes: Sequence[tf.DType]
    channels: Sequence[int]
    in_whole_levels: bool = False


class Kept(NamedTuple):
    """What the generators made of an image, tile by tile, without the overlaps.

    Attributes:
        pieces: How they are kept, row by row.
        room: Where.
        counts: Of the deviations, see `counted_quantile.upper_counts`.
        rows: The rows of tiles.
        columns: The columns.
    """

    pieces: KeptPieces
    room: tf.Tensor
    counts: tf.Tensor
    rows: Axis
    columns: Axis


class Enlarging:
    """Two generators, and how their images are merged."""

    def __init__(
        self,
        generators: Generators,
        *,
        scale: int,
        threshold: Threshold,
        delta: Delta,
        tile: int,
        overlap: int,
        exact_pixels: int,
    ) -> None:
        """Takes what was loaded.

        Args:
            generators: Both.
            scale: How many times larger their images are.
            threshold: See `fusion.fuse.fuse`.
            delta: Likewise.
            tile: Side of a tile, LR pixels, its overlap included.
            overlap: What a tile reads at each side beyond what it writes, LR pixels.
            exact_pixels: LR pixels of an image up to which all is kept as exact as float32. In a
                larger one, if it is rounded in the end, values are kept within 0.002 grey levels.
        """
        self._generators = generators
        self._scale = scale
        self._modes: Any = {"threshold": threshold, "delta": delta}
        self._threshold: Threshold = threshold
        self._tile = tile
        self._overlap = overlap
        self._exact_pixels = exact_pixels
        self._quantiles = 3 if threshold == "per_channel" else 1
        # One copy of the networks for all signatures: each more would cost its first call seconds.
        self._run_generators = tf.function(
            self._generate,
            input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([], tf.int32)],
            autograph=False,
            experimental_attributes={"_noinline": True},
        )

    def enlarge(
        self,
        image: tf.Tensor,
        xi: tf.Tensor,
        max_deviation: tf.Tensor,
        outputs: Outputs,
    ) -> list[tf.Tensor]:
        """Enlarges one image.

        Args:
            image: uint8 [H, W, 3], of at least one pixel.
            xi: ξ in [0, 1], float32 scalar.
            max_deviation: Grey levels, float32 scalar; < 0: ξ is used.
            outputs: What is wanted.

        Returns:
            The same of the whole image, each [s·H, s·W, C].
        """
        rows, columns = self._cut(image)
        is_large = rows.length * columns.length > self._exact_pixels
        value_bytes = tf.where(is_large & outputs.in_whole_levels, 2, 3)
        pieces = self._pieces(rows, columns, value_bytes)
        room, counts = self._run_generators(image, value_bytes)
        kept = Kept(pieces, room, counts, rows, columns)
        limits = self._limits(kept, xi)
        if outputs.in_whole_levels:
            max_deviation = tf.floor(max_deviation)  # below 0 stays below 0
        return self._merge(kept, limits, xi, max_deviation, outputs)

    def _cut(self, image: tf.Tensor) -> tuple[Axis, Axis]:
        rows, columns = (cut(tf.shape(image)[i], self._tile, self._overlap) for i in (0, 1))
        return rows, columns

    def _generate(self, image: tf.Tensor, value_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows, columns = self._cut(image)
        pieces = self._pieces(rows, columns, value_bytes)

        def body(index, room, counts):
            down, across = _spans(rows, columns, index)
            tile = tf.slice(image, [down.read, across.read, 0], [rows.size, columns.size, 3])
            pair = [large[0] for large in self._generators(tile[None])]
            start = self._scale * tf.stack([down.write - down.read, across.write - across.read, 0])
            size = [*self._size(down, across), 3]
            inner = (tf.slice(large, start, size) for large in pair)
            # Both readings have to see the same values.
            first, second = map(pieces.kept_levels, inner)
            counts += upper_counts(self._deviations(first, second))
            return index + 1, pieces.put(room, index, first, second), counts

        count = rows.count * columns.count
        counts = tf.zeros([self._quantiles, UPPER_BINS], tf.int32)
        state = (tf.constant(0), pieces.room(count), counts)
        return _while(lambda index, *_: index < count, body, state)[1:]

    def _pieces(self, rows: Axis, columns: Axis, value_bytes: tf.Tensor) -> KeptPieces:
        high, wide = (self._scale * most_written(one) for one in (rows, columns))
        return KeptPieces(high, wide, value_bytes)

    def _size(self, down: Span, across: Span) -> tuple[tf.Tensor, tf.Tensor]:
        """Of what a tile writes, pixels of the result."""
        high, wide = (self._scale * (one.write_end - one.write) for one in (down, across))
        return high, wide

    def _kept_tile(self, kept: Kept, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        size = self._size(*_spans(kept.rows, kept.columns, index))
        return kept.pieces.get(kept.room, index, *size)

    def _deviations(self, faithful: tf.Tensor, vivid: tf.Tensor) -> tf.Tensor:
        return deviations(faithful[None], vivid[None], self._threshold)[0]

    def _limits(self, kept: Kept, xi: tf.Tensor) -> tf.Tensor:
        chosen = bin_of(kept.counts, xi)

        def body(index, counts, above):
            values = self._deviations(*self._kept_tile(kept, index))
            more, least = lower_counts(values, chosen)
            return index + 1, counts + more, tf.minimum(above, least)

        count = kept.rows.count * kept.columns.count
        state = (
            tf.constant(0),
            tf.zeros([self._quantiles, LOWER_BINS], tf.int32),
            tf.fill([self._quantiles], tf.int32.max),
        )
        _, counts, above = _while(lambda index, *_: index < count, body, state)
        return value_of(counts, above, chosen, xi)

    def _merge(
        self,
        kept: Kept,
        limits: tf.Tensor,
        xi: tf.Tensor,
        max_deviation: tf.Tensor,
        outputs: Outputs,
    ) -> list[tf.Tensor]:
        rows, columns = kept.rows, kept.columns
        shapes = [(None, None, count) for count in outputs.channels]
        height = self._scale * rows.length
        width = self._scale * columns.length
        empty = [
            tf.zeros([height, 0, count], dtype)
            for dtype, count in zip(outputs.dtypes, outputs.channels, strict=True)
        ]
        strips = [
            tf.TensorArray(dtype, rows.count, element_shape=shape, infer_shape=False)
            for dtype, shape in zip(outputs.dtypes, shapes, strict=True)
        ]

        def row(index, room, strips):
            left = kept._replace(room=room)

            def tile(column, strip):
                first, second = self._kept_tile(left, index * columns.count + column)
                fused = self._fuse(first, second, limits, xi, max_deviation)
                made = outputs.make(first, second, fused)
                joined = [tf.concat(pair, axis=1) for pair in zip(strip, made, strict=True)]
                return column + 1, joined

            down = span(rows, index)
            high = self._scale * (down.write_end - down.write)
            _, strip = _while(
                lambda column, _: column < columns.count,
                tile,
                (tf.constant(0), [one[:high] for one in empty]),
                shape_invariants=(tf.TensorShape([]), [tf.TensorShape(shape) for shape in shapes]),
            )
            strips = [one.write(index, made) for one, made in zip(strips, strip, strict=True)]
            with tf.control_dependencies(strip):
                room = KeptPieces.give_up(room, tf.equal(index + 1, rows.count))
            with tf.control_dependencies([room]):  # before the strips are joined
                return index + 1, room, strips

        state = (tf.constant(0), kept.room, strips)
        *_, strips = _while(lambda index, *_: index < rows.count, row, state)
        return [
            tf.reshape(one.concat(), [height, width, count])
            for one, count in zip(strips, outputs.channels, strict=True)
        ]

    def _fuse(
        self,
        faithful: tf.Tensor,
        vivid: tf.Tensor,
        limits: tf.Tensor,
        xi: tf.Tensor,
        max_deviation: tf.Tensor,
    ) -> Fused:
        """`fusion.fuse.fuse` of one tile, with the whole image's quantiles."""
        known = iter(tf.unstack(limits, num=self._quantiles))
        bound = None if self._modes["delta"] == "as_printed" else max_deviation
        both = fuse(
            faithful[None],
            vivid[None],
            xi,
            bound,
            quantile=lambda values, xi: next(known)[None],
            **self._modes,
        )
        return Fused(both.sr[0], both.unrounded[0])


def _spans(rows: Axis, columns: Axis, index: tf.Tensor) -> tuple[Span, Span]:
    row, column = index // columns.count, tf.math.floormod(index, columns.count)
    return span(rows, row), span(columns, column)
