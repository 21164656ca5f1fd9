"""The memory of a whole process does not grow with the photo."""

import subprocess
import sys
from pathlib import Path

import pytest

SIDE = 1400
RESULT_BYTES = 16 * SIDE**2 * 3

# Peak memory after a small photo in tiles, and after a large one, in bytes.
PROGRAM = """
import resource, sys
import numpy as np
from bigans.models import memory
from bigans import Tiling, Upscaler
taken = memory.TENSORFLOW
total = taken.program_bytes + 90 * 90 * taken.bytes_per_lr_pixel
upscaler = Upscaler(sys.argv[1], tiling=Tiling(memory_mb=total / 1e6, overlap=4))
assert "keras" not in sys.modules  # memory.TENSORFLOW counts on it
unit = 1 if sys.platform == "darwin" else 1024
for side in (300, int(sys.argv[2])):
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    upscaler.to_file(image, "result.png")
    print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
def test_a_result_larger_than_what_it_takes(
    toy_fused: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(toy_fused), str(SIDE)],
        cwd=tmp_path,
        env={**subprocess_environment, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    (_, _), (before, after) = (map(int, line.split()) for line in result.stdout.splitlines())
    # The generators' images alone are eight times the result.
    assert after - before < RESULT_BYTES / 2
    assert [path.name for path in tmp_path.iterdir()] == ["result.png"]
