"""The client against a server of the real protocols over the real loader, with faults."""

import contextlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serving.bare_session import BareSession
from benchmarks.serving.stand_in_server import StandInServer, delay, first
from bigans import Upscaler
from bigans.models.server import messages
from bigans.models.server.calls import Server, ServerError
from bigans.models.server.connection import connect
from bigans.models.server.tensors import to_array, to_message
from bigans.serving.one_photo import enlarge_file
from bigans.upscaler.tiles.tiling import Tiling
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError, UsageError

UNAVAILABLE, EXHAUSTED, INVALID = 14, 8, 3
WAYS = ("grpc", "rest")


def noise(height: int, width: int, batch: int = 1) -> Any:
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def started(session: BareSession):
    with StandInServer({1: session}) as server:
        yield server


@pytest.fixture
def server(started: StandInServer):
    started.fault, started.requests, started.truncate = (lambda: None), 0, False
    return started


def ask(server: Server, image: Any) -> dict[str, Any]:
    with connect(server) as calls:
        return calls.predict("image_only", {"image": image})


def address(server: StandInServer, way: str) -> str:
    return server.grpc_address if way == "grpc" else server.rest_address


@pytest.mark.parametrize("way", WAYS)
def test_requests(server, session, way: str) -> None:
    image = noise(9, 12, 2)
    with connect(Server(address(server, way))) as calls:
        assert calls.is_ready()
        inputs = {"image": image, "xi": np.array([0.2, 0.9], np.float32)}
        inputs["max_deviation"] = np.array([-1], np.float32)
        found = calls.predict("serving_default", inputs)["sr" if way == "grpc" else ""]
        assert np.array_equal(found, session.run("serving_default", **inputs)["sr"])
        parts = calls.predict("components", inputs)
        for name, wanted in session.run("components", **inputs).items():
            assert np.allclose(parts[name], wanted, atol=1e-3)
        (alone,) = calls.predict("image_only", {"image": image}).values()
        assert np.array_equal(alone, session.run("image_only", image=image)["sr"])
        if way == "grpc":  # a server fills defaults in gRPC only
            assert np.array_equal(calls.predict("serving_default", {"image": image})["sr"], alone)
        else:
            with pytest.raises(ServerError, match="Missing input"):
                calls.predict("serving_default", {"image": image})


@pytest.mark.parametrize("way", WAYS)
def test_encoded_pictures(server, session, way: str, tmp_path: Path) -> None:
    write_rgb(tmp_path / "a.png", noise(8, 9)[0])
    files = np.empty(1, object)
    files[0] = (tmp_path / "a.png").read_bytes()
    inputs = {
        "image_bytes": files,
        "xi": np.array([0.5], np.float32),
        "max_deviation": np.array([-1], np.float32),
        "jpeg_quality": np.array([0], np.int32),
    }
    with connect(Server(address(server, way))) as calls:
        (found,) = calls.predict("bytes", inputs).values()
    (tmp_path / "b.png").write_bytes(found[0])
    xi = np.array([0.5], np.float32)
    wanted = session.run("serving_default", image=noise(8, 9), xi=xi)["sr"][0]
    assert np.array_equal(read_rgb(tmp_path / "b.png"), wanted)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", [UNAVAILABLE, EXHAUSTED])
def test_a_busy_server_is_asked_again(server, way: str, code: int) -> None:
    server.fault = first(2, code)
    with connect(Server(address(server, way))) as calls:
        assert calls.predict("image_only", {"image": noise(4, 4)})
    assert server.requests == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_refusal_is_told_and_not_repeated(server, way: str) -> None:
    with connect(Server(address(server, way))) as calls:
        with pytest.raises(ServerError, match="remove an alpha channel"):
            calls.predict("image_only", {"image": np.zeros((1, 4, 4, 4), np.uint8)})
        assert server.requests == 1
        server.fault = first(1, INVALID)
        with pytest.raises(ServerError, match="injected"):
            calls.predict("image_only", {"image": noise(4, 4)})
        assert server.requests == 2


