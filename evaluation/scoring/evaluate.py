"""Makes and scores the images of benchmark sets; a run that was stopped goes on where it was."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from evaluation.methods.method import Method
from evaluation.scoring.processes import score, scoring_pool
from evaluation.scoring.protocol import Instruments, Scores
from evaluation.scoring.records import Record, Records
from sr_data.benchmarks import Benchmark, BenchmarkImage
from sr_images.image_io import write_rgb
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file

SETTINGS = "settings.json"

# Images made ahead of their scores, for each scoring process: bounds the memory.
_AHEAD = 2


@dataclasses.dataclass(frozen=True)
class SetResult:
    """The scores of one benchmark set.

    Attributes:
        name: Of the set.
        images: Names of its images, in order.
        variants: Names of what was made of each.
        records: The rows of every image and variant.
    """

    name: str
    images: tuple[str, ...]
    variants: tuple[str, ...]
    records: Records

    def scores(self, variant: str) -> list[Scores]:
        """The scores of a variant's images that could be scored."""
        rows = self.records.select(self.images, variant)
        return [row.scores for row in rows if "image" not in row.scores.problems]

    def failures(self) -> dict[str, str]:
        """Image → why it could not be scored."""
        rows = (row for v in self.variants for row in self.records.select(self.images, v))
        return {
            row.image: row.scores.problems["image"]
            for row in rows
            if "image" in row.scores.problems
        }


def evaluate(
    method: Method,
    benchmarks: Sequence[Benchmark],
    instruments: Instruments,
    output: Path,
    *,
    workers: int,
    save_images: bool = False,
) -> list[SetResult]:
    """Scores every image of every set; `output`/SET.csv grows by an image at a time.

    An image that cannot be read, has no result, or is too small gets a row that says so; the
    others are scored all the same. Rows of an earlier run with the same settings are kept.

    Args:
        method: Makes the images.
        benchmarks: The sets.
        instruments: What the measures need.
        output: Folder of the results; made if it is missing.
        workers: Processes that score; 0: this one.
        save_images: Also write the images, as `output`/images/VARIANT/SET/NAME.png.

    Returns:
        The scores of each set.

    Raises:
        UsageError: `output` holds the results of other settings, or of unknown ones; or a variant's
            name cannot be that of a folder of images.
        DataError: `output` holds a file that this program did not write.
    """
    output.mkdir(parents=True, exist_ok=True)
    if save_images:
        _check_folder_names(method.variants)
    _check_settings(output, benchmarks, method, instruments)
    results = []
    with scoring_pool(instruments, workers) as pool:
        for benchmark in benchmarks:
            folder = output / "images" if save_images else None
            run = _SetRun(method, benchmark, instruments, output, pool, folder)
            results.append(run.finish(ahead=_AHEAD * workers))
    return results


class _SetRun:
    """One set on its way through the method and the scorers."""

    def __init__(
        self,
        method: Method,
        benchmark: Benchmark,
        instruments: Instruments,
        output: Path,
        pool: Executor,
        image_folder: Path | None,
    ) -> None:
        self._method = method
        self._benchmark = benchmark
        self._measures = instruments.measures
        self._records = Records(output / f"{benchmark.name}.csv")
        self._pool = pool
        self._image_folder = image_folder

    def finish(self, ahead: int) -> SetResult:
        """Scores what is not scored yet, with at most `ahead` images waiting for their scores."""
        benchmark = self._benchmark
        waiting: list[list[tuple[Record, Future]]] = []
        names = benchmark.names
        with tqdm(total=len(names), desc=benchmark.name, unit="image", disable=None) as progress:
            for jobs in self._jobs():
                waiting.append(jobs)
                if len(waiting) > ahead:
                    self._collect(waiting.pop(0))
                    progress.update()
            while waiting:
                self._collect(waiting.pop(0))
                progress.update()
        return SetResult(benchmark.name, tuple(names), self._method.variants, self._records)

    def _jobs(self) -> Iterator[list[tuple[Record, Future]]]:
        """For each image its rows without scores, and the scores on their way."""
        for index, name in enumerate(self._benchmark.names):
            try:
                image = self._benchmark[index]
                yield self._score(image)
            except DataError as error:
                self._fail(name, str(error))
                yield []

    def _score(self, image: BenchmarkImage) -> list[tuple[Record, Future]]:
        given = self._method.fingerprint(self._benchmark.name, image)
        digest = _digest(f"{given}{image.is_gray}", image.hr, image.lr)
        wanted = list(self._method.variants)
        if self._method.is_complete(self._benchmark.name, image):
            wanted = [v for v in wanted if not self._done(image.name, v, digest)]
        if not wanted:
            return []
        made = self._method.enlarge(self._benchmark.name, image, wanted)
        jobs = []
        for variant in wanted:
            sr = made[variant]
            if path := self._image_file(image.name, variant):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_rgb(path, sr)
            record = Record(image.name, variant, Scores({}), digest)
            arguments = (image.hr, image.lr, sr, image.is_gray)
            jobs.append((record, self._pool.submit(score, *arguments)))
        return jobs

    def _done(self, name: str, variant: str, digest: str) -> bool:
        row = self._records.get(name, variant)
        file = self._image_file(name, variant)
        return (
            row is not None
            and row.digest == digest
            and row.has(self._measures)
            and (file is None or file.exists())
        )

    def _image_file(self, name: str, variant: str) -> Path | None:
        if self._image_folder is None:
            return None
        return self._image_folder / variant / self._benchmark.name / f"{name}.png"

    def _fail(self, name: str, reason: str) -> None:
        failed = Scores({}, {"image": reason})
        self._records.add(Record(name, v, failed, "") for v in self._method.variants)

    def _collect(self, jobs: list[tuple[Record, Future]]) -> None:
        if jobs:
            self._records.add(dataclasses.replace(row, scores=made.result()) for row, made in jobs)


def _check_folder_names(variants: Sequence[str]) -> None:
    """A label may be any text, but as the name of a folder it could lead out of `output`."""
    for name in variants:
        if name in ("", ".", "..") or {"/", "\\", "\0"} & set(name):
            raise UsageError(
                f"label={name} cannot be the name of a folder of images; choose one without slashes"
            )


def _check_settings(
    output: Path, benchmarks: Sequence[Benchmark], method: Method, instruments: Instruments
) -> None:
    path = output / SETTINGS
    settings = {"enlarger": method.identity, **instruments.fingerprints()}
    earlier_scores = (Records(output / f"{benchmark.name}.csv") for benchmark in benchmarks)
    if not path.exists() and any(earlier_scores):
        raise UsageError(
            f"{output} holds scores, but no {SETTINGS} that tells of which model; "
            "name another --output, or remove it"
        )
    if path.exists():
        try:
            earlier = dict(json.loads(path.read_text()))
        except (TypeError, ValueError):
            earlier = {"enlarger": ""}
        # A measure may have been absent, and may be so now.
        if any(earlier.get(name, value) != value for name, value in settings.items()):
            raise UsageError(
                f"{path.parent} holds the results of another model or of other settings; "
                "name another --output, or remove it"
            )
        settings = {**earlier, **settings}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n")


def _digest(given: str, *images: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(given.encode())
    for image in images:
        digest.update(repr(image.shape).encode())
        digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()[:16]
