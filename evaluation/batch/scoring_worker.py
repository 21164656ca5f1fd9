"""What a worker does with an image that has to be scored; it knows no engine."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bigans.batch.photo import Outcome, Photo
from bigans.batch.scratch import Scratch, scratch_root
from bigans.batch.store import open_place
from evaluation.methods.method import RESULT_MARKS
from evaluation.scoring.protocol import MEASURES, NO_REFERENCE, Instruments, Scorer
from sr_data.benchmarks import Benchmark, BenchmarkImage, open_benchmark
from sr_data.pairs import SCALE
from sr_images.image_io import is_gray, read_rgb
from sr_program.errors import DataError, UsageError, reason

# What can be measured of an image alone.
ALONE = (*NO_REFERENCE, "perceptual_index")

_KEY_DIGITS = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoreImages:
    """Makes the function of a worker; it travels to the worker.

    Attributes:
        output: Path or address of the folder of scores.
        measures: Names of what is measured.
        instruments: What that needs; the files must be there on each machine.
        hr: Folder of the originals, as of `sr_data.benchmarks`; empty: there are none.
    """

    output: str
    measures: tuple[str, ...]
    instruments: Instruments
    hr: str = ""

    def __call__(self) -> Callable[[Photo], Outcome]:
        """Loads what the measures need.

        Raises:
            DataError: A file is missing or is not what it should be.
        """
        return _Scoring(self)


def originals(folder: str) -> Benchmark:
    """The originals in a folder, with their LR where it is there.

    Raises:
        DataError: There are none.
    """
    path = Path(folder).absolute()
    return open_benchmark(path.name, path.parent)


class _Scoring:
    """Scores images in one process."""

    def __init__(self, order: ScoreImages) -> None:
        cv2.setNumThreads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._order = order
        self._scorer = Scorer(order.instruments)
        self._scratch = Scratch(scratch_root(open_place(order.output, "output")))
        self._originals = originals(order.hr) if order.hr else None
        names = self._originals.names if self._originals else ()
        self._numbers = {name: number for number, name in enumerate(names)}
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._lock = threading.Lock()

    def __call__(self, photo: Photo) -> Outcome:
        began = time.monotonic()
        try:
            with self._scratch.folder() as folder:
                outcome = self._outcome(photo, open_place(photo.input).fetched(folder))
        except Exception as error:
            text = reason(error, most=300)
            if not isinstance(error, DataError | OSError):
                text = f"{type(error).__name__}: {text}"
            problem = text if photo.input in text else f"{photo.input}: {text}"
            outcome = Outcome(number=photo.number, status="failed", problem=problem)
        return dataclasses.replace(outcome, seconds=time.monotonic() - began, worker=self._name)

    def _outcome(self, photo: Photo, file: Path) -> Outcome:
        sr = read_rgb(file)
        found = self._original(photo, sr, file)
        digest = _digest(sr)
        key = self._key(found, digest)
        outcome = Outcome(
            number=photo.number,
            status="skipped",
            key=key,
            source=digest,
            width=sr.shape[1],
            height=sr.shape[0],
        )
        if photo.known and photo.known.key == key:
            return outcome
        with self._lock:  # the measures keep buffers, and take the cores of this worker
            scores = self._scorer(found.hr, found.lr, sr, is_gray=found.is_gray)
        wanted = self._order.measures
        values = {name: scores.values[name] for name in wanted if name in scores.values}
        if not values:
            told = [scores.problems[name] for name in ("image", *wanted) if name in scores.problems]
            raise DataError("; ".join(dict.fromkeys(told)))
        return dataclasses.replace(outcome, status="done", values=values)

    def _original(self, photo: Photo, sr: Any, file: Path) -> BenchmarkImage:
        """What the image is compared with: itself, where only the image alone is measured."""
        stem = Path(photo.input).stem
        if self._originals is None:
            small = np.ascontiguousarray(sr[::SCALE, ::SCALE])
            return BenchmarkImage(stem, sr, small, is_gray(file))
        for mark in RESULT_MARKS:
            number = self._numbers.get(stem.removesuffix(mark)) if stem.endswith(mark) else None
            if number is not None:
                return self._originals[number]
        raise DataError(f"{photo.input}: {self._order.hr} has no original of this name")

    def _key(self, image: BenchmarkImage, digest: str) -> str:
        order = self._order
        given = [digest, image.is_gray, order.measures, order.instruments.fingerprints()]
        if self._originals is not None:
            given += [_digest(image.hr), _digest(image.lr)]
        return hashlib.sha256(repr(given).encode()).hexdigest()[:_KEY_DIGITS]


def _digest(image: Any) -> str:
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def check_measures(names: str, has_originals: bool) -> tuple[str, ...]:
    """The measures that a text names, separated by commas.

    Raises:
        UsageError: One is unknown, or needs originals that are not there.
    """
    found = tuple(dict.fromkeys(name for name in names.split(",") if name))
    for name in found:
        if name not in MEASURES:
            raise UsageError(f"metrics={name}: is unknown; choose of {', '.join(MEASURES)}")
        if name not in ALONE and not has_originals:
            raise UsageError(f"metrics={name} needs the originals; name their folder: hr=DIR")
    if not found:
        raise UsageError(f"metrics= is empty; choose of {', '.join(MEASURES)}")
    return found
