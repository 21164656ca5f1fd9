"""Memory is that of one frame: sixty frames take hardly more than ten."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 128  # a frame of the result has 786 kB
PROGRAM = """
import sys
from pathlib import Path
from benchmarks.timing.peak_memory import peak_bytes
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Task
from tests.test_bigans.upscaler.numpy_model import upscaler

for name in sys.argv[1:]:
    photo, result = map(Path, name.split(":"))
    assert enlarge_files([Task(photo, result)], upscaler(), Enlarging(xi=0)) == []
    print(peak_bytes())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs VmHWM of /proc: run it on Linux")
def test_frames_are_not_kept(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    base = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    results = []
    for count in (10, 60):
        frames = [Image.fromarray(np.roll(base, number, axis=1)) for number in range(count)]
        for photo in ("gif", "tif"):
            content = io.BytesIO()
            kind = {"gif": "GIF", "tif": "TIFF"}[photo]
            frames[0].save(content, kind, save_all=True, append_images=frames[1:])
            (tmp_path / f"{count}.{photo}").write_bytes(content.getvalue())
        suffixes = (("gif", "png"), ("gif", "webp"), ("gif", "gif"), ("tif", "tif"))
        results += [f"{count}.{photo}:{count}_x4.{suffix}" for photo, suffix in suffixes]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *results],
        cwd=tmp_path,
        env=subprocess_environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    peaks = [int(line) for line in done.stdout.split()]
    # Fifty frames more would be 39 MB; the encoded ones stay in memory until they are written.
    assert peaks[-1] - peaks[3] < 20e6
