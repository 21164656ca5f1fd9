"""Where a run cannot write, or must not continue: one clear line, and nothing is lost."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FLAGS = [
    *("--num_mr_blocks=1", "--num_res_blocks=1", "--features=4", "--crop_size=16"),
    *("--batch_size=2", "--noadversarial", "--lambda_vgg=0", "--steps_per_epoch=2"),
]


def command(photo_dir: Path, run_dir: Path, *flags: str) -> list[str]:
    places = [f"--data=folder:{photo_dir}", f"--run_dir={run_dir}"]
    return [sys.executable, "-m", "mr_srgan.train", *FLAGS, *places, *flags]


def full_disk() -> None:
    """Lets no file of this process grow beyond 20 kB: what a disk does that is nearly full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.fixture(scope="module")
def run(photo_dir, tmp_path_factory, subprocess_environment) -> Path:
    """A run of two updates."""
    folder = tmp_path_factory.mktemp("run") / "run"
    arguments = command(photo_dir, folder, "--steps=2")
    subprocess.run(arguments, env=subprocess_environment, check=True, timeout=300)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    kept = [*folder.glob("checkpoints/*"), *folder.glob("*.h5"), folder / "config.json"]
    return {path.name: path.read_bytes() for path in kept}


def fails(arguments: list[str], environment: dict[str, str], **options) -> tuple[int, str]:
    program = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=300, **options
    )
    assert "Traceback" not in program.stderr, program.stderr
    return program.returncode, program.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_a_full_disk(run, photo_dir, subprocess_environment) -> None:
    before = files_of(run)
    assert max(len(content) for content in before.values()) > 20_000
    arguments = command(photo_dir, run, "--steps=4")
    code, line = fails(arguments, subprocess_environment, preexec_fn=full_disk)
    assert code == 1
    assert line.startswith("mr_srgan.train: ")
    assert "File too large" in line or "unable to write" in line.lower()
    after = files_of(run)
    assert {name: content for name, content in after.items() if name in before} == before | {
        "config.json": after["config.json"]
    }
    # With room again, the run continues.
    subprocess.run(arguments, env=subprocess_environment, check=True, timeout=300)
    assert (run / "checkpoints" / "step-00000004.npz").exists()
    rows = (run / "losses.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == [1, 2, 3, 4]


def test_a_folder_that_cannot_be_written(photo_dir, subprocess_environment) -> None:
    # Not even root writes there.
    arguments = command(photo_dir, Path("/proc/run"), "--steps=2")
    code, line = fails(arguments, subprocess_environment)
    assert code == 1
    assert line.startswith("mr_srgan.train: /proc/run")


def test_another_configuration(run, photo_dir, subprocess_environment) -> None:
    before = files_of(run)
    arguments = command(photo_dir, run, "--steps=4", "--num_mr_blocks=2")
    code, line = fails(arguments, subprocess_environment)
    assert code == 2
    assert "--num_mr_blocks was 1, is 2" in line
    assert files_of(run) == before


def test_a_checkpoint_of_another_run(run, photo_dir, tmp_path, subprocess_environment) -> None:
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    np.savez(folder / "step-00000002.npz", values=np.zeros(3), state=np.array('{"step": 2}'))
    arguments = command(photo_dir, folder.parent, "--steps=4")
    code, line = fails(arguments, subprocess_environment)
    assert code == 1
    assert "step-00000002.npz: this checkpoint is of another configuration" in line
