"""What any server of the exported model must do, asked by the client, by gRPC and by REST.

The servers are the stand-in, always; `tensorflow_model_server` with the toy's model, where it is on
PATH; and one that runs already:

    SERVED_MODEL=models/bi_gans_st/1 TF_SERVING_ADDRESS=HOST:8500 TF_SERVING_URL=http://HOST:8501 \
        python -m pytest tests/test_bigans/serving/test_end_to_end.py

Results are compared with those of TensorFlow's own loader here, within one grey level: a server may
be of another build of TensorFlow.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serving.bare_session import BareSession
from benchmarks.serving.stand_in_server import StandInServer
from bigans.models.server.calls import Calls, Server, ServerError
from bigans.models.server.connection import connect
from bigans.serving.client import cli_main
from sr_images.image_io import read_rgb, write_rgb
from tests.test_bigans.serving.test_in_a_session import encoded, noise, numbers, texts

_BINARY = "tensorflow_model_server"
_READY = 120  # seconds until a server must have loaded and warmed its model


@dataclasses.dataclass(frozen=True)
class Served:
    """A server's two addresses, and its model under the loader of this process."""

    addresses: dict[str, str]
    session: BareSession

    def expected(self, signature: str, **inputs: Any) -> dict[str, Any]:
        return self.session.run(signature, **inputs)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def _stand_in(exported: Path) -> Iterator[Served]:
    session = BareSession(exported / "1")
    with StandInServer({1: session}) as server:
        yield Served({"grpc": server.grpc_address, "rest": server.rest_address}, session)


@contextlib.contextmanager
def _binary(exported: Path) -> Iterator[Served]:
    found = shutil.which(_BINARY)
    if found is None:
        pytest.skip(f"needs {_BINARY} on PATH, 2.21 or later")
    grpc, rest = _free_port(), _free_port()
    command = [found, f"--port={grpc}", f"--rest_api_port={rest}", "--model_name=bi_gans_st"]
    process = subprocess.Popen([*command, f"--model_base_path={exported.resolve()}"])
    try:
        addresses = {"grpc": f"127.0.0.1:{grpc}", "rest": f"http://127.0.0.1:{rest}"}
        yield Served(addresses, BareSession(exported / "1"))
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def _running(exported: Path) -> Iterator[Served]:
    del exported
    names = {"grpc": "TF_SERVING_ADDRESS", "rest": "TF_SERVING_URL"}
    addresses = {way: os.environ[name] for way, name in names.items() if os.environ.get(name)}
    model = os.environ.get("SERVED_MODEL")
    if not (addresses and model):
        pytest.skip(
            "needs a server that runs: TF_SERVING_ADDRESS=HOST:8500 or TF_SERVING_URL=http://HOST:"
            "8501, and SERVED_MODEL=DIR/1, the version that it serves"
        )
    yield Served(addresses, BareSession(Path(model)))


@pytest.fixture(scope="module", params=[_stand_in, _binary, _running], ids=lambda one: one.__name__)
def served(request: pytest.FixtureRequest, exported: Path) -> Iterator[Served]:
    with request.param(exported) as found:
        yield found


@pytest.fixture(params=["grpc", "rest"])
def calls(request: pytest.FixtureRequest, served: Served) -> Iterator[Calls]:
    address = served.addresses.get(request.param)
    if address is None:
        pytest.skip(f"the server that runs has no address for {request.param}")
    with connect(Server(address)) as opened:
        end = time.monotonic() + _READY
        while not _is_ready(opened):
            assert time.monotonic() < end, f"{address} is not ready after {_READY} s"
            time.sleep(1)
        yield opened


def _is_ready(calls: Calls) -> bool:
    try:
        return calls.is_ready()
    except ServerError:
        return False


def assert_close(found: Any, expected: Any, levels: float = 1) -> None:
    assert np.shape(found) == expected.shape
    assert np.abs(np.asarray(found, float) - expected).max() <= levels


@pytest.mark.parametrize("signature", ["serving_default", "unrounded"])
def test_one_image_and_many(calls: Calls, served: Served, signature: str) -> None:
    for batch, xi in ((1, numbers(0.4)), (3, numbers(0.0, 0.5, 1.0))):
        inputs = {"image": noise(20, 30, batch), "xi": xi, "max_deviation": numbers(-1)}
        (sr,) = calls.predict(signature, inputs).values()
        assert_close(sr, served.expected(signature, **inputs)["sr"])


