"""The targets of BUILD build, and one of its tests runs, where Bazel is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("bazel") is None, reason="needs bazel: apt-get install bazel-bootstrap"
    ),
]


@pytest.fixture(scope="module")
def bazel(repository: Path, tmp_path_factory: pytest.TempPathFactory):
    """Runs Bazel in the repository; its server and what it builds are gone afterwards."""
    root = tmp_path_factory.mktemp("bazel")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        startup = [f"--output_user_root={root}"]
        return subprocess.run(
            ["bazel", *startup, command, "--symlink_prefix=/", *arguments],
            cwd=repository,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )

    yield run
    subprocess.run(
        ["bazel", f"--output_user_root={root}", "shutdown"], cwd=repository, capture_output=True
    )


def test_all_targets_build(bazel) -> None:
    done = bazel("build", "//:all")
    assert done.returncode == 0, done.stderr
    assert "Build completed successfully" in done.stderr


def test_a_test_runs(bazel) -> None:
    done = bazel("test", "//:test_layering")
    assert done.returncode == 0, done.stderr
    assert "//:test_layering" in done.stdout and "PASSED" in done.stdout
