"""A program of somebody else's that uses the API passes pyright in strict mode."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bigans import Tiling, Upscaler
from bigans.upscaler.enlarging import Enlarging
from sr_images.pictures_in import read_picture


def use(upscale: Upscaler, photo: NDArray[np.uint8], picture: Image.Image) -> None:
    eight: NDArray[np.uint8] = upscale(photo, xi=0.3)
    sweep: list[NDArray[np.uint8]] = upscale.sweep(photo, [0, 0.5, 1])
    pillow: Image.Image = upscale(picture, max_deviation=8)
    pillows: list[Image.Image] = upscale.sweep(picture, (0.1, 0.2))
    deep: NDArray[np.uint16] = upscale(photo.astype(np.uint16))
    batch: NDArray[np.float32] = upscale(np.zeros((2, 8, 8, 3), np.float32), xi=[0.1, 0.9])
    upscale.to_file(picture, Path("a.png"), enlarging=Enlarging(scale=2, consistent=True))
    enlarged = upscale.enlarge(read_picture("photo.jpg"))
    height, width = upscale.result_size(photo)
    print(eight.shape, len(sweep), pillow.size, len(pillows), deep.dtype, batch.ndim)
    print(enlarged.pixels.dtype, enlarged.alpha is None, height + width)
    print(upscale.facts.scale, sorted(upscale.inputs), upscale.radius, upscale.fits(photo))
    print(upscale.plan(photo).is_whole)


def make() -> Upscaler:
    tiling = Tiling(memory_mb=2000, overlap=16)
    return Upscaler.from_pretrained("vivid", tiling=tiling, runtime="auto", precision="auto")
"""

# Each line is wrong.
MISTAKES = """
from bigans import Upscaler

upscale = Upscaler(runtime="torch")
upscale("photo.jpg")
upscale.sweep([[1, 2]], [0.5])
upscale(xi=0.5)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a shell's PYTHONPATH")
def test_pyright_knows_the_types_of_the_api(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    # On the path of installed packages: there, hints count only beside py.typed.
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    found = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    problems = json.loads(found.stdout)["generalDiagnostics"]
    lines: dict[str, set[int]] = {"program.py": set(), "mistakes.py": set()}
    for problem in problems:
        lines[Path(problem["file"]).name].add(problem["range"]["start"]["line"])
    assert lines["program.py"] == set(), problems
    assert lines["mistakes.py"] == {3, 4, 5, 6}, problems
