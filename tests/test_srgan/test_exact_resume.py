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

STEPS = 40
FLAGS = [
    *("--num_mr_blocks=1", "--num_res_blocks=1", "--features=2", "--crop_size=16"),
    *("--batch_size=2", "--lambda_vgg=0", "--ema_decay=0.9", "--schedule=cosine"),
    *("--warmup_steps=5", "--clip_norm=1", f"--steps={STEPS}", "--steps_per_epoch=16"),
    *("--checkpoint_every=4", "--learning_rate=1e-3"),
]

# All that goes beyond the paper and keeps a state, or depends on the number of the update.
BEYOND_THE_PAPER = [
    *("--optimizer=muon", "--output_rate=0.2", "--residual_scale=0.1", "--upsampler_init=icnr"),
    *("--beta_2=0.99", "--discriminator_beta_1=0.5", "--discriminator_beta_2=0.99"),
    *("--crop_energy=0.4", "--degradation=photo", "--clean_share=0.3", "--rotations"),
    *("--logarithm", "--relativistic", "--r1_gamma=1", "--r1_every=3", "--spectral_norm"),
    *("--nodiscriminator_batch_norm", "--discriminator_unet", "--discriminator_filters=2"),
    *("--discriminator_shift", "--vgg_shift", "--lambda_vgg=1e-3", "--vgg_network=vgg19"),
    "--vgg_layers=block1_conv1:0.5",
]
# Name → flags, and how often the run is killed.
SETTINGS = {"paper": ([], 10), "beyond the paper": (BEYOND_THE_PAPER, 3)}


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


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_killed_at_random_moments(
    engine, settings, photo_dir, vgg_file, tmp_path, subprocess_environment
):
    environment = {**subprocess_environment, "KERAS_BACKEND": engine}
    # What is killed compiles once, apart from the whole run: a program that was compiled at another
    # time computes the same.
    compiled = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled")}
    flags, kills = SETTINGS[settings]
    # Within a call of several updates, too.
    several = ["--steps_per_call=2"] if engine == "jax" else []
    flags = [*flags, *several, f"--vgg_weights={vgg_file}"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(photo_dir, whole, *flags), env=environment, check=True, timeout=300)
    choose = random.Random(1)
    num_kills = 0
    for _ in range(kills):
        start = len(rows(killed))
        program = subprocess.Popen(
            command(photo_dir, killed, *flags), env={**environment, **compiled}
        )
        # In the middle of loading, of an update, of writing a checkpoint: anywhere.
        wanted = start + choose.randrange(1, 9)
        deadline = time.monotonic() + 120
        while program.poll() is None and len(rows(killed)) < wanted:
            assert time.monotonic() < deadline, "no progress"
            time.sleep(0.005)
        time.sleep(choose.uniform(0, 0.1))
        program.send_signal(signal.SIGKILL)
        num_kills += program.wait() == -signal.SIGKILL
    subprocess.run(
        command(photo_dir, killed, *flags),
        env={**environment, **compiled},
        check=True,
        timeout=300,
    )
    assert num_kills >= kills // 2
    assert len(rows(whole)) == 1 + STEPS
    assert rows(killed) == rows(whole)
    for name in ("generator.weights.h5", "discriminator.weights.h5"):
        pairs = zip(weights(killed / name), weights(whole / name), strict=True)
        assert all(np.array_equal(one, two) for one, two in pairs), name
    newest = [max((run / "checkpoints").iterdir()).name for run in (killed, whole)]
    assert newest == [f"step-{STEPS:08d}.npz"] * 2
