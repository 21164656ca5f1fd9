"""The merge of two reconstructions in NumPy: `fuse` and `fusion.parts` without TensorFlow.

The same definitions, operation by operation in float32, so that the values agree with those of the
graph to rounding errors; for runtimes that compute the generators alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.modes import Delta, Threshold
from sr_images.luma import LUMA_WEIGHTS
from sr_images.rounding import grey_levels
from sr_program.contract import USE_XI

Levels = NDArray[np.float32]


def fuse(
    faithful: Levels,
    vivid: Levels,
    xi: float,
    max_deviation: float = USE_XI,
    *,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> NDArray[np.uint8]:
    """Merges two reconstructions of one image; see `fusion.fuse.fuse`.

    Args:
        faithful: I_g, float32 grey levels in [0, 255], [H, W, 3], not rounded.
        vivid: I_G, likewise.
        xi: ξ in [0, 1], rounded to float32.
        max_deviation: Grey levels; < 0 or NaN leaves the choice to ξ. Only with "as_read".
        threshold: As there.
        delta: As there.

    Returns:
        uint8 [H, W, 3], halves rounded up.
    """
    modes: Any = {"threshold": threshold, "delta": delta}
    merged = grey_levels(fuse_unrounded(faithful, vivid, xi, max_deviation, **modes), np)
    if max_deviation >= 0:
        # I_g ± t holds the bound for real numbers and whole t only, see fuse._within.
        whole, centre = np.floor(np.float32(max_deviation)), grey_levels(faithful, np)
        merged = np.clip(merged, centre - whole, centre + whole)
    return merged.astype(np.uint8)


def fuse_unrounded(
    faithful: Levels,
    vivid: Levels,
    xi: float,
    max_deviation: float = USE_XI,
    *,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> Levels:
    """As `fuse`, but before the rounding.

    Returns:
        float32 [H, W, 3], grey levels in [0, 255]; no further than `max_deviation` from `faithful`,
        but for the rounding of float32.
    """
    if max_deviation >= 0:
        bound = np.float32(max_deviation)
        if threshold == "luma":
            # The bound has to hold in every channel, not for the luma only.
            largest = np.abs(vivid - faithful).max(axis=-1, keepdims=True)
            return _together(faithful, vivid, bound, largest)
        return _separately(faithful, vivid, bound)
    columns = deviations(faithful, vivid, threshold).T
    limits = np.array([quantile(column, xi) for column in columns], np.float32)
    if threshold == "luma" and np.float32(xi) >= 1:
        limits[:] = np.inf  # I_G also where colours differ and no luma does
    return merge_at_unrounded(faithful, vivid, limits, threshold, delta)


def deviations(faithful: Levels, vivid: Levels, threshold: Threshold = "joint") -> Levels:
    """What ξ is a quantile of; see `fusion.parts.deviations`.

    Args:
        faithful: I_g, float32 grey levels, [H, W, 3], not rounded.
        vivid: I_G, likewise.
        threshold: As there.

    Returns:
        float32 [K, Q], grey levels ≥ 0: Q quantiles are taken, each over K values.
    """
    if threshold == "luma":
        return _luma_change(faithful, vivid).reshape(-1, 1)
    return np.abs(vivid - faithful).reshape(-1, 3 if threshold == "per_channel" else 1)


def merge_at(
    faithful: Levels,
    vivid: Levels,
    limits: Levels,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> NDArray[np.uint8]:
    """Merges at thresholds that are known; see `fusion.parts.merge_at`.

    Args:
        faithful: I_g, float32 grey levels, [H, W, 3], not rounded.
        vivid: I_G, likewise.
        limits: The quantiles of `deviations`, float32 [Q], in grey levels.
        threshold: As there.
        delta: As there.

    Returns:
        I_e as uint8 [H, W, 3], halves rounded up.
    """
    merged = merge_at_unrounded(faithful, vivid, limits, threshold, delta)
    return grey_levels(merged, np).astype(np.uint8)


def merge_at_unrounded(
    faithful: Levels,
    vivid: Levels,
    limits: Levels,
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> Levels:
    """As `merge_at`, but float32 grey levels in [0, 255], not rounded."""
    if threshold == "luma":
        merged = _together(faithful, vivid, limits, _luma_change(faithful, vivid))
    else:
        merged = _separately(faithful, vivid, limits)
    if delta == "as_printed":
        merged = np.clip(vivid + (vivid - merged), np.float32(0), np.float32(255))
    return np.asarray(merged, np.float32)


def quantile(values: Levels, xi: float) -> np.float32:
    """Linear between order statistics, with Q(0) := 0; see `fusion.quantile.quantile`.

    Args:
        values: float32 [K], K ≥ 1, each ≥ 0 and not NaN.
        xi: Rounded to float32 and clipped to [0, 1]; NaN counts as 0.

    Returns:
        0 where ξ ≤ 0, exactly the maximum where ξ ≥ 1.
    """
    share = float(np.float32(xi))
    if not share > 0:
        return np.float32(0)
    if share >= 1:
        return values.max()
    position = share * (len(values) - 1)
    rank = int(position)
    following = min(rank + 1, len(values) - 1)
    ordered = np.partition(values, (rank, following))
    low, high = float(ordered[rank]), float(ordered[following])
    return np.float32(low + (high - low) * (position - rank))


def _separately(faithful: Levels, vivid: Levels, limit: Levels | np.float32) -> Levels:
    """`fusion.soft_threshold.soft_threshold`."""
    largest = np.abs(vivid - faithful).max(axis=(0, 1) if np.size(limit) == 3 else None)
    bound = np.where(limit >= largest, np.float32(np.inf), limit)
    return np.clip(vivid, faithful - bound, faithful + bound)


def _together(
    faithful: Levels, vivid: Levels, limit: Levels | np.float32, measure: Levels
) -> Levels:
    """`fusion.soft_threshold.soft_threshold_together`."""
    whole = (measure <= limit) & (limit > 0)
    fraction = np.divide(limit, measure, out=np.zeros_like(measure), where=~whole & (measure > 0))
    return np.where(whole, vivid, faithful + (vivid - faithful) * fraction)


def _luma_change(faithful: Levels, vivid: Levels) -> Levels:
    weighted = (vivid - faithful) * np.array(LUMA_WEIGHTS, np.float32)
    return np.abs(weighted.sum(axis=-1, keepdims=True))
