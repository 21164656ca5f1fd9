"""The program `bigans` with a model of a few lines of NumPy: no TensorFlow, no network."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sr_images.image_io import write_rgb

# Repeats every pixel 4x4. A call waits SECONDS (an environment variable) and counts itself.
TOY = """
import os, sys, time
from pathlib import Path

import numpy as np

import bigans.__main__ as program
from bigans.models.loaded_model import LoadedModel
from bigans.models.memory import TENSORFLOW
from bigans.upscaler.tiles.tiling import Tiling
from bigans.upscaler.upscaler import Upscaler
from sr_program.model_facts import ModelFacts


class Toy(LoadedModel):
    directory = Path("toy")
    inputs = frozenset({"image"})
    footprint = TENSORFLOW
    facts = ModelFacts(scale=4, radius=0)
    identity = "toy"
    has_parts = False
    gives_unrounded = takes_levels = True

    def serve(self, images, merge_inputs):
        time.sleep(float(os.environ.get("SECONDS", 0)))
        if "COMPUTED" in os.environ:
            Path(os.environ["COMPUTED"]).touch()
        return images.repeat(4, axis=1).repeat(4, axis=2)

    def serve_unrounded(self, image, merge_inputs):
        return self.serve(image[np.newaxis], merge_inputs)[0].astype(np.float32)

    def unrounded(self, image):
        return self.serve_unrounded(image, {})[np.newaxis]

    def generators(self, image):
        raise NotImplementedError

    def require_parts(self):
        raise NotImplementedError


def load(tiling):
    memory_mb = float("inf")
    if "TILES" in os.environ:  # of 40x40 pixels
        memory_mb = (TENSORFLOW.program_bytes + 1601 * TENSORFLOW.bytes_per_lr_pixel) / 1e6
    return Upscaler.of_model(Toy(), tiling=Tiling(memory_mb, overlap=0))


program._load = load
"""

AS_BIGANS = "sys.argv[0] = 'bigans'; program.cli_main()\n"

# Calls the program with one command line after the other, each a line of JSON on stdin.
SERVER = """
import contextlib, io, json, traceback

from absl import flags, logging

orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(2, 1)
for line in orders:
    order = json.loads(line)
    os.chdir(order["folder"])
    os.environ.update(order["variables"])
    sys.argv = ["bigans", *order["arguments"]]
    code, out, err = None, io.StringIO(), io.StringIO()
    logging.get_absl_handler().python_handler.stream = err
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            program.cli_main()
        except SystemExit as stop:
            code = stop.code
        except BaseException:
            traceback.print_exc()
    flags.FLAGS.unparse_flags()
    for name in order["variables"]:
        del os.environ[name]
    os.chdir("/")
    answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + "\\n")
    answers.flush()
"""

Program = Callable[..., "subprocess.Popen[str]"]
Pipe = Callable[..., "subprocess.CompletedProcess[bytes]"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def start(tmp_path: Path, subprocess_environment: dict[str, str]) -> Iterator[Program]:
    """Starts the program in `tmp_path`; environment variables of the toy are keywords."""
    script = tmp_path.parent / f"{tmp_path.name}-bigans.py"
    script.write_text(f"{TOY}\nexec(os.environ.get('FIRST', ''))\n{AS_BIGANS}")
    started = []

    def start(
        *arguments: str, stdout: Any = subprocess.PIPE, **variables: object
    ) -> "subprocess.Popen[str]":
        environment = {key: str(value) for key, value in variables.items()}
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            cwd=tmp_path,
            env={**subprocess_environment, **environment},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_default_signals,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, subprocess_environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """A process that calls the program: most tests share one, since each start takes a second."""
    script = tmp_path_factory.mktemp("server") / "server.py"
    script.write_text(f"{TOY}\n{SERVER}")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=subprocess_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def run(start: Program, request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs the program in `tmp_path` to its end; with FIRST in a process of its own."""

    def run(*arguments: str, **variables: object) -> "subprocess.CompletedProcess[str]":
        if "FIRST" not in variables:
            server = request.getfixturevalue("server")
            return _served(server, tmp_path, arguments, variables)
        process = start(*arguments, **variables)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return run


def _served(
    server: "subprocess.Popen[str]",
    folder: Path,
    arguments: tuple[str, ...],
    variables: dict[str, object],
) -> "subprocess.CompletedProcess[str]":
    assert server.stdin is not None and server.stdout is not None
    order = {
        "folder": str(folder),
        "arguments": arguments,
        "variables": {name: str(value) for name, value in variables.items()},
    }
    watchdog = threading.Timer(300, server.kill)
    watchdog.start()
    try:
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code, stdout, stderr = json.loads(server.stdout.readline())
    finally:
        watchdog.cancel()
    assert code is not None, stderr
    return subprocess.CompletedProcess(["bigans", *arguments], code, stdout, stderr)


@pytest.fixture
def pipe(tmp_path: Path, subprocess_environment: dict[str, str]) -> Pipe:
    """Runs the program in `tmp_path` with bytes on standard input, and on standard output."""
    script = tmp_path.parent / f"{tmp_path.name}-pipe.py"
    script.write_text(f"{TOY}\n{AS_BIGANS}")

    def pipe(
        *arguments: str, content: bytes, stdout: Any = subprocess.PIPE
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=tmp_path,
            env=subprocess_environment,
            input=content,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=300,
        )

    return pipe


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """noise.png, which no format makes small: its result has 130 kB and more."""
    random = np.random.default_rng(0)
    write_rgb(tmp_path / "noise.png", random.integers(0, 256, (200, 240, 3), np.uint8))
    return tmp_path / "noise.png"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 kB."""
    yield from _mounted(tmp_path / "small", "size=96k")


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody may write."""
    if os.geteuid():
        folder = tmp_path / "ro"
        folder.mkdir(0o555)
        yield folder
    else:
        yield from _mounted(tmp_path / "ro", "size=96k,ro")


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("needs the right to mount a tmpfs: run the tests as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
