"""A batch with the toy model, which costs nothing; also as a program, for tests that kill it.

python -m tests.test_bigans.batch.toy INPUT OUTPUT ENGINE [ADDRESS] [--seconds=0.1]
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from pathlib import Path
from typing import Any

from bigans import Upscaler
from bigans.batch.enlarging_worker import EnlargePhotos, one_at_a_time
from bigans.batch.running import Batch, result_names, run
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.job import Job
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.planning.plan import Order
from bigans.upscaler.task import Task
from sr_images.encoding import Encoding
from sr_program import entry_point
from sr_program.engines.engine import Workers
from tests.test_bigans.upscaler.numpy_model import NumpyModel


class SlowModel(NumpyModel):
    """Takes its time, as a network does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def serve(self, images: Any, merge_inputs: Any) -> Any:
        time.sleep(self._seconds)
        return super().serve(images, merge_inputs)


def load(seconds: float = 0.0) -> Upscaler:
    model = SlowModel(seconds)
    one_at_a_time(model)
    return Upscaler.of_model(model)


def toy_encoding(enlarging: Enlarging, form: str = "png") -> Encoding:
    """With the settings that a program would give."""
    encoding = Encoding(format=form)
    job = Job(photos=(), order=Order(output="", encoding=encoding), enlarging=enlarging)
    return Encoding(format=form, settings={**job.settings(), "model": "toy"})


def toy_batch(
    source: Any,
    output: Any,
    *,
    enlarging: Enlarging | None = None,
    seconds: float = 0.0,
    workers: Workers | None = None,
    niqe: str | None = None,
    **named: Any,
) -> Batch:
    enlarging = enlarging or Enlarging(xi=0.5)
    make = EnlargePhotos(
        output=str(output),
        load=functools.partial(load, seconds),
        enlarging=enlarging,
        encoding=toy_encoding(enlarging),
        niqe=niqe,
    )
    return Batch(
        input=str(source),
        output=str(output),
        make=make,
        names=result_names("_x4", ".png"),
        workers=workers or Workers(number=2),
        **named,
    )


def plain_loop(photos: list[Path], output: Path, enlarging: Enlarging | None = None) -> None:
    """What a batch has to be equal to."""
    enlarging = enlarging or Enlarging(xi=0.5)
    output.mkdir(exist_ok=True)
    encoding = toy_encoding(enlarging)
    tasks = [Task(path, output / f"{path.stem}_x4.png", encoding) for path in photos]
    assert enlarge_files(tasks, load(), enlarging) == []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    for name in ("input", "output", "engine"):
        parser.add_argument(name)
    parser.add_argument("address", nargs="?")
    parser.add_argument("seconds", nargs="?", type=float, default=0.1)
    given = parser.parse_args(arguments)
    workers = Workers(engine=given.engine, address=given.address or None, number=2)
    batch = toy_batch(given.input, given.output, seconds=given.seconds, workers=workers)
    summary = run(batch, lambda line: print(line, file=sys.stderr))
    print(summary)
    return 1 if summary.left else 0


if __name__ == "__main__":
    from tests.test_bigans.batch import toy  # under this name workers find it

    entry_point.run(toy.main)
