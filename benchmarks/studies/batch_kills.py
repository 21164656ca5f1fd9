"""Kills workers, nodes and the driver of batches at random moments, and looks at what is left.

    python -m benchmarks.studies.batch_kills --engine=ray --trials=5
    python -m benchmarks.studies.batch_kills --engine=dask --trials=5

A cluster of three nodes on this machine, 300 drawn photos and 20 files that are none, a model that
takes 0.15 s a photo. In each trial, at random moments: kill -9 of a worker, of a whole node, which
another then replaces, and of the driver; then the same command again. Every result is compared with
that of a plain loop, and each photo that was computed twice is counted. The exit code is 1 if a
result is missing or another, or something is left behind.
"""

from __future__ import annotations

import contextlib
import functools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from absl import flags
from PIL import Image

from benchmarks.studies import cheap_model
from benchmarks.studies.ray_nodes import started
from bigans.batch.enlarging_worker import EnlargePhotos
from bigans.batch.running import Batch, Summary, result_names, run
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Task
from sr_images.encoding import Encoding
from sr_program import entry_point
from sr_program.engines.engine import Workers
from sr_program.errors import DataError

_SECONDS, _BAD = 0.15, 20
_ENCODING = Encoding(format="png", settings={"model": "cheap"})


def cli_main() -> None:
    """Runs the command."""
    flags.DEFINE_enum("engine", "ray", ("ray", "dask"), "Whose cluster.")
    flags.DEFINE_integer("trials", 5, "Each with three kills and a rerun.")
    flags.DEFINE_integer("photos", 300, "Drawn photos.")
    flags.DEFINE_integer("seed", 0, "Of the moments.")
    entry_point.run(_main)


