import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sr_program.contract import check_written, differing
from sr_program.errors import DataError

ROUNDED = np.array([[10, 250]], np.uint8)
LEVELS = np.array([[10.5, 250.0]], np.float32)


def test_equal() -> None:
    assert (
        differing({"sr": ROUNDED, "faithful": LEVELS}, {"faithful": LEVELS, "sr": ROUNDED}) is None
    )


@pytest.mark.parametrize(("by", "wrong"), [(1, False), (-1, False), (2, True), (-2, True)])
def test_whole_levels(by: int, wrong: bool) -> None:
    # Also down from 10 and up to 251: the difference of unsigned numbers does not wrap.
    found = (ROUNDED.astype(int) + [[by, 0]]).astype(np.uint8)
    assert differing({"sr": ROUNDED}, {"sr": found}) == (("sr", 2.0) if wrong else None)


@pytest.mark.parametrize(
    ("by", "allowed", "wrong"), [(0.004, 0.01, False), (0.02, 0.01, True), (0.004, 0.001, True)]
)
def test_levels_that_are_not_rounded(by: float, allowed: float, wrong: bool) -> None:
    found = differing({"sr": LEVELS}, {"sr": LEVELS + np.float32(by)}, allowed)
    assert (found is not None) == wrong
    if found is not None:
        assert found[0] == "sr" and found[1] == pytest.approx(by, rel=0.01)


@pytest.mark.parametrize("bad", ["expected", "found"])
def test_what_is_no_number_differs(bad: str) -> None:
    values = {"expected": LEVELS, "found": LEVELS, bad: np.full_like(LEVELS, np.nan)}
    wrong = differing({"sr": values["expected"]}, {"sr": values["found"]})
    assert wrong is not None and math.isnan(wrong[1])


def test_the_complaint_names_the_output() -> None:
    outputs = {"faithful": LEVELS, "vivid": LEVELS}
    check_written(Path("out"), "generators", outputs, outputs)
    with pytest.raises(DataError, match=r"^out: .* generators .*vivid by 5 grey levels$"):
        check_written(Path("out"), "generators", outputs, {**outputs, "vivid": LEVELS + 5})


def test_its_import_is_light(subprocess_environment: dict[str, str]) -> None:
    code = "import sys, sr_program.contract; print({'numpy', 'tensorflow'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=subprocess_environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
