"""Photos and results in object stores, sound and failing ones."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from bigans.batch import store
from bigans.batch.running import Summary, run
from bigans.batch.store import open_place
from sr_program.engines.engine import Workers
from tests.test_bigans.batch.conftest import draw_photos, files_in
from tests.test_bigans.batch.toy import plain_loop, toy_batch


class Flaky(MemoryFileSystem):
    """A store of its own that fails one call in ten, before or after it has done what it should."""

    protocol = "flaky"
    store: dict[str, Any] = {}
    pseudo_dirs = [""]  # noqa: RUF012
    rng = random.Random(4)
    calls = failures = 0

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return super()._strip_protocol(str(path).replace("flaky://", "memory://"))

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("info", "ls", "cat_file", "pipe_file", "get_file", "put_file", "rm_file"):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            Flaky.calls += 1
            fails, late = Flaky.rng.random() < 0.1, Flaky.rng.random() < 0.5
            Flaky.failures += fails
            if fails and not late:
                raise OSError("the store is busy")
            result = found(*arguments, **named)
            if fails:
                raise OSError("the connection is gone")
            return result

        return call


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Empty stores in memory; what fails is tried again at once."""
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    monkeypatch.setattr(store, "_MOST_SECONDS", 0.001)
    for kind in (MemoryFileSystem, Flaky):
        kind.store.clear()
        kind.pseudo_dirs[:] = [""]
    yield
    for kind in (MemoryFileSystem, Flaky):
        kind.store.clear()
        kind.pseudo_dirs[:] = [""]


def objects(kind: Any, folder: str) -> dict[str, bytes]:
    return {
        path[len(folder) + 2 :]: content.getvalue()
        for path, content in kind.store.items()
        if path.startswith(f"/{folder}/") and not path.endswith("manifest.parquet")
    }


@pytest.mark.parametrize(
    ("protocol", "kind", "renames"),
    [("memory", MemoryFileSystem, False), ("flaky", Flaky, False), ("flaky", Flaky, True)],
)
def test_a_batch_from_and_to_a_store(
    tmp_path: Path,
    stores: None,
    in_threads: None,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
    kind: Any,
    renames: bool,
) -> None:
    if not renames:
        monkeypatch.setattr(store, "_OBJECT_STORES", frozenset([protocol]))
    photos = draw_photos(tmp_path / "in", 30)
    plain_loop(photos, tmp_path / "plain")
    for path in photos:
        MemoryFileSystem.pipe_file(kind(), f"/in/sub/{path.name}", path.read_bytes())
    batch = toy_batch(f"{protocol}://in/**/*.png", f"{protocol}://out")
    said: list[str] = []
    assert (run(batch, said.append), said) == (Summary(30, 0, 0, 0, 0), [])
    wanted = {f"sub/{name}": content for name, content in files_in(tmp_path / "plain").items()}
    assert objects(kind, "out") == wanted
    assert run(batch, said.append) == Summary(0, 30, 0, 0, 0)
    assert objects(kind, "out") == wanted
    assert said == []
    if kind is Flaky:
        assert Flaky.failures > 0.05 * Flaky.calls > 5


def test_a_store_that_always_fails_is_told(
    tmp_path: Path, stores: None, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = draw_photos(tmp_path / "in", 3)
    for path in photos:
        MemoryFileSystem().pipe_file(f"/in/{path.name}", path.read_bytes())

    put_file = MemoryFileSystem.put_file

    def fails(self: Any, local: str, path: str, **named: Any) -> None:
        if path.endswith(".png"):
            raise OSError("no space in the bucket")
        put_file(self, local, path, **named)

    monkeypatch.setattr(MemoryFileSystem, "put_file", fails)
    said: list[str] = []
    assert run(toy_batch("memory://in", "memory://out"), said.append).failed == 3
    lines = objects(MemoryFileSystem, "out")["failed.jsonl"].decode().splitlines()
    assert sorted(json.loads(line)["reason"] for line in lines) == sorted(said)
    assert "memory:///in/0000.png: no space in the bucket" in said


def test_a_killed_run_in_a_store_is_taken_up(
    tmp_path: Path, stores: None, in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in draw_photos(tmp_path / "in", 10):
        MemoryFileSystem().pipe_file(f"/in/{path.name}", path.read_bytes())
    batch = toy_batch("memory://in", "memory://out")
    from bigans.batch.rates import Rates

    count = iter(range(6))
    add = Rates.add

    def stops(self: Rates, outcome: Any) -> None:
        add(self, outcome)
        if next(count) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rates, "add", stops)
        with pytest.raises(KeyboardInterrupt):
            run(batch, lambda line: None)
    summary = run(batch, lambda line: None)
    assert summary.skipped >= 6 and summary.done + summary.skipped == 10
    assert len(objects(MemoryFileSystem, "out")) == 10


@pytest.mark.parametrize("is_new", [True, False])
def test_what_another_worker_has_put_meanwhile_stays(
    tmp_path: Path, stores: None, is_new: bool
) -> None:
    place = open_place("memory://out/a.png")
    place.system.pipe_file(place.path, b"theirs")
    file = tmp_path / "mine"
    file.write_bytes(b"mine, o")
    file.write_bytes(b"mine's")  # as long: the same photo, model and settings
    place.publish(file, is_new=is_new)
    assert place.read() == (b"theirs" if is_new else b"mine's")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on this machine."""
    reason = "needs moto[server] and s3fs, whose requirements are not those of the lock file"
    moto_server = pytest.importorskip("moto.server", reason=reason)
    pytest.importorskip("s3fs", reason=reason)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
    }.items():
        monkeypatch.setenv(name, value)
    yield address
    server.stop()


def test_a_batch_in_s3(tmp_path: Path, s3: str) -> None:
    """Two processes, and a server of S3 on loopback."""
    photos = draw_photos(tmp_path / "in", 20)
    plain_loop(photos, tmp_path / "plain")
    system, _ = fsspec.core.url_to_fs("s3://photos")
    for bucket in ("photos", "results"):
        system.mkdir(bucket)
    for path in photos:
        system.pipe_file(f"photos/2024/{path.name}", path.read_bytes())
    batch = toy_batch("s3://photos/**/*.png", "s3://results/large", workers=Workers(number=2))
    said: list[str] = []
    assert run(batch, said.append) == Summary(20, 0, 0, 0, 0)
    for name, content in files_in(tmp_path / "plain").items():
        assert system.cat_file(f"results/large/2024/{name}") == content
    assert run(batch, said.append) == Summary(0, 20, 0, 0, 0)
    assert said == []
    assert threading.active_count() < 50
