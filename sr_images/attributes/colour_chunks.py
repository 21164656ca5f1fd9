"""The colours that a PNG's chunks cICP, gAMA and cHRM name, as an ICC profile for other formats."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from sr_images.attributes.matrix_profiles import Curve, gray_profile, rgb_profile

_D65 = (0.3127, 0.3290)
_SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_SRGB_GAMMA = 0.45455
# Numbers of ITU-T H.273, which cICP has; all primaries have the white D65.
_PRIMARIES = {
    1: _SRGB,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_BT709_CURVE = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES: dict[int, Curve] = {
    1: _BT709_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _BT709_CURVE,
    8: (1.0,),
    13: _SRGB_CURVE,
    14: _BT709_CURVE,
    15: _BT709_CURVE,
}
_CLOSE = 0.002  # as rounded numbers of sRGB are
_LEAST_GAMMA = 0.01  # what is less, or as far above 1, is taken for damaged


def profile_of(chunks: Mapping[str, bytes], *, is_gray: bool) -> bytes | None:
    """The profile of such colours; None if they are sRGB, or none that a profile can tell.

    Args:
        chunks: By name.
        is_gray: The pixels are gray.
    """
    try:
        told = _told(chunks)
        if told is None:
            return None
        white, primaries, curve = told
        if not is_gray:
            return rgb_profile(white, primaries, curve)
        return None if curve == _SRGB_CURVE else gray_profile(curve)
    except (ValueError, KeyError, struct.error):
        return None


def is_beyond_profiles(chunks: Mapping[str, bytes]) -> bool:
    """Whether cICP names colours that no profile is made for: PQ, HLG and rare ones."""
    if "cICP" not in chunks:
        return False
    try:
        _of_numbers(chunks["cICP"])
    except (KeyError, ValueError, struct.error):
        return True
    return False


def _told(
    chunks: Mapping[str, bytes],
) -> tuple[tuple[float, ...], tuple[float, ...], Curve] | None:
    """White, primaries and curve; None for sRGB. The standard: cICP goes first, then sRGB."""
    if "cICP" in chunks:
        primaries, curve = _of_numbers(chunks["cICP"])
        return None if (primaries, curve) == (_SRGB, _SRGB_CURVE) else (_D65, primaries, curve)
    if "sRGB" in chunks or not chunks.keys() & {"gAMA", "cHRM"}:
        return None
    gamma, colours = _gamma(chunks), (*_D65, *_SRGB)
    if "cHRM" in chunks:
        colours = tuple(value / 100_000 for value in struct.unpack(">8L", chunks["cHRM"]))
    is_near = _are_close(colours, (*_D65, *_SRGB))
    if is_near and (gamma is None or abs(gamma - _SRGB_GAMMA) < _CLOSE):
        return None
    # As browsers have it: without gAMA the curve is that of sRGB.
    return colours[:2], colours[2:], _SRGB_CURVE if gamma is None else (1 / gamma,)


def _gamma(chunks: Mapping[str, bytes]) -> float | None:
    if "gAMA" not in chunks:
        return None
    (value,) = struct.unpack(">L", chunks["gAMA"])
    if not _LEAST_GAMMA <= value / 100_000 <= 1 / _LEAST_GAMMA:
        raise ValueError("damaged gAMA")
    return value / 100_000


def _of_numbers(chunk: bytes) -> tuple[tuple[float, ...], Curve]:
    primaries, transfer, matrix, full_range = struct.unpack(">4B", chunk)
    if matrix or not full_range:
        raise ValueError("no RGB of the full range")
    return _PRIMARIES[primaries], _CURVES[transfer]


def _are_close(some: tuple[float, ...], others: tuple[float, ...]) -> bool:
    return all(abs(one - other) < _CLOSE for one, other in zip(some, others, strict=True))
