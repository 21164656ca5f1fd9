"""Load on a served model: requests a second, and how long they take.

    python -m benchmarks.serving --model=models/bi_gans_st/1 --side=48

asks the bare graph by 1, 4 and 16 threads, then the same through gRPC on a stand-in server, which
runs each request by itself, and at last merges them as --batching_config says; or
--server=HOST:PORT, a server that runs. With --batch=4 a request holds four images.

    python -m benchmarks.serving --model=models/bi_gans_st/1 --photo=1920x1080 --fused=DIR

has one photo enlarged, and prints the seconds, those of all processor cores together (which other
work beside it changes less), and the peak of the process' memory; with the same generators as a
fused model (pretrained), also those of the upscaler. Each has its own process.
"""

from __future__ import annotations

import concurrent.futures
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from absl import flags

from benchmarks.serving.bare_session import BareSession
from benchmarks.serving.batching import Batching, read_parameters
from benchmarks.serving.one_photo import Cost, drawn_photo, in_a_session, in_the_upscaler
from benchmarks.serving.stand_in_server import StandInServer
from benchmarks.timing.own_process import in_own_process
from bigans.models.server.calls import Server
from bigans.models.server.connection import connect
from sr_program import entry_point
from sr_program.errors import UsageError

_CLIENTS = (1, 4, 16)
_BATCHING = Path(__file__).parents[2] / "configs" / "serving" / "batching.config"
Ask = Callable[[], object]


def cli_main() -> NoReturn:
    """Runs the command."""
    flags.DEFINE_string("model", None, "A version's directory.")
    flags.DEFINE_string("server", None, "HOST:PORT of a server that runs, instead.")
    flags.DEFINE_integer("side", 48, "LR pixels of an image's side.", lower_bound=1)
    flags.DEFINE_integer("batch", 1, "Images of a request.", lower_bound=1)
    flags.DEFINE_string("batching_config", str(_BATCHING), "How the stand-in merges requests.")
    flags.DEFINE_integer("requests", 32, "For each line.", lower_bound=1)
    flags.DEFINE_string("photo", None, "WIDTHxHEIGHT, LR pixels: one photo instead of a load.")
    flags.DEFINE_string("fused", None, "Beside --photo: the same generators as the upscaler's.")
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    values = flags.FLAGS
    entry_point.refuse_positional(positional)
    if (values.model is None) == (values.server is None):
        raise UsageError("name --model=DIR or --server=HOST:PORT")
    if values.photo is not None:
        _one_photo(values.model, values.photo, values.fused)
        return
    shape = (values.batch, values.side, values.side, 3)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    print("asked            clients  images/s    p50 s    p95 s    p99 s")
    if values.server is not None:
        _through(values.server, image, values.requests)
        return
    session = BareSession(Path(values.model))
    _rows("bare graph", lambda: session.run("image_only", image=image), image, values.requests)
    with StandInServer({1: session}) as server:
        _through(server.grpc_address, image, values.requests)
    with (
        Batching(read_parameters(Path(values.batching_config))) as batching,
        StandInServer({1: session}, batching=batching) as server,
    ):
        _through(server.grpc_address, image, values.requests, "gRPC, batching")


def _one_photo(model: str | None, size: str, fused: str | None) -> None:
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if found is None:
        raise UsageError(f"--photo={size} is no size; write WIDTHxHEIGHT, as 1920x1080")
    if model is None:
        raise UsageError("--photo goes with --model=DIR")
    image = drawn_photo(int(found[2]), int(found[1]))
    served = in_own_process(in_a_session, model, image)
    print("                 seconds  of processors  peak MB")
    print(f"served graph     {_row(served)}", flush=True)
    if fused is not None:
        tiles = in_own_process(in_the_upscaler, fused, image)
        print(f"upscaler's tiles {_row(tiles)}")
        print(f"ratio            {_ratio(served[0], tiles[0])}  {_ratio(served[1], tiles[1]):>13}")


def _row(cost: Cost) -> str:
    return f"{cost.seconds:7.1f}  {cost.processor_seconds:13.1f}  {cost.peak / 1e6:7.0f}"


def _ratio(one: float, other: float) -> str:
    return f"{one / other:7.2f}"


def _through(address: str, image: np.ndarray, requests: int, title: str = "gRPC") -> None:
    with connect(Server(address, deadline=600)) as calls:
        _rows(title, lambda: calls.predict("image_only", {"image": image}), image, requests)


def _rows(title: str, ask: Ask, image: np.ndarray, requests: int) -> None:
    ask()  # the first one takes seconds

    def timed(_: int) -> float:
        begin = time.perf_counter()
        ask()
        return time.perf_counter() - begin

    for clients in _CLIENTS:
        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            seconds = list(pool.map(timed, range(requests)))
        rate = requests * len(image) / (time.perf_counter() - begin)
        quantiles = "  ".join(f"{value:7.3f}" for value in np.quantile(seconds, [0.5, 0.95, 0.99]))
        print(f"{title:15}  {clients:7}  {rate:8.2f}  {quantiles}")


if __name__ == "__main__":
    cli_main()
