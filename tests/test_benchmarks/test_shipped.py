"""The shipped generators, and others in their place."""

import numpy as np
import pytest

from benchmarks.shipped import replacements, shipped_generator
from bigans.pretrained.manifest import WEIGHTS_DIR
from sr_program.errors import UsageError


def test_other_weights_have_the_place_of_the_shipped_ones() -> None:
    other = WEIGHTS_DIR / "wp_srgan_stage2.weights.h5"
    chosen = replacements([f"wp_srgan_stage1={other}"])
    replaced, stage_1, stage_2 = (
        shipped_generator(name, weights=chosen.get(name) if replace else None)[0]
        for name, replace in (
            ("wp_srgan_stage1", True),
            ("wp_srgan_stage1", False),
            ("wp_srgan_stage2", False),
        )
    )
    for ours, theirs in zip(replaced.get_weights(), stage_2.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pairs = zip(replaced.get_weights(), stage_1.get_weights(), strict=True)
    assert not all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("wp_srgan=a.h5", "give NAME=FILE; names are mr_srgan, wp_srgan_stage1, wp_srgan_stage2"),
        ("wp_srgan_stage2", "there is no file ''"),
        ("wp_srgan_stage2=none.h5", "there is no file 'none.h5'"),
    ],
)
def test_wrong_weights(item: str, reason: str) -> None:
    with pytest.raises(UsageError, match=f"--weights={item}: {reason}"):
        replacements([item])
