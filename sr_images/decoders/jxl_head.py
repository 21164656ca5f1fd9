"""What the head of a JPEG XL file says before anything is decoded: size and depth.

Reference:
    ISO/IEC 18181-1, size header and image metadata; ISO/IEC 18181-2, boxes.
"""

from __future__ import annotations

import dataclasses

_START = b"\xff\x0a"
_LENGTH = 256  # bytes in which all this is told
_RATIOS = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))

# Numbers have one of four forms, which two bits choose: bits that are read, and what is added.
_Forms = tuple[tuple[int, int], ...]
_SIDE: _Forms = ((9, 1), (13, 1), (18, 1), (30, 1))
_PREVIEW_BY_8: _Forms = ((0, 16), (0, 32), (5, 1), (9, 33))
_PREVIEW_SIDE: _Forms = ((6, 1), (8, 65), (10, 321), (12, 1345))
_TICKS: _Forms = ((0, 100), (0, 1000), (10, 1), (30, 1))
_TICK_PARTS: _Forms = ((0, 1), (0, 1001), (8, 1), (10, 1))
_LOOPS: _Forms = ((0, 0), (3, 0), (16, 0), (32, 0))
_WHOLE_BITS: _Forms = ((0, 8), (0, 10), (0, 12), (6, 1))
_FLOAT_BITS: _Forms = ((0, 32), (0, 16), (0, 24), (6, 1))


@dataclasses.dataclass(frozen=True)
class JxlHead:
    """What the head says.

    Attributes:
        height: Pixels as stored, before the orientation.
        width: Pixels.
        bits: Of a colour's sample.
        is_float: Whether samples are floating-point.
    """

    height: int
    width: int
    bits: int
    is_float: bool


def head_of(content: bytes) -> JxlHead:
    """Reads the head of a file.

    Raises:
        ValueError: There is none.
    """
    start = _codestream(content)
    if not start.startswith(_START):
        raise ValueError("no codestream")
    bits = _Bits(start[len(_START) :])
    height, width = _size(bits)
    if bits.take(1):  # all as by default
        return JxlHead(height, width, 8, False)
    if bits.take(1):
        _skip_extra_fields(bits)
    is_float = bool(bits.take(1))
    depth = bits.number(_FLOAT_BITS if is_float else _WHOLE_BITS)
    return JxlHead(height, width, depth, is_float)


def _codestream(content: bytes) -> bytes:
    """Its beginning, which may be cut into several boxes."""
    if content.startswith(_START):
        return content[:_LENGTH]
    start, at = b"", 0
    while at + 8 <= len(content) and len(start) < _LENGTH:
        length, kind, body = (
            int.from_bytes(content[at : at + 4], "big"),
            content[at + 4 : at + 8],
            8,
        )
        if length == 1:
            length, body = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        end = at + length if length else len(content)
        if end < at + body:
            raise ValueError("a box of no length")
        if kind in (b"jxlc", b"jxlp"):
            first = at + body + (4 if kind == b"jxlp" else 0)  # behind the number of the part
            start += content[first : min(end, first + _LENGTH)]
        at = end
    return start[:_LENGTH]


def _size(bits: _Bits) -> tuple[int, int]:
    by_8 = bits.take(1)
    height = 8 * (bits.take(5) + 1) if by_8 else bits.number(_SIDE)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio]
        return height, height * across // down
    return height, 8 * (bits.take(5) + 1) if by_8 else bits.number(_SIDE)


def _skip_extra_fields(bits: _Bits) -> None:
    """Orientation, the size to be shown in, the preview's size, and how an animation is timed."""
    bits.take(3)
    if bits.take(1):
        _size(bits)
    if bits.take(1):
        forms = _PREVIEW_BY_8 if bits.take(1) else _PREVIEW_SIDE
        bits.number(forms)
        if not bits.take(3):
            bits.number(forms)
    if bits.take(1):
        for forms in (_TICKS, _TICK_PARTS, _LOOPS):
            bits.number(forms)
        bits.take(1)


class _Bits:
    """Reads numbers from bytes, the lowest bit first."""

    def __init__(self, content: bytes) -> None:
        self._bits, self._left = int.from_bytes(content, "little"), 8 * len(content)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the file is truncated")
        value = self._bits & (2**count - 1)
        self._bits >>= count
        return value

    def number(self, forms: _Forms) -> int:
        count, added = forms[self.take(2)]
        return self.take(count) + added
