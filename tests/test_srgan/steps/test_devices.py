"""Runs on several devices and on several hosts compute what one device does.

The devices are parts of the CPU, the hosts two processes on the loopback interface.
"""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from sr_program.errors import UsageError
from srgan.steps.devices import Devices, open_devices, parse_cluster

STEPS = 12
FLAGS = [
    *("--num_mr_blocks=1", "--num_res_blocks=1", "--features=4", "--crop_size=32"),
    *("--batch_norm", "--batch_size=4", "--lambda_vgg=0", "--ema_decay=0.9"),
    *("--clip_norm=0.5", f"--steps={STEPS}", "--steps_per_epoch=6", "--learning_rate=1e-4"),
    # A discriminator that is sure of itself has gradients of rounding errors.
    *("--lambda_adv=0.1", "--discriminator_learning_rate=2e-6", "--bicubic_skip"),
    "--checkpoint_every=2",
]


def command(photo_dir: Path, run_dir: Path, *flags: str) -> list[str]:
    places = [f"--data=folder:{photo_dir}", f"--val_dir={photo_dir}", f"--run_dir={run_dir}"]
    return [sys.executable, "-m", "mr_srgan.train", *FLAGS, *places, *flags]


def losses(run_dir: Path) -> dict[str, np.ndarray]:
    with (run_dir / "losses.csv").open() as file:
        header, *rows = csv.reader(file)
    columns = np.array(rows, np.float64).T
    return dict(zip(header, columns, strict=True))


def weights(run_dir: Path, name: str) -> list[np.ndarray]:
    found = []
    with h5py.File(run_dir / f"{name}.weights.h5") as file:
        file.visititems(
            lambda name, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    return found


@pytest.fixture(scope="module")
def one_device(photo_dir, tmp_path_factory, subprocess_environment) -> dict[str, Path]:
    """A run on one device for each engine."""
    runs = {}
    for engine in ("tensorflow", "jax"):
        runs[engine] = tmp_path_factory.mktemp("one") / engine
        environment = {**subprocess_environment, "KERAS_BACKEND": engine}
        subprocess.run(command(photo_dir, runs[engine]), env=environment, check=True, timeout=300)
    return runs


def assert_same_run(one: Path, other: Path) -> None:
    expected, found = losses(one), losses(other)
    assert list(expected) == list(found)
    assert {"loss_g", "loss_d", "pixel", "adversarial", "grad_norm_g", "grad_norm_d"} < set(found)
    assert list(found["step"]) == list(range(1, STEPS + 1))
    # Adam divides gradients by their size: later norms differ by more than the losses do.
    norms = {name: values[:1] for name, values in expected.items() if "norm" in name}
    for name, values in {**expected, **norms}.items():
        # the difference of two probabilities, of which each is about 0.5
        atol = 5e-5 if name == "loss_d" else 0
        actual = found[name][: len(values)]
        np.testing.assert_allclose(actual, values, rtol=1e-4, atol=atol, err_msg=name)
    # BatchNorm's statistics are among the weights.
    for name, atol in (("generator", 1e-4), ("discriminator", 1e-5)):
        for a, b in zip(weights(one, name), weights(other, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=atol, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["tensorflow", "jax"])
def test_two_devices(engine, one_device, photo_dir, tmp_path, subprocess_environment) -> None:
    environment = {**subprocess_environment, "KERAS_BACKEND": engine}
    run = tmp_path / "two"
    subprocess.run(command(photo_dir, run, "--devices=2"), env=environment, check=True, timeout=300)
    assert_same_run(one_device[engine], run)


@pytest.mark.slow
def test_a_run_moves_to_more_devices(
    one_device, photo_dir, tmp_path, subprocess_environment
) -> None:
    run = tmp_path / "run"
    for flags in (["--steps=6"], ["--devices=2"]):
        subprocess.run(
            command(photo_dir, run, *flags), env=subprocess_environment, check=True, timeout=300
        )
    assert_same_run(one_device["tensorflow"], run)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_hosts(arguments: list[str], environment: dict[str, str]) -> list[subprocess.Popen]:
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        subprocess.Popen(
            arguments,
            env={
                **environment,
                "TF_CONFIG": json.dumps(
                    {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
                ),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


@pytest.mark.slow
def test_two_hosts(one_device, photo_dir, tmp_path, subprocess_environment) -> None:
    run = tmp_path / "run"
    programs = start_hosts(command(photo_dir, run), subprocess_environment)
    messages = [program.communicate(timeout=300)[1] for program in programs]
    assert [program.returncode for program in programs] == [0, 0], messages
    assert_same_run(one_device["tensorflow"], run)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_host_that_dies(victim, one_device, photo_dir, tmp_path, subprocess_environment) -> None:
    run = tmp_path / "run"
    arguments = command(photo_dir, run)
    programs = start_hosts(arguments, subprocess_environment)
    deadline = time.monotonic() + 200
    while not (run / "losses.csv").exists() or len((run / "losses.csv").read_text()) < 600:
        assert time.monotonic() < deadline, "no progress"
        time.sleep(0.02)
    os.kill(programs[victim].pid, signal.SIGKILL)
    message = programs[1 - victim].communicate(timeout=200)[1]
    programs[victim].communicate()
    assert programs[1 - victim].returncode == 1, message
    assert "another worker has stopped" in message
    assert "start all 2 again" in message
    assert "Traceback" not in message
    programs = start_hosts(arguments, subprocess_environment)
    messages = [program.communicate(timeout=300)[1] for program in programs]
    assert [program.returncode for program in programs] == [0, 0], messages
    assert "continuing after step" in messages[0]
    assert_same_run(one_device["tensorflow"], run)


def test_one_device_is_the_default() -> None:
    devices = open_devices(1)
    assert devices == Devices() and devices.chief
    devices.check_batch(3)


def test_a_batch_that_does_not_divide() -> None:
    Devices(replicas=2).check_batch(4)
    with pytest.raises(UsageError, match="--batch_size=3 does not divide by the 2 devices"):
        Devices(replicas=2).check_batch(3)


def test_several_hosts_choose_their_devices_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(UsageError, match="--devices=2.*CUDA_VISIBLE_DEVICES"):
        open_devices(2)


def test_a_cluster() -> None:
    text = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
    assert parse_cluster(text) == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "chief": ["b:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_what_is_no_cluster(text: str) -> None:
    with pytest.raises(UsageError, match=r'TF_CONFIG.*write \{"cluster"'):
        parse_cluster(text)