def test_the_image_alone(calls: Calls, served: Served) -> None:
    image = noise(9, 11)
    (sr,) = calls.predict("image_only", {"image": image}).values()
    assert_close(sr, served.expected("image_only", image=image)["sr"])


def test_defaults(calls: Calls, served: Served) -> None:
    """A server fills them in gRPC, and names what is missing in REST."""
    image = noise(9, 11)
    if calls.server.address == served.addresses.get("grpc"):
        (sr,) = calls.predict("serving_default", {"image": image}).values()
        assert_close(sr, served.expected("serving_default", image=image)["sr"])
    else:
        with pytest.raises(ServerError, match="xi"):
            calls.predict("serving_default", {"image": image})


def test_a_bound_in_place_of_xi(calls: Calls, served: Served) -> None:
    inputs = {"image": noise(12, 12), "xi": numbers(0.73), "max_deviation": numbers(3)}
    found = calls.predict("components", inputs)
    expected = served.expected("components", **inputs)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert_close(found[name], value)


def test_pictures_of_several_sizes(calls: Calls, served: Served, tmp_path: Path) -> None:
    files = texts(encoded(noise(8, 9)[0], "PNG"), encoded(noise(15, 5)[0], "JPEG", quality=95))
    inputs = {"image_bytes": files, "xi": numbers(0.5), "max_deviation": numbers(-1)}
    inputs["jpeg_quality"] = np.array([0], np.int32)
    (found,) = calls.predict("bytes", inputs).values()
    expected = served.expected("bytes", **inputs)["sr_bytes"]
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        places = tmp_path / f"{number}.png", tmp_path / f"{number}_expected.png"
        for place, content in zip(places, (one, other), strict=True):
            place.write_bytes(content)
        assert_close(read_rgb(places[0]), read_rgb(places[1]))


@pytest.mark.parametrize(
    ("signature", "inputs", "words"),
    [
        ("image_only", {"image": np.zeros((1, 4, 4, 4), np.uint8)}, "remove an alpha channel"),
        ("image_only", {"image": np.zeros((4, 4, 3), np.uint8)}, "3 dimensions"),
        ("image_only", {"image": np.zeros((1, 1, 4, 4, 3), np.uint8)}, "5 dimensions"),
        ("serving_default", {"image": noise(4, 4), "xi": numbers(1.5)}, "xi must lie in"),
        ("serving_default", {"image": noise(4, 4), "xi": numbers(0.1, 0.2)}, "xi has shape 2"),
        ("bytes", {"image_bytes": texts(b"no picture")}, r"image_bytes\[0\]"),
    ],
)
def test_refusals_are_told_and_the_next_is_served(
    calls: Calls, signature: str, inputs: dict[str, Any], words: str
) -> None:
    rest = {"serving_default": {}, "bytes": {"jpeg_quality": np.array([0], np.int32)}}
    if signature != "image_only":
        others = {"xi": numbers(0.5), "max_deviation": numbers(-1), **rest[signature]}
        inputs = {**others, **inputs}
    with pytest.raises(ServerError, match=words):
        calls.predict(signature, inputs)
    assert calls.predict("image_only", {"image": noise(4, 4)})


def test_what_is_told_of_the_model(calls: Calls, served: Served) -> None:
    (info,) = calls.predict("model_info", {}).values()
    (expected,) = served.expected("model_info").values()
    text = np.ravel(np.asarray(info, object))[0]
    assert (text.encode() if isinstance(text, str) else text) == np.ravel(expected)[0]


def test_many_at_once(calls: Calls, served: Served) -> None:
    images = [noise(10 + number, 12, seed=number) for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: calls.predict("image_only", {"image": one}), images))
    for image, answer in zip(images, found, strict=True):
        (sr,) = answer.values()
        assert_close(sr, served.expected("image_only", image=image)["sr"])


def test_the_program(calls: Calls, served: Served, tmp_path: Path, call_program, capfd) -> None:
    photo, output = tmp_path / "a.png", tmp_path / "b.png"
    write_rgb(photo, noise(20, 30)[0])
    arguments = photo, f"--output={output}", "--xi=0.5", f"--server={calls.server.address}"
    assert call_program(cli_main, *arguments) == 0
    expected = served.expected("serving_default", image=noise(20, 30), xi=numbers(0.5))["sr"][0]
    assert_close(read_rgb(output), expected)
    output.unlink()
    capfd.readouterr()
    assert call_program(cli_main, *arguments, "--name=other", "--deadline=5") == 1
    assert len(capfd.readouterr().err.splitlines()) == 1 and not output.exists()
