"""A batch in S3, with packages whose requirements are not those of the lock file."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

pytestmark = pytest.mark.slow

# Behind the environment's own packages, so that those of the lock file win.
_RUN = "import sys, pytest; sys.path.append(sys.argv[1]); sys.exit(pytest.main(sys.argv[2:]))"


def test_a_batch_in_s3(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    if all(importlib.util.find_spec(name) for name in ("moto", "s3fs")):
        pytest.skip("moto and s3fs are installed: tests/test_bigans/batch/test_store.py uses them")
    packages = tmp_path / "packages"
    # s3fs and fsspec go together by their versions.
    wanted = "moto[server]>=5.1", f"s3fs=={fsspec.__version__}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    done = subprocess.run(
        [*pip, f"--target={packages}", *wanted], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        pytest.skip(f"needs {' and '.join(wanted)} from a package index: {done.stderr[-300:]}")
    tests = "tests/test_bigans/batch/test_store.py", "-k", "in_s3", "-p", "no:cacheprovider"
    done = subprocess.run(
        [sys.executable, "-c", _RUN, packages, *tests, "-n0", "-q"],
        capture_output=True,
        text=True,
        env=subprocess_environment,
        timeout=300,
    )
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