def _main(arguments: list[str]) -> int:
    if arguments:  # this program as its own driver: INPUT OUTPUT ENGINE ADDRESS LOG
        return _drive(*arguments)
    values = flags.FLAGS
    rng = random.Random(values.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as name, _cluster(values.engine) as nodes:
        folder = Path(name)
        photos = _draw(folder / "in", values.photos)
        plain = _plain_loop(photos, folder / "plain")
        wrong = 0
        for trial in range(values.trials):
            found = _trial(folder / f"{trial}", folder / "in", plain, nodes, values.engine, rng)
            print(json.dumps(found), flush=True)
            wrong += bool(found["missing"] or found["other"] or found["left behind"])
    return 1 if wrong else 0


def _drive(source: str, output: str, engine: Any, address: str, log: str) -> int:
    from benchmarks.studies import batch_kills  # under this name workers find its functions

    batch = batch_kills.batch_of(source, output, engine, address, Path(log))
    summary = run(batch, lambda line: None)
    print(json.dumps(summary.__dict__))
    return 1 if summary.left else 0


def batch_of(source: str, output: str, engine: Any, address: str, log: Path) -> Batch:
    """The batch of each trial."""
    load = functools.partial(cheap_model.load, _SECONDS, log)
    return Batch(
        input=source,
        output=output,
        make=EnlargePhotos(output=output, load=load, encoding=_ENCODING),
        names=result_names("_x4", ".png"),
        workers=Workers(engine=engine, address=address, number=3),
    )


def _draw(folder: Path, number: int) -> list[Path]:
    folder.mkdir()
    random_ = np.random.default_rng(0)
    paths = []
    for i in range(number):
        size = (24 + i % 9, 24 + i % 7, 3)
        paths.append(folder / f"{i:04d}.png")
        Image.fromarray(random_.integers(0, 256, size, np.uint8)).save(paths[-1])
    whole = paths[0].read_bytes()
    for i in range(_BAD):
        bad = [b"", b"no photo", whole[: 20 + i], b"\xff\xd8\xff" + bytes(i)][i % 4]
        (folder / f"bad{i:02d}.png").write_bytes(bad)
    return paths


def _plain_loop(photos: list[Path], folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    tasks = [Task(path, folder / f"{path.stem}_x4.png", _ENCODING) for path in photos]
    assert enlarge_files(tasks, cheap_model.load()) == []
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class _Nodes:
    """What can be killed of a cluster."""

    def __init__(self, address: str, replace_one: Callable[[], None], marks: str) -> None:
        self.address, self.replace_one, self._marks = address, replace_one, marks

    def workers(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if self._marks in " ".join(process.cmdline()):
                    found.append(process)
        return found


def _trial(
    folder: Path,
    source: Path,
    plain: dict[str, bytes],
    nodes: _Nodes,
    engine: str,
    rng: random.Random,
) -> dict[str, Any]:
    folder.mkdir()
    output, log = folder / "out", folder / "log"
    command = [sys.executable, "-m", "benchmarks.studies.batch_kills"]
    command += [str(source), str(output), engine, nodes.address, str(log)]

    def wait(share: float) -> None:
        while driver.poll() is None and _count(output) < share * len(plain):
            time.sleep(0.01)

    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    moments = sorted(rng.uniform(0.05, 0.85) for _ in range(3))
    kills = ["worker", "node", "driver"]
    head = kills[:2]
    rng.shuffle(head)
    told = []
    for moment, kind in zip(moments, [*head, "driver"], strict=True):
        wait(moment)
        told.append(f"{kind} at {_count(output)}")
        if kind == "worker":
            rng.choice(nodes.workers()).kill()
        elif kind == "node":
            nodes.replace_one()
        else:
            driver.kill()
    driver.wait()
    began = time.monotonic()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    if again.returncode:
        raise DataError(f"the rerun ended with {again.returncode}: {again.stderr}")
    results = {path.name: path.read_bytes() for path in output.glob("*.png")}
    computed = len(log.read_text().splitlines())
    left = [str(path.relative_to(output)) for path in output.rglob(".*")]
    failed = len((output / "failed.jsonl").read_text().splitlines())
    return {
        "engine": engine,
        "killed": told,
        "rerun": Summary(**json.loads(again.stdout.splitlines()[-1])).__dict__,
        "rerun_s": round(time.monotonic() - began, 1),
        "missing": sorted(plain.keys() - results.keys()),
        "other": sorted(name for name, content in results.items() if plain.get(name) != content),
        "listed as failed": failed,
        "computed twice": computed - len(plain),
        "left behind": left,
    }


def _count(output: Path) -> int:
    return len([*output.glob("*.png")])


@contextlib.contextmanager
def _cluster(engine: str) -> Iterator[_Nodes]:
    with _ray() if engine == "ray" else _dask() as nodes:
        yield nodes


@contextlib.contextmanager
def _ray() -> Iterator[_Nodes]:
    from sr_program.engines import ray_engine

    with started(ray_engine.ray, nodes=1, cpus=0) as cluster:

        def add() -> Any:
            return cluster.add_node(num_cpus=1, object_store_memory=80_000_000)

        nodes = [add() for _ in range(3)]

        def replace_one() -> None:
            cluster.remove_node(nodes.pop(0), allow_graceful=False)
            nodes.append(add())

        yield _Nodes(cluster.address, replace_one, "ray::_Worker")


@contextlib.contextmanager
def _dask() -> Iterator[_Nodes]:
    """A scheduler and three nannies, each with a worker, all processes of their own."""
    processes: list[subprocess.Popen[bytes]] = []
    module = [sys.executable, "-m", "distributed.cli"]
    with tempfile.TemporaryDirectory(prefix="dask-") as folder:
        scheduler = Path(folder) / "scheduler.json"

        def start(kind: str, *arguments: str) -> subprocess.Popen[bytes]:
            command = [*module[:2], f"distributed.cli.dask_{kind}", *arguments]
            command += ["--scheduler-file", str(scheduler), "--no-dashboard"]
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def add() -> subprocess.Popen[bytes]:
            place = tempfile.mkdtemp(dir=folder)
            return start("worker", "--nthreads=3", "--memory-limit=0", f"--local-directory={place}")

        def replace_one() -> None:
            node = processes.pop(1)
            for one in [*psutil.Process(node.pid).children(recursive=True), node]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            node.wait()
            processes.append(add())

        processes.append(start("scheduler", "--port=0"))
        while not scheduler.exists():
            time.sleep(0.1)
        address = json.loads(scheduler.read_text())["address"]
        processes += [add() for _ in range(3)]
        try:
            yield _Nodes(address, replace_one, "multiprocessing.spawn import spawn_main")
        finally:
            for process in processes:
                for one in psutil.Process(process.pid).children(recursive=True):
                    one.kill()
                process.kill()
                process.wait()


if __name__ == "__main__":
    cli_main()
