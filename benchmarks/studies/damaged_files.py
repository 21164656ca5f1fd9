"""Damages files as disks, networks and attackers do."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

_ABSURD = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 65_500, 2**24)
_HEAD = 200  # bytes in which most formats tell sizes and offsets


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A file with one to four faults.

    Args:
        content: A sound file.
        rng: Chooses them.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        if content:
            content = rng.choice(_FAULTS)(content, rng)
    return content


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _flip(content: bytes, rng: random.Random, most: int | None = None) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(min(len(changed), most or len(changed)))] = rng.randrange(256)
    return bytes(changed)


def _flip_head(content: bytes, rng: random.Random) -> bytes:
    return _flip(content, rng, _HEAD)


def _absurd_number(content: bytes, rng: random.Random) -> bytes:
    """A size, count or offset that cannot be."""
    changed = bytearray(content)
    code, width = rng.choice((("H", 2), ("L", 4)))
    number = rng.choice(_ABSURD) & (256**width - 1)
    at = rng.randrange(max(1, min(len(content), _HEAD) - width))
    changed[at : at + width] = struct.pack(rng.choice("<>") + code, number)
    return bytes(changed)


def _swap(content: bytes, rng: random.Random) -> bytes:
    """Two parts change places, as chunks that come in a wrong order."""
    places = sorted(rng.randrange(len(content) + 1) for _ in range(4))
    a, b, c, d = places
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:b] + content[a:b] * rng.choice((1, 2, 20)) + content[b:]


def _drop(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:a] + content[min(b, a + 300) :]


def _noise(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.randbytes(rng.choice((1, 4, 64, 1000))) + content[at:]


_FAULTS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _flip,
    _flip_head,
    _flip_head,
    _absurd_number,
    _absurd_number,
    _swap,
    _repeat,
    _drop,
    _noise,
)