@pytest.mark.parametrize("way", WAYS)
def test_deadline(server, way: str) -> None:
    server.fault = delay(8)
    begin = time.monotonic()
    with pytest.raises(ServerError, match=r"no answer within 0\.3 s"):
        ask(Server(address(server, way), deadline=0.3), noise(4, 4))
    assert time.monotonic() - begin < 7
    assert server.requests == 1


@pytest.mark.parametrize("way", WAYS)
def test_busy_until_the_deadline(server, way: str) -> None:
    server.fault = first(100, UNAVAILABLE)
    begin = time.monotonic()
    with pytest.raises(ServerError, match="busy"):
        ask(Server(address(server, way), deadline=0.5), noise(4, 4))
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize("way", WAYS)
def test_a_truncated_answer(server, way: str) -> None:
    server.truncate = True
    with connect(Server(address(server, way), deadline=1)) as calls, pytest.raises(ServerError):
        calls.predict("image_only", {"image": noise(4, 4)})


class Resetting:
    """Between a client and a server: the first connections are reset, the others passed on."""

    def __init__(self, target: str, resets: int) -> None:
        self.resets = resets
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = host, int(port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = target.replace(port, str(self._listening.getsockname()[1]))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.resets:
                self.resets -= 1
                client.recv(100)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()  # with a lingering time of 0 this is a reset
                continue
            server = socket.create_connection(self._target)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := one.recv(1 << 16):
                other.sendall(content)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listening.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_reset_is_made_again(server, session, way: str) -> None:
    image = noise(4, 4)
    with contextlib.closing(Resetting(address(server, way), resets=2)) as between:
        (found,) = ask(Server(between.address), image).values()
        assert between.resets == 0 and server.requests == 1
        assert np.array_equal(found, session.run("image_only", image=image)["sr"])
        between.resets = 1000
        with pytest.raises(ServerError, match=r"cannot be reached|busy"):
            ask(Server(between.address, deadline=1), image)
    assert server.requests == 1


def test_the_attempts_outlast_the_pauses_of_grpcs_channel(
    server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is drawn, six attempts take more than three seconds."""
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    server.fault = first(5, UNAVAILABLE)
    assert ask(Server(address(server, "grpc")), noise(4, 4))
    assert server.requests == 6 and len(pauses) == 5
    assert pauses == sorted(pauses) and sum(pauses) > 3


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_nobody_there(scheme: str) -> None:
    with (
        connect(Server(f"{scheme}127.0.0.1:9", deadline=0.5)) as calls,
        pytest.raises(ServerError, match="127.0.0.1:9"),
    ):
        calls.is_ready()


@pytest.mark.parametrize("way", WAYS)
def test_other_model_or_version(server, session, way: str) -> None:
    options: Any
    for options in ({"name": "other"}, {"version": 7}, {"label": "canary"}):
        with pytest.raises(ServerError, match="not found"):
            ask(Server(address(server, way), **options), noise(4, 4))
    server.versions[2] = session
    server.labels["canary"] = 2
    for options in ({"version": 1}, {"label": "canary"}, {}):
        with connect(Server(address(server, way), **options)) as calls:
            assert calls.predict("image_only", {"image": noise(4, 4)})
    del server.versions[2]


def test_an_answer_larger_than_allowed(server) -> None:
    with pytest.raises(ServerError, match="raise max_message_mb"):
        ask(Server(server.grpc_address, max_message_mb=0.01), noise(40, 40))
    assert server.requests == 1


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("localhost", {}),
        ("localhost:x", {}),
        ("localhost:1", {"deadline": 0}),
        ("localhost:1", {"version": 1, "label": "stable"}),
        ("localhost:1", {"max_message_mb": 4000}),
    ],
)
def test_bad_servers(address: str, options: Any) -> None:
    with pytest.raises(UsageError):
        Server(address, **options)
    with pytest.raises(DataError, match="certificates"):
        Server("localhost:1", root_certificates=Path("none.pem"))


@pytest.mark.parametrize("way", WAYS)
def test_the_upscaler_with_a_server(server, fused_dir: Path, way: str) -> None:
    """Far larger than one request; ξ is that of the whole photo."""
    rows, columns = np.mgrid[:90, :120] / 30
    image = 120 + 90 * np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], -1)
    image = image.astype(np.uint8)
    tiling = Tiling(overlap=4)
    here = Upscaler(fused_dir, tiling=tiling)
    there = Upscaler(f"server:{address(server, way)}", tiling=tiling)
    assert there.facts.weights == here.facts.weights
    how: Any
    for how in ({}, {"xi": 0.2}, {"max_deviation": 4.0}):
        difference = np.abs(there(image, **how).astype(int) - here(image, **how))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01
    assert server.requests > 6
    tight = Upscaler(f"server:{address(server, way)}", tiling=Tiling(overlap=30))
    with pytest.raises(UsageError, match="choose less overlap"):
        tight(image)


def test_the_program(server, tmp_path: Path, call_program, capfd) -> None:
    from bigans.serving.client import cli_main

    photo, output = tmp_path / "a.png", tmp_path / "b.png"
    write_rgb(photo, noise(20, 30)[0])
    target = server.rest_address.removeprefix("http://")
    arguments = (photo, f"--output={output}", "--xi=0.5")
    assert call_program(cli_main, *arguments, f"--server={server.grpc_address}") == 0
    by_grpc = read_rgb(output)
    assert call_program(cli_main, *arguments, f"--server={target}", "--rest") == 0
    assert np.array_equal(read_rgb(output), by_grpc)
    assert by_grpc.shape == (80, 120, 3)
    capfd.readouterr()
    output.unlink()
    assert call_program(cli_main, *arguments, "--server=nowhere") == 2
    assert call_program(cli_main, *arguments, f"--server={target}", "--rest", "--name=other") == 1
    assert call_program(cli_main, photo, f"--output={output}", "--xi=2") == 2
    assert len(capfd.readouterr().err.splitlines()) == 3
    assert not output.exists()


def test_nothing_of_tensorflow_is_needed(server, tmp_path: Path, subprocess_environment) -> None:
    write_rgb(tmp_path / "a.png", noise(20, 30)[0])
    for program, flag in (("bigans", "--model=server:"), ("bigans.serving.client", "--server=")):
        without = (
            "import runpy, sys; sys.modules['tensorflow'] = None; "
            f"sys.argv[0] = {program!r}; runpy.run_module({program!r}, run_name='__main__')"
        )
        arguments = ["a.png", f"--output={program}.png", f"{flag}{server.grpc_address}"]
        command = [sys.executable, "-c", without, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert read_rgb(tmp_path / f"{program}.png").shape == (80, 120, 3)


def test_two_versions_are_swapped_under_load(server, session) -> None:
    import concurrent.futures

    target = Server(server.grpc_address)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ask, target, noise(8, 8)) for _ in range(40)]
        server.versions[2] = session
        server.versions.pop(1)
        results = [one.result()["sr"] for one in waiting]
    server.versions[1] = server.versions.pop(2)
    assert all(np.array_equal(one, results[0]) for one in results)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Two keys and their certificates, each signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl, for certificates")
    folder = tmp_path_factory.mktemp("certificates")
    made = [(folder / f"{name}.key", folder / f"{name}.pem") for name in ("own", "other")]
    for key, certificate in made:
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
            + ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
    return made


@pytest.mark.parametrize("way", WAYS)
def test_encrypted(session, certificates, way: str, tmp_path: Path, call_program) -> None:
    from bigans.serving.client import cli_main

    own, other = certificates
    with StandInServer({1: session}, certificate=own) as server:
        where, image = address(server, way), noise(4, 5)
        (found,) = ask(Server(where, root_certificates=own[1]), image).values()
        assert np.array_equal(found, session.run("image_only", image=image)["sr"])
        write_rgb(tmp_path / "a.png", image[0])
        arguments = [tmp_path / "a.png", f"--output={tmp_path / 'b.png'}", f"--server={where}"]
        assert call_program(cli_main, *arguments, f"--root_certificates={own[1]}") == 0
        assert read_rgb(tmp_path / "b.png").shape == (16, 20, 3)
        requests = server.requests
        # Signed by another; by nobody who is known, or not encrypted; not encrypted.
        plain = where.replace("https:", "http:")
        unknown = [Server(where, root_certificates=other[1], deadline=1)]
        unknown += [Server(one, deadline=1) for one in (where, plain)]
        for refused in unknown:
            with pytest.raises(ServerError):
                ask(refused, image)
        assert server.requests == requests


def test_messages_are_the_servers_own() -> None:
    """Both ways, between these messages and those of tensorflow-serving-api."""
    pytest.importorskip("tensorflow_serving", reason="pip install --no-deps tensorflow-serving-api")
    import tensorflow as tf
    from tensorflow_serving.apis import get_model_status_pb2, predict_pb2, prediction_log_pb2  # pyright: ignore[reportMissingImports]

    theirs = predict_pb2.PredictRequest()
    theirs.model_spec.name, theirs.model_spec.signature_name = "m", "bytes"
    theirs.model_spec.version.value = 3
    values = {"a": noise(3, 4), "b": np.array([0.5], np.float32), "c": np.arange(3, dtype=np.int64)}
    for name, value in values.items():
        theirs.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    theirs.inputs["t"].CopyFrom(tf.make_tensor_proto([b"x", b"yz"]))
    ours = messages.PredictRequest.FromString(theirs.SerializeToString())
    assert ours.model_spec.version.value == 3 and ours.model_spec.signature_name == "bytes"
    for name, value in values.items():
        assert np.array_equal(to_array(ours.inputs[name]), value)
        back = predict_pb2.PredictRequest()
        back.inputs[name].MergeFromString(to_message(value).SerializeToString())
        assert np.array_equal(tf.make_ndarray(back.inputs[name]), value)
    assert to_array(ours.inputs["t"]).tolist() == [b"x", b"yz"]
    log = messages.PredictionLog()
    log.predict_log.request.CopyFrom(ours)
    read = prediction_log_pb2.PredictionLog.FromString(log.SerializeToString())
    assert read.predict_log.request.model_spec.name == "m"
    status = get_model_status_pb2.GetModelStatusResponse()
    status.model_version_status.add(version=1, state=messages.AVAILABLE)
    found = messages.GetModelStatusResponse.FromString(status.SerializeToString())
    assert found.model_version_status[0].state == messages.AVAILABLE
    assert get_model_status_pb2.ModelVersionStatus.State.Name(messages.AVAILABLE) == "AVAILABLE"


def test_numbers_written_one_by_one() -> None:
    """As a server writes them without --enable_serialization_as_tensor_content."""
    message = messages.TensorProto(dtype=4, int_val=[1, 2, 3, 4])
    message.tensor_shape.dim.add(size=2)
    message.tensor_shape.dim.add(size=2)
    assert to_array(message).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match="cannot be read"):
        to_array(messages.TensorProto(dtype=20))


@pytest.mark.parametrize("port", ["0", "65536", "99999", "8500x", "-1", ""])
def test_what_is_no_port(port: str) -> None:
    with pytest.raises(UsageError, match="write HOST:PORT"):
        Server(f"localhost:{port}")


def test_a_result_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    write_rgb(photo, np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "link.png").symlink_to(photo)
    nobody = Server("localhost:1", deadline=0.1)
    for name, message in (
        ("photo.png", "is the photo itself"),
        ("link.png", "itself"),
        ("a.x", "a.x"),
    ):
        with pytest.raises(UsageError, match=message):
            enlarge_file(nobody, photo, tmp_path / name)
