"""Writes a PNG file from strips of rows, so that the picture never lies in memory as a whole.

Bands of rows are filtered and compressed side by side, each for itself: a stream of deflate may end
a block at a byte's end anywhere. What a band could repeat of the one before is lost, 32 KiB of its
million bytes.
"""

from __future__ import annotations

import collections
import contextlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8] | NDArray[np.uint16]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray and alpha, RGB, RGBA
_SUB, _UP, _PAETH = 1, 2, 4  # numbers of the filters in the standard
_BAND_BYTES = 1_000_000  # filtered and compressed at a time; bounds the memory of the trials
_MOST_WORKERS = 4
# RFC 1950: deflate with a window of 32 KiB and the usual effort; and RFC 1951's empty last block.
_STREAM_START, _STREAM_END = b"\x78\x9c", b"\x03\x00"


def write_png(
    path: Path | IO[bytes],
    strips: Iterable[Levels],
    height: int,
    width: int,
    level: int = 4,
    *,
    channels: int = 3,
    bits: int = 8,
    chunks: Iterable[tuple[str, bytes]] = (),
) -> None:
    """Writes a picture of 8 or 16 bits a channel.

    Args:
        path: The file, which is overwritten; or one that is open for writing.
        strips: uint8 or uint16 [h, width, channels] each, from the top to the bottom.
        height: Rows of all strips together.
        width: Of the picture, pixels.
        level: zlib's effort, 0 to 9.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        bits: 8 or 16, of a channel.
        chunks: Names and contents of what else the file says, written before the pixels.

    Raises:
        ValueError: A strip is not of this shape and type, or there are more or fewer rows.

    Reference:
        Portable Network Graphics (third edition), https://www.w3.org/TR/png-3/
    """
    with path.open("wb") if isinstance(path, Path) else contextlib.nullcontext(path) as file:
        write_head(file, height, width, channels, bits)
        for name, chunk in chunks:
            write_chunk(file, name.encode(), chunk)
        for piece in compressed_pixels(strips, height, width, level, channels, bits):
            write_chunk(file, b"IDAT", piece)
        write_chunk(file, b"IEND", b"")


def compressed_pixels(
    strips: Iterable[Levels], height: int, width: int, level: int, channels: int, bits: int
) -> Iterator[bytes]:
    """The pixels of a picture, filtered and compressed, in pieces; arguments as of `write_png`."""
    content, checksum = _STREAM_START, zlib.adler32(b"")
    bands = _bands(strips, height, width, channels, bits)
    for filtered, compressed in _compressed(bands, level, channels * bits // 8):
        checksum = zlib.adler32(filtered.data, checksum)
        yield content + compressed
        content = b""
    yield content + _STREAM_END + struct.pack(">I", checksum)


def write_head(file: IO[bytes], height: int, width: int, channels: int, bits: int) -> None:
    """Writes the signature and the chunk IHDR; arguments as of `write_png`."""
    file.write(_SIGNATURE)
    # The standard's only methods, not interlaced.
    kind = _COLOUR_TYPES[channels]
    write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))


def write_chunk(file: IO[bytes], kind: bytes, content: bytes) -> None:
    """Writes one chunk.

    Args:
        file: Open for writing.
        kind: Its name, 4 bytes.
        content: What it holds.
    """
    checksum = zlib.crc32(content, zlib.crc32(kind))
    file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum))


def _compressed(
    bands: Iterable[NDArray[np.uint8]], level: int, pixel_bytes: int
) -> Iterator[tuple[NDArray[np.uint8], bytes]]:
    """Filtered rows and blocks of deflate of each band, in order, a few bands ahead."""

    def work(band: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bytes]:
        filtered = filter_rows(band, pixel_bytes)
        # For residuals: photos within 2 % of zlib's usual way at level 6, in 0.6 of the time.
        compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS, strategy=zlib.Z_FILTERED)
        blocks = compressor.compress(filtered.data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return filtered, blocks

    number = min(os.cpu_count() or 1, _MOST_WORKERS)
    waiting: collections.deque[Future[tuple[NDArray[np.uint8], bytes]]] = collections.deque()
    with ThreadPoolExecutor(number) as workers:
        for band in bands:
            waiting.append(workers.submit(work, band))
            if len(waiting) > 2 * number:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _bands(
    strips: Iterable[Levels], height: int, width: int, channels: int, bits: int
) -> Iterator[NDArray[np.uint8]]:
    """Rows below the row that they are filtered by, uint8 [1 + h, bytes of a row]."""
    row_bytes = width * channels * bits // 8
    rows = max(1, _BAND_BYTES // row_bytes)
    above = np.zeros((1, row_bytes), np.uint8)
    done = 0
    for strip in strips:
        if strip.dtype.itemsize != bits // 8 or strip.shape[1:] != (width, channels):
            wanted = f"{width} wide with {channels} channels of {bits} bits"
            raise ValueError(f"a strip is {strip.dtype} {list(strip.shape)}, not {wanted}")
        done += len(strip)
        if done > height:
            break
        flat = strip.reshape(len(strip), -1)
        for top in range(0, len(flat), rows):
            band = np.concatenate([above, _as_bytes(flat[top : top + rows])])
            yield band
            above = band[-1:]
    if done != height:
        raise ValueError(f"the strips have {done} rows or more, not {height}")


def _as_bytes(rows: Levels) -> NDArray[np.uint8]:
    """The high byte of each level first, as the standard asks."""
    return rows.astype(">u2" if rows.dtype == np.uint16 else np.uint8, copy=False).view(np.uint8)


def filter_rows(band: NDArray[np.uint8], pixel_bytes: int = 3) -> NDArray[np.uint8]:
    """Filters rows, each by what leaves the smallest residuals: Sub, Up or Paeth.

    Args:
        band: uint8 [1 + h, B]: the row above (zeros above the picture), and the rows to filter.
        pixel_bytes: Of all channels of a pixel.

    Returns:
        uint8 [h, 1 + B]: the filter's number, and the residuals modulo 256.
    """
    rows, above = band[1:], band[:-1]
    left, above_left = _shifted(rows, pixel_bytes), _shifted(above, pixel_bytes)
    trials = {
        _SUB: rows - left,
        _UP: rows - above,
        _PAETH: rows - _paeth(left, above, above_left),
    }
    # Residuals count as signed; their sum of magnitudes is the standard's own rule of thumb.
    costs = [np.abs(r.view(np.int8).astype(np.int16)).sum(axis=1) for r in trials.values()]
    choice = np.argmin(costs, axis=0)
    result = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    for index, (number, residuals) in enumerate(trials.items()):
        chosen = choice == index
        result[chosen, 0] = number
        result[chosen, 1:] = residuals[chosen]
    return result


def _shifted(rows: NDArray[np.uint8], pixel_bytes: int) -> NDArray[np.uint8]:
    """The pixels at the left; zeros at the left of the picture."""
    shifted = np.zeros_like(rows)
    shifted[:, pixel_bytes:] = rows[:, :-pixel_bytes]
    return shifted


def _paeth(
    left: NDArray[np.uint8], above: NDArray[np.uint8], above_left: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Whichever neighbour is nearest to left + above - above_left; ties in this order."""
    a, b, c = (neighbour.astype(np.int16) for neighbour in (left, above, above_left))
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    use_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(use_left, left, np.where(to_above <= to_corner, above, above_left))
