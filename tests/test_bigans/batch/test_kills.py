"""Whatever is killed, a rerun ends with every result, each as a plain loop makes it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.test_bigans.batch.conftest import draw_photos, files_in
from tests.test_bigans.batch.toy import plain_loop

# So many photos are in hand of two workers.
_IN_HAND = 6
_PHOTOS = 40


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[Any]:
    """Two nodes of one core each, and a head that computes nothing."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'bi-gans-st[batch]'")
    from benchmarks.studies.ray_nodes import started
    from sr_program.engines import ray_engine

    with started(ray_engine.ray, nodes=1, cpus=0) as cluster:
        cluster.worker = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        cluster.other = cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        yield cluster


@pytest.fixture(params=["local", "dask", "ray"])
def engine(request: Any) -> list[str]:
    """The name of an engine and, of Ray, the address of a cluster."""
    if request.param == "dask":
        pytest.importorskip("distributed", reason="needs Dask: pip install 'bi-gans-st[dask]'")
    if request.param == "ray":
        return ["ray", request.getfixturevalue("ray_cluster").address]
    return [request.param]


class Run:
    """The toy program in a process of its own."""

    def __init__(self, folder: Path, engine: list[str], environment: dict[str, str]) -> None:
        self.output = folder / "out"
        command = [sys.executable, "-m", "tests.test_bigans.batch.toy"]
        command += [str(folder / "in"), str(self.output), *engine]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_for(self, number: int) -> None:
        """Until so many results are there."""
        self._until(lambda: self.process.poll() is not None or self.num_results() >= number)
        assert self.process.poll() is None, self.process.communicate()

    def num_results(self) -> int:
        return len([*self.output.glob("*.png")])

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def finish(self) -> dict[str, int]:
        """The numbers of the summary that it prints at its end."""
        out, err = self.process.communicate(timeout=200)
        assert self.process.returncode == 0, err
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", out)}

    @staticmethod
    def _until(is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not is_so():
            assert time.monotonic() < deadline, "nothing happens"
            time.sleep(0.02)


def workers_of(run: Run, engine: list[str]) -> list[psutil.Process]:
    if engine[0] == "ray":
        found = [p for p in psutil.process_iter() if "_Worker" in _name(p)]
        return [p for p in found if p.status() != psutil.STATUS_ZOMBIE]
    return [p for p in run.children() if "spawn_main" in _name(p)]


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=30)
    left = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not left, [_name(p) for p in left]


def assert_as_plain(folder: Path) -> None:
    plain_loop(sorted((folder / "in").iterdir()), folder / "plain")
    assert files_in(folder / "out") == files_in(folder / "plain")
    hidden = [path for path in (folder / "out").rglob("*") if path.name.startswith(".")]
    assert not hidden


def test_the_driver_and_then_a_worker_are_killed(
    tmp_path: Path, engine: list[str], subprocess_environment: dict[str, str]
) -> None:
    draw_photos(tmp_path / "in", _PHOTOS)
    first = Run(tmp_path, engine, subprocess_environment)
    first.wait_for(8)
    children = first.children()
    first.process.kill()
    first.process.communicate()
    assert_gone(children)
    there = first.num_results()
    second = Run(tmp_path, engine, subprocess_environment)
    second.wait_for(there + 5)
    workers = workers_of(second, engine)
    assert len(workers) >= 2
    workers[-1].kill()
    children = second.children()
    summary = second.finish()
    assert summary["failed"] == summary["left"] == 0
    assert summary["skipped"] >= there - _IN_HAND  # what was in hand may be there, unnoted
    assert summary["done"] + summary["skipped"] == _PHOTOS
    assert summary["repeated"] <= _IN_HAND
    assert_gone(children)
    assert_as_plain(tmp_path)


def test_sigterm_leaves_nothing_behind(
    tmp_path: Path, engine: list[str], subprocess_environment: dict[str, str]
) -> None:
    _ends_at(signal.SIGTERM, tmp_path, engine, subprocess_environment)


def test_ctrl_c_leaves_nothing_behind(
    tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    _ends_at(signal.SIGINT, tmp_path, ["local"], subprocess_environment)


def _ends_at(
    number: signal.Signals, folder: Path, engine: list[str], environment: dict[str, str]
) -> None:
    draw_photos(folder / "in", _PHOTOS)
    run = Run(folder, engine, environment)
    run.wait_for(3)
    children = run.children()
    os.kill(run.process.pid, number)
    _, err = run.process.communicate(timeout=60)
    assert run.process.returncode == 128 + number, err
    assert len(err.splitlines()) == 1, err
    assert_gone(children)
    left = [path.name for path in run.output.rglob("*") if path.suffix != ".png"]
    assert sorted(name for name in left if not name.endswith(".jsonl")) == [".bigans", "manifest"]


def test_a_node_is_lost_and_another_comes(
    tmp_path: Path, ray_cluster: Any, subprocess_environment: dict[str, str]
) -> None:
    draw_photos(tmp_path / "in", _PHOTOS)
    run = Run(tmp_path, ["ray", ray_cluster.address], subprocess_environment)
    run.wait_for(6)
    ray_cluster.remove_node(ray_cluster.other, allow_graceful=False)
    run.wait_for(12)
    ray_cluster.other = ray_cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    summary = run.finish()
    assert (summary["done"], summary["failed"], summary["left"]) == (_PHOTOS, 0, 0)
    assert_as_plain(tmp_path)
