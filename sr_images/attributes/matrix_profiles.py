"""ICC profiles of primaries and a curve, the same bytes at any time.

LittleCMS would write the hour into them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Curve = tuple[float, ...]

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_DATE = (2000, 1, 1, 0, 0, 0)
_HEAD = 128  # bytes


def gray_profile(curve: Curve) -> bytes:
    """The profile of gray levels.

    Args:
        curve: As of `rgb_profile`.
    """
    return _profile(b"GRAY", {b"wtpt": _xyz(_D50), b"kTRC": _parametric(curve)})


def rgb_profile(white: Sequence[float], primaries: Sequence[float], curve: Curve) -> bytes:
    """The profile of RGB.

    Args:
        white: x and y.
        primaries: x and y of red, of green, and of blue.
        curve: (g,) is V**g; (g, a, b, c, d) is (a V + b)**g, and c V below d.

    Raises:
        ValueError: There are no such colours.

    Reference:
        Specification ICC.1:2022, https://www.color.org/specification/ICC.1-2022-05.pdf
    """
    columns = np.stack([_xyz_of(*primaries[at : at + 2]) for at in (0, 2, 4)], axis=1)
    light = _xyz_of(*white)
    try:
        columns = columns * np.linalg.solve(columns, light)
    except np.linalg.LinAlgError:
        raise ValueError("the primaries lie on one line") from None
    adapted = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ light))
    to_d50 = np.linalg.solve(_BRADFORD, adapted @ _BRADFORD)
    columns = to_d50 @ columns
    if not np.abs(columns).max() < 100:
        raise ValueError("there are no such colours")
    tags = {b"wtpt": _xyz(_D50), b"chad": b"sf32\0\0\0\0" + _fixed(to_d50.ravel().tolist())}
    for number, name in enumerate((b"r", b"g", b"b")):
        tags |= {name + b"XYZ": _xyz(columns[:, number]), name + b"TRC": _parametric(curve)}
    return _profile(b"RGB ", tags)


def _xyz_of(x: float, y: float) -> NDArray[np.float64]:
    if not y > 0:
        raise ValueError(f"there is no colour of y = {y:g}")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(colour: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(colour)


def _parametric(curve: Curve) -> bytes:
    kind = {1: 0, 5: 3}[len(curve)]
    return b"para" + struct.pack(">LHH", 0, kind, 0) + _fixed(curve)


def _fixed(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    return struct.pack(f">{len(values)}l", *(round(value * 65536) for value in values))


def _text(text: str) -> bytes:
    head = struct.pack(">LLL2s2sLL", 0, 1, 12, b"en", b"US", 2 * len(text), 28)
    content = b"mluc" + head + text.encode("utf-16-be")
    return content + bytes(-len(content) % 4)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text("Colours of a PNG"), b"cprt": _text("No copyright"), **tags}
    table, body = struct.pack(">L", len(tags)), b""
    start = _HEAD + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">LL", start + len(body), len(content))
        body += content
    size = start + len(body)
    head = struct.pack(">L4sL4s4s4s", size, b"", 0x04300000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", *_DATE, b"acsp") + bytes(28) + _fixed(_D50)
    return head.ljust(_HEAD, b"\0") + table + body
