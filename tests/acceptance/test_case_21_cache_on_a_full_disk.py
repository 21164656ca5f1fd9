"""The first run, where the disk of the cache is too small: one line that names the remedy."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_shipped_models(photo: Path, small_disk: Path, subprocess_environment) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bigans", photo.name, "--output=out.png"],
        cwd=photo.parent,
        env={**subprocess_environment, "BIGANS_CACHE": "small/c"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(
        ": small/c: cannot keep the models here (No space left on device); name another folder in "
        "the environment variable BIGANS_CACHE\n"
    )
    assert not (photo.parent / "out.png").exists()
    assert [path.name for path in (small_disk / "c").iterdir()] == [".lock"]
