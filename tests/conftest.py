"""What all tests share; the environment is set before anything imports Keras or TensorFlow."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Image data beside the repository; tests that need it are skipped where it is missing."""
    path = Path(os.environ.get("BIGANS_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(
            f"needs image data (data/benchmarks, data/train, data/val) in {path}; "
            "BIGANS_SHARED=DIR names another place"
        )
    return path


@pytest.fixture(scope="session")
def subprocess_environment() -> dict[str, str]:
    """For programs that a test starts: they find the packages of this tree from any folder."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}
