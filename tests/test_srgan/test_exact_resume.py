"""Runs that are killed again and again, on both engines, end as if nothing had happened."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.slow

STEPS, KILLS = 40, 10
FLAGS = [
    *("--num_mr_blocks=1", "--num_res_blocks=1", "--features=2", "--crop_size=16"),
    *("--batch_size=2", "--lambda_vgg=0", "--ema_decay=0.9", "--schedule=cosine"),
    *("--warmup_steps=5", "--clip_norm=1", f"--steps={STEPS}", "--steps_per_epoch=16"),
    *("--checkpoint_every=4", "--learning_rate=1e-3"),
]
# What a run may have that is not in the paper.
BEYOND = [
    *("--nodiscriminator_batch_norm", "--spectral_norm", "--discriminator_filters=8"),
    *("--logarithm", "--relativistic", "--r1_gamma=1", "--r1_every=3", "--discriminator_shift"),
]


def command(photo_dir: Path, run_dir: Path, *flags: str) -> list[str]:
    places = [f"--data=folder:{photo_dir}", f"--val_dir={photo_dir}", f"--run_dir={run_dir}"]
    return [sys.executable, "-m", "mr_srgan.train", *FLAGS, *places, *flags]


def rows(run_dir: Path) -> list[str]:
    path = run_dir / "losses.csv"
    return path.read_text().splitlines() if path.exists() else []


def weights(path: Path) -> Iterator[np.ndarray]:
    with h5py.File(path) as file:
        found: dict[str, np.ndarray] = {}
        file.visititems(
            lambda name, item: (
                found.update({name: np.array(item)}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return iter(found[name] for name in sorted(found))


@pytest.mark.parametrize("beyond", [[], BEYOND], ids=["paper", "beyond"])
@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_killed_at_random_moments(engine, beyond, photo_dir, tmp_path, subprocess_environment):
    environment = {**subprocess_environment, "KERAS_BACKEND": engine}
    # Within a call of several updates, too.
    flags = [*beyond, *(["--steps_per_call=2"] if engine == "jax" else [])]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(photo_dir, whole, *flags), env=environment, check=True, timeout=300)
    choose = random.Random(1)
    num_kills = 0
    for _ in range(KILLS):
        start = len(rows(killed))
        program = subprocess.Popen(command(photo_dir, killed, *flags), env=environment)
        # In the middle of loading, of an update, of writing a checkpoint: anywhere.
        wanted = start + choose.randrange(1, 9)
        deadline = time.monotonic() + 120
        while program.poll() is None and len(rows(killed)) < wanted:
            assert time.monotonic() < deadline, "no progress"
            time.sleep(0.005)
        time.sleep(choose.uniform(0, 0.1))
        program.send_signal(signal.SIGKILL)
        num_kills += program.wait() == -signal.SIGKILL
    subprocess.run(command(photo_dir, killed, *flags), env=environment, check=True, timeout=300)
    assert num_kills >= 5
    assert len(rows(whole)) == 1 + STEPS
    assert rows(killed) == rows(whole)
    for name in ("generator.weights.h5", "discriminator.weights.h5"):
        pairs = zip(weights(killed / name), weights(whole / name), strict=True)
        assert all(np.array_equal(one, two) for one, two in pairs), name
    newest = [max((run / "checkpoints").iterdir()).name for run in (killed, whole)]
    assert newest == [f"step-{STEPS:08d}.npz"] * 2
