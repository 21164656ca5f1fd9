"""Animated PNG files, frame by frame, with 8 or 16 bits a channel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sr_images.attributes.png_chunks import chunks_of
from sr_images.encoders.with_pillow import duration_of
from sr_images.picture import WHITE, Attributes, Picture
from sr_images.png_stream import compressed_pixels, write_chunk, write_head

_LEVEL = 4  # zlib's effort


def encode(file: IO[bytes], frames: Iterator[Picture], count: int, loop: int | None) -> None:
    """Writes an animation; each frame is whole, with alpha, and replaces the one before.

    Args:
        file: Open for writing.
        frames: uint8 or uint16, all of one size; the first one's attributes are the file's.
        count: Of the frames.
        loop: How often it is shown, 0 for ever; None is once.

    Raises:
        ValueError: A frame has another size or depth than the first.

    Reference:
        Portable Network Graphics (third edition), https://www.w3.org/TR/png-3/
    """
    sequence = 0
    for number, frame in enumerate(frames):
        samples = _with_alpha(frame)
        height, width, channels = samples.shape
        bits = 8 * samples.dtype.itemsize
        if number == 0:
            write_head(file, height, width, channels, bits)
            write_chunk(file, b"acTL", struct.pack(">II", count, 1 if loop is None else loop))
            for kind, chunk in chunks_of(frame.attributes):
                write_chunk(file, kind.encode(), chunk)
            first = samples.shape, samples.dtype
        if (samples.shape, samples.dtype) != first:
            raise ValueError(f"frame {number} is {samples.dtype} {list(samples.shape)}")
        write_chunk(file, b"fcTL", _control(sequence, height, width, frame.attributes))
        sequence += 1
        for piece in compressed_pixels([samples], height, width, _LEVEL, channels, bits):
            if number == 0:
                write_chunk(file, b"IDAT", piece)
            else:
                write_chunk(file, b"fdAT", struct.pack(">I", sequence) + piece)
                sequence += 1
    write_chunk(file, b"IEND", b"")


def _control(sequence: int, height: int, width: int, attributes: Attributes) -> bytes:
    """The chunk fcTL: nothing is disposed of, and the frame overwrites what was."""
    delay = Fraction(duration_of(attributes), 1000)
    if delay.numerator > 65535:
        delay = Fraction(65535, 1)
    return struct.pack(
        ">IIIIIHHBB", sequence, width, height, 0, 0, delay.numerator, delay.denominator, 0, 0
    )


def _with_alpha(frame: Picture) -> NDArray[Any]:
    """[H, W, 4], so that all frames are alike."""
    pixels = frame.pixels if not frame.is_gray else np.repeat(frame.pixels, 3, axis=2)
    alpha = frame.alpha
    if alpha is None:
        alpha = np.full(frame.size, WHITE[pixels.dtype.name], pixels.dtype)
    return np.concatenate([pixels, alpha[:, :, None]], axis=2)
