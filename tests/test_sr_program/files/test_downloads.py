import dataclasses
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sr_program.errors import DataError
from sr_program.files import downloads
from sr_program.files.downloads import PublishedFile, fetch

CONTENT = np.random.default_rng(3).bytes(300_000)
BLOB_ID = hashlib.sha1(b"blob 300000\0" + CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT, at /good completely."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.half_sent = threading.Event()
        self.go_on = threading.Event()

    def file(self, path: str) -> PublishedFile:
        url = f"http://127.0.0.1:{self.server_port}{path}"
        return PublishedFile("any.mat", "the model of a test", url, BLOB_ID, "--any_model")

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unknown_length":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path in ("/good", "/unknown_length"):
            self.wfile.write(CONTENT)
        elif self.path == "/wrong":
            self.wfile.write(CONTENT[:-1] + b"\0")
        elif self.path == "/truncated":
            self.wfile.write(CONTENT[:100_000])
        elif self.path == "/reset":
            self.wfile.write(CONTENT[:100_000])
            self.wfile.flush()
            # no orderly end: the connection breaks
            linger = (1).to_bytes(4, sys.byteorder) + bytes(4)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.shutdown(socket.SHUT_WR)
        elif self.path == "/slow":
            self.wfile.write(CONTENT[:150_000])
            self.wfile.flush()
            self.server.half_sent.set()
            self.server.go_on.wait(60)
            self.wfile.write(CONTENT[150_000:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


def visible(folder: Path) -> list[str]:
    """Everything that is not the lock."""
    if not folder.exists():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def complaint(file: PublishedFile, cache: Path) -> str:
    with pytest.raises(DataError) as caught:
        fetch(file, cache)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(cache / "any.mat")) and "--any_model=PATH" in message
    return message


@pytest.mark.parametrize(("path", "good"), [("/good", True), ("/wrong", False)])
def test_a_file_that_is_known_by_its_md5(server, tmp_path, path, good):
    md5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    file = dataclasses.replace(server.file(path), content=md5)
    if not good:
        assert f"expected {md5}" in complaint(file, tmp_path)
        assert visible(tmp_path) == []
        return
    for _ in range(2):
        assert fetch(file, tmp_path).read_bytes() == CONTENT
    assert server.requests == ["/good"]


def test_a_file_is_downloaded_once(server, tmp_path, capfd):
    cache = tmp_path / "new" / "cache"
    for _ in range(2):
        path = fetch(server.file("/good"), cache)
        assert path == cache / "any.mat"
        assert path.read_bytes() == CONTENT
    assert server.requests == ["/good"]
    assert visible(cache) == ["any.mat"]
    assert capfd.readouterr() == ("", "")  # a progress bar only on a terminal


def test_a_server_that_does_not_tell_the_length(server, tmp_path):
    assert fetch(server.file("/unknown_length"), tmp_path).read_bytes() == CONTENT


def test_the_cache_of_the_pretrained_models_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("BIGANS_CACHE", str(tmp_path / "named"))
    assert fetch(server.file("/good")) == tmp_path / "named" / "any.mat"


def test_a_damaged_copy_is_replaced(server, tmp_path):
    path = tmp_path / "any.mat"
    path.write_bytes(CONTENT[:-5])
    assert fetch(server.file("/good"), tmp_path).read_bytes() == CONTENT
    assert server.requests == ["/good"]


def test_a_genuine_copy_needs_neither_network_nor_a_writable_folder(tmp_path, server, monkeypatch):
    (tmp_path / "any.mat").write_bytes(CONTENT)

    def fail(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(downloads.filelock, "FileLock", fail)
    assert fetch(server.file("/missing"), tmp_path).read_bytes() == CONTENT
    assert server.requests == []


def test_what_is_in_the_cache_is_found_without_the_network(tmp_path, server):
    assert downloads.cached(server.file("/good"), tmp_path) is None
    (tmp_path / "any.mat").write_bytes(CONTENT[:-1])
    assert downloads.cached(server.file("/good"), tmp_path) is None
    (tmp_path / "any.mat").write_bytes(CONTENT)
    assert downloads.cached(server.file("/good"), tmp_path) == tmp_path / "any.mat"
    assert server.requests == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/truncated", "100000 of 300000 bytes"),
        ("/reset", ""),
        ("/missing", "Not Found"),
        ("/wrong", f"expected {BLOB_ID}"),
    ],
)
def test_nothing_but_the_whole_file_is_kept(server, tmp_path, path, reason):
    file = server.file(path)
    message = complaint(file, tmp_path)
    assert reason in message and file.url in message
    assert visible(tmp_path) == []
    # and the next try succeeds
    assert fetch(server.file("/good"), tmp_path).read_bytes() == CONTENT


def test_a_damaged_copy_stays_when_it_cannot_be_replaced(server, tmp_path):
    (tmp_path / "any.mat").write_bytes(b"damaged")
    complaint(server.file("/truncated"), tmp_path)
    assert (tmp_path / "any.mat").read_bytes() == b"damaged"


def test_offline(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but nobody listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/any.mat"
        file = PublishedFile("any.mat", "the model of a test", url, BLOB_ID, "--any_model")
        message = complaint(file, tmp_path)
    assert url in message and "refused" in message
    unknown = dataclasses.replace(file, url="http://no-such-host.invalid/any.mat")
    assert "no-such-host.invalid" in complaint(unknown, tmp_path)
    assert visible(tmp_path) == []


def test_a_server_that_says_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.2)
    assert "timed out" in complaint(server.file("/slow"), tmp_path)
    assert visible(tmp_path) == []


def test_a_cache_that_cannot_be_written(server, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    message = complaint(server.file("/good"), blocked)
    assert "BIGANS_CACHE" in message
    assert server.requests == []


def test_two_at_once_download_once(server, tmp_path):
    file = server.file("/slow")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetch, file, tmp_path)
        assert server.half_sent.wait(30)
        second = pool.submit(fetch, file, tmp_path)
        time.sleep(0.3)  # the second has come as far as it can
        assert not first.done() and not second.done()
        assert not (tmp_path / "any.mat").exists()  # nobody sees a half
        server.go_on.set()
        assert first.result(30) == second.result(30) == tmp_path / "any.mat"
    assert server.requests == ["/slow"]
    assert visible(tmp_path) == ["any.mat"]


PROGRAM = """
import sys
from sr_program.files.downloads import PublishedFile, fetch
url, blob_id, cache = sys.argv[1:]
fetch(PublishedFile("any.mat", "the model of a test", url, blob_id, "--any_model"), cache)
"""


def started(
    file: PublishedFile, cache: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, file.url, file.content, str(cache)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download(server, tmp_path, subprocess_environment, stop):
    process = started(server.file("/slow"), tmp_path, subprocess_environment)
    try:
        deadline = time.monotonic() + 60
        while not visible(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert visible(tmp_path) and "any.mat" not in visible(tmp_path)
        process.send_signal(stop)
        assert process.wait(60) != 0
    finally:
        process.kill()
    left = visible(tmp_path)
    assert len(left) == (stop == signal.SIGKILL) and "any.mat" not in left
    # the lock is free, and what the killed one left is cleared away
    assert fetch(server.file("/good"), tmp_path).read_bytes() == CONTENT
    assert visible(tmp_path) == ["any.mat"]


def test_two_processes_at_once_download_once(server, tmp_path, subprocess_environment):
    file = server.file("/slow")
    processes = [started(file, tmp_path, subprocess_environment) for _ in range(2)]
    try:
        assert server.half_sent.wait(60)
        server.go_on.set()
        assert [process.wait(60) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    assert server.requests == ["/slow"]
    assert (tmp_path / "any.mat").read_bytes() == CONTENT
