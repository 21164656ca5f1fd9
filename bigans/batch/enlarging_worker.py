"""What a worker does with a photo; it knows no engine.

    fetch ─► hash ─► enlarge ─► publish
              └─ as it was: skip

Calls come from a few threads of a process. The model computes for one of them at a time, while the
others read and write.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bigans.batch.naturalness import NIQE, Naturalness
from bigans.batch.photo import Outcome, Photo
from bigans.batch.scratch import Scratch, scratch_root
from bigans.batch.store import open_place
from bigans.models.loaded_model import LoadedModel
from bigans.models.names import SERVER, Runtime, parse
from bigans.models.runtime import Computing
from bigans.upscaler import task
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.tiles.tiling import Tiling
from bigans.upscaler.upscaler import Upscaler
from sr_images.encoding import Encoding
from sr_images.limits import Limits
from sr_program.errors import DataError, UsageError, reason
from sr_program.files.hashes import file_sha256
from sr_program.machine.allocator import keep_freed_memory
from sr_program.machine.tensorflow_start import import_tensorflow_quietly

# Hexadecimal digits.
_KEY_DIGITS = 32

# What of a model computes.
_COMPUTING = ("serve", "serve_unrounded", "generators", "unrounded")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelOrder:
    """A model that each worker loads once.

    Attributes:
        name: See `bigans.models.names`.
        runtime: As for `Upscaler`.
        precision: Likewise.
        tile_above: LR pixels; larger photos are enlarged in tiles of at most so many. None: memory
            decides.
        tiling: For those.
    """

    name: str = "pretrained"
    runtime: Runtime = "tensorflow"
    precision: str | None = None
    tile_above: int | None = None
    tiling: Tiling = Tiling()

    def __call__(self) -> Upscaler:
        """Loads it.

        Raises:
            DataError: As `Computing.load`.
            UsageError: Likewise.
        """
        keep_freed_memory()
        computing = Computing(self.runtime, self.precision)
        if computing.check(self.name) == "tensorflow":
            import_tensorflow_quietly()
        model = computing.load(self.name)
        if parse(self.name).kind != SERVER:  # a server has many callers
            one_at_a_time(model)
        return Upscaler.of_model(model, tiling=self._tiling_of(model))

    def _tiling_of(self, model: LoadedModel) -> Tiling:
        if self.tile_above is None:
            return self.tiling
        print_ = model.footprint
        # Half a pixel more: a whole number must not be lost in the division.
        taken = print_.program_bytes + (self.tile_above + 0.5) * print_.bytes_per_lr_pixel
        return dataclasses.replace(self.tiling, memory_mb=taken / 1e6)


def one_at_a_time(model: LoadedModel) -> None:
    """Lets threads that call a model wait for each other: its memory is that of one photo."""
    lock = threading.RLock()

    def locked(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            with lock:
                return function(*arguments, **named)

        return call

    for name in _COMPUTING:
        setattr(model, name, locked(getattr(model, name)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnlargePhotos:
    """Makes the function of a worker; it travels to the worker.

    Example:
        work = EnlargePhotos(output="out", load=ModelOrder(name="pretrained"))
        outcome = work()(Photo(0, "cat.jpg", "cat_x4.png"))

    Attributes:
        output: Path or address of the folder of results.
        load: Loads the model.
        enlarging: How photos are enlarged.
        encoding: How results are written. Its settings are those of `Job.settings`: with the
            photo's own ξ they are what a result depends on beside its photo.
        limits: The largest files that are decoded.
        large: LR pixels; of photos that have more, a worker has one at a time in hand.
        niqe: File of NIQE's parameters, empty for those in the cache; None: it is not measured.
    """

    output: str
    load: Callable[[], Upscaler]
    enlarging: Enlarging = Enlarging()
    encoding: Encoding = Encoding()
    limits: Limits = Limits()
    large: int = 4_000_000
    niqe: str | None = None

    def __call__(self) -> Callable[[Photo], Outcome]:
        """Loads nothing yet: a rerun may have nothing to compute."""
        return _Enlarger(self)


class _CannotLoad(Exception):
    """The model cannot be loaded, which no photo is to blame for."""


class _Enlarger:
    """Enlarges photos in one process."""

    def __init__(self, order: EnlargePhotos) -> None:
        self._order = order
        self._upscaler: Upscaler | None = None
        self._loading = threading.Lock()
        self._output = open_place(order.output, "output")
        self._scratch = Scratch(scratch_root(self._output))
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._large = threading.Lock()
        self._naturalness = None if order.niqe is None else Naturalness(order.niqe)
        self._measured = frozenset() if order.niqe is None else frozenset([NIQE])

    def __call__(self, photo: Photo) -> Outcome:
        began = time.monotonic()
        try:
            with self._scratch.folder() as folder:
                outcome = self._outcome(photo, folder)
        except _CannotLoad as error:
            raise error.args[0] from None
        # Whatever a strange file does to a decoder, the other photos are not to blame.
        except Exception as error:
            outcome = Outcome(number=photo.number, status="failed", problem=_told(error, photo))
        return dataclasses.replace(outcome, seconds=time.monotonic() - began, worker=self._name)

    def _outcome(self, photo: Photo, folder: Path) -> Outcome:
        file = open_place(photo.input).fetched(folder)
        source = file_sha256(file)
        enlarging, encoding = self._of(photo)
        key = work_key(source, encoding.settings, encoding)
        place = self._output / photo.output
        there = place.size()
        found = Outcome(number=photo.number, status="skipped", key=key, source=source)
        if self._is_known(photo, key, there):
            return dataclasses.replace(found, bytes=there or 0)
        result = folder / Path(photo.output).name
        made = self._enlarged(task.Task(file, result, encoding), enlarging, photo)
        height, width = made.result_size or (0, 0)
        size = result.stat().st_size
        values = (
            {} if self._naturalness is None else {NIQE: self._naturalness(result, height * width)}
        )
        place.publish(result, is_new=there is None)
        return dataclasses.replace(
            found,
            status="done",
            bytes=size,
            width=width,
            height=height,
            tiles=made.tiles or 1,
            values=values,
        )

    def _is_known(self, photo: Photo, key: str, there: int | None) -> bool:
        known = photo.known
        if known is None:
            return False
        return known.key == key and known.bytes == there and self._measured <= known.measured

    def _of(self, photo: Photo) -> tuple[Enlarging, Encoding]:
        order = self._order
        if photo.xi is None:
            return order.enlarging, order.encoding
        settings = {**order.encoding.settings, "xi": f"{photo.xi:g}"}
        settings.pop("max_deviation", None)
        enlarging = dataclasses.replace(order.enlarging, xi=photo.xi, max_deviation=None)
        return enlarging, dataclasses.replace(order.encoding, settings=settings)

    def _loaded(self) -> Upscaler:
        with self._loading:
            if self._upscaler is None:
                try:
                    self._upscaler = self._order.load()
                except Exception as error:
                    raise _CannotLoad(error) from error
        return self._upscaler

    def _enlarged(self, one: task.Task, enlarging: Enlarging, photo: Photo) -> task.Outcome:
        outcomes: list[task.Outcome] = []
        arguments = [one], self._loaded(), enlarging
        named: Any = {"limits": self._order.limits, "report": outcomes.append}
        if _pixels(one.photo) > self._order.large:
            with self._large:
                enlarge_files(*arguments, **named)
        else:
            enlarge_files(*arguments, **named)
        if outcomes[0].problem is not None:
            problem = outcomes[0].problem.replace(str(one.photo), photo.input)
            raise DataError(problem.replace(str(one.result), photo.output))
        return outcomes[0]


def work_key(source: str, settings: Mapping[str, str], encoding: Encoding) -> str:
    """What a result is known by: equal keys, equal files.

    Args:
        source: SHA-256 of the photo's file.
        settings: Of `Job.settings`, with the photo's own ξ.
        encoding: How it is written.
    """
    chosen = {name: value for name, value in settings.items() if name != "Software"}
    chosen |= {"format": str(encoding.format), "quality": str(encoding.quality)}
    text = json.dumps([source, sorted(chosen.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def _pixels(file: Path) -> float:
    """How many a photo claims to have; infinity if Pillow does not know."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            return image.width * image.height
    except Exception:
        return math.inf


def _told(error: Exception, photo: Photo) -> str:
    if isinstance(error, DataError | UsageError):
        text = reason(error)
        return text if photo.input in text else f"{photo.input}: {text}"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        text = f"{place}{reason(error)}"
        return text if photo.input in text else f"{photo.input}: {text}"
    return f"{photo.input}: {type(error).__name__}: {reason(error, most=300)}"
