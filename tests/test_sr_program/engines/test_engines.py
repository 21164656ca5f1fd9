"""Every engine answers for every item, whatever becomes of its workers."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sr_program.engines.engine import Engine, Make, Workers
from sr_program.engines.opening import open_engine
from sr_program.engines.schedule import TRIES, answers
from sr_program.errors import DataError, UsageError
from tests.test_sr_program.engines.functions import refuses, squares

ENGINES = ("local", "dask", "ray")


@pytest.fixture(scope="module")
def ray_address() -> Iterator[str]:
    """One cluster for all tests of this file: it takes longer to start than all of them."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'bi-gans-st[batch]'")
    from benchmarks.studies.ray_nodes import started
    from sr_program.engines import ray_engine

    with started(ray_engine.ray, nodes=1, cpus=3) as cluster:
        yield cluster.address


@pytest.fixture(params=ENGINES)
def workers(request: Any) -> Workers:
    """Two workers of an engine."""
    if request.param == "dask":
        pytest.importorskip("distributed", reason="needs Dask: pip install 'bi-gans-st[dask]'")
    address = request.getfixturevalue("ray_address") if request.param == "ray" else None
    return Workers(engine=request.param, address=address, number=2)


def all_answers(make: Make, workers: Workers, items: list[Any]) -> dict[int, Any]:
    with open_engine(make, workers) as engine:
        return {answer.item[1]: answer for answer in answers(engine, items)}


def test_every_item_is_answered_whatever_kills_workers(workers: Workers, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    items = [("plain", n) for n in range(40)]
    items[5], items[20] = ("killed once", 5), ("ended once", 20)
    found = all_answers(functools.partial(squares, pids), workers, items)
    assert {n: answer.result for n, answer in found.items()} == {n: (n, n * n) for n in range(40)}
    made = [int(path.name) for path in pids.iterdir()]
    assert len(made) >= 3, "two workers, and one in the place of one that was ended"
    assert not [pid for pid in made if _runs(pid)]


def _runs(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.1)
    return True


def test_an_item_that_kills_its_workers_is_given_up() -> None:
    items = [("plain", n) for n in range(12)]
    items[3] = ("poison", 3)
    found = all_answers(squares, Workers(number=2), items)
    assert [n for n, answer in found.items() if answer.is_lost] == [3]
    assert found[3].losses == TRIES
    assert sorted(found) == list(range(12))


def test_what_makes_the_function_may_fail(workers: Workers) -> None:
    with pytest.raises(DataError, match=r"^no such model$"):
        all_answers(refuses, workers, [("plain", 1)])


def test_items_are_taken_when_there_is_room() -> None:
    taken = []

    def items() -> Iterator[Any]:
        for n in range(1000):
            taken.append(n)
            yield "plain", n

    with open_engine(squares, Workers(number=1)) as engine:
        for count, _ in enumerate(answers(engine, items()), 1):
            assert len(taken) <= count + 3
    assert len(taken) == 1000


class NoRoom(Engine):
    """Workers come late."""

    def __init__(self, inner: Engine, seconds: float) -> None:
        self._inner, self._from = inner, time.monotonic() + seconds

    def room(self) -> int:
        return self._inner.room() if time.monotonic() > self._from else 0

    def submit(self, item: Any) -> Any:
        return self._inner.submit(item)

    def close(self) -> None:
        self._inner.close()


def test_no_item_is_lost_while_there_is_no_worker() -> None:
    with NoRoom(open_engine(squares, Workers(number=1)), 1.2) as engine:
        found = [answer.result for answer in answers(engine, [("plain", 1), ("plain", 2)])]
    assert sorted(found) == [(1, 1), (2, 4)]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"engine": "spark"}, "engine=spark"),
        ({"address": "auto"}, "address"),
        ({"number": -1}, "workers=-1"),
        ({"cpus": 0}, "cpus_per_worker=0"),
        ({"gpus": 1}, "gpus_per_worker"),
        ({"engine": "ray", "gpus": float("nan")}, "gpus_per_worker"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Workers(**arguments)


def test_threads_end_with_the_engine() -> None:
    before = threading.active_count()
    all_answers(squares, Workers(number=2), [("plain", 1)])
    assert threading.active_count() <= before
