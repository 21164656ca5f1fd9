"""The page's merge is that of `fusion.numpy_merge`, value by value."""

from typing import Any

import numpy as np
import pytest

from bigans.demo.quick_merge import merged_at, merged_within
from fusion import numpy_merge
from sr_program.model_facts import ModelFacts


def pair(seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of grey levels, more rows than a band has, and all the way to black and white."""
    random = np.random.default_rng(seed)
    faithful = random.uniform(0, 255, (150, 210, 3)).astype(np.float32)
    vivid = np.clip(faithful + random.normal(0, 20, faithful.shape), 0, 255).astype(np.float32)
    return faithful, vivid


@pytest.mark.parametrize("threshold", ["joint", "per_channel", "luma"])
@pytest.mark.parametrize("delta", ["as_read", "as_printed"])
@pytest.mark.parametrize("limit", [0.0, 0.37, 6.25, 254.0])
def test_at_a_threshold(threshold: Any, delta: Any, limit: float) -> None:
    limits = np.full(3 if threshold == "per_channel" else 1, limit, np.float32)
    facts = ModelFacts(scale=4, threshold=threshold, delta=delta)
    expected = numpy_merge.merge_at(*pair(), limits, threshold, delta)
    np.testing.assert_array_equal(merged_at(*pair(), limits, facts), expected)


@pytest.mark.parametrize("threshold", ["joint", "luma"])
@pytest.mark.parametrize("levels", [0, 1, 8, 255])
def test_within_some_levels(threshold: Any, levels: int) -> None:
    faithful, vivid = pair()
    facts = ModelFacts(scale=4, threshold=threshold)
    merged = merged_within(faithful, vivid, levels, facts)
    expected = numpy_merge.fuse(faithful, vivid, 0, levels, threshold=threshold)
    np.testing.assert_array_equal(merged, expected)


def test_the_bound_holds_where_float32_rounds_up() -> None:
    # 0.49999997 is black; with 8 added, float32 has 8.5, which would be rounded to 9.
    faithful = np.full((2, 2, 3), np.nextafter(np.float32(0.5), np.float32(0)))
    vivid = np.full((2, 2, 3), 200, np.float32)
    assert faithful[0, 0, 0] + np.float32(8) == 8.5
    facts = ModelFacts(scale=4, threshold="joint")
    assert (merged_within(faithful, vivid, 8, facts) == 8).all()
    assert (merged_at(faithful, vivid, np.zeros(1, np.float32), facts) == 0).all()
