"""A run of the program: photos are found, results named, made, and told of.

arguments ─► plan ─► enlarge_files ─► results, report, exit code
└────► preview
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bigans.models.fingerprint import fingerprint
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.made_by import write_beside
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.planning.plan import Order, Plan, plan
from bigans.upscaler.preview import preview
from bigans.upscaler.run_report import RunReport
from bigans.upscaler.standard_streams import (
    OUTPUT_NAME,
    STREAM,
    StreamNames,
    file_of_input,
    file_of_output,
)
from bigans.upscaler.task import Outcome
from bigans.upscaler.tiles.tiling import Tiling
from bigans.upscaler.upscaler import Upscaler
from sr_images.formats import WRITABLE, format_of
from sr_images.limits import Limits
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError
from sr_program.progress import Progress
from sr_program.version import VERSION

# Bytes of a file that tell its format.
_HEAD = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What a command line asks for.

    Attributes:
        photos: Files and folders; "-" is standard input.
        order: Where results go; the output "-" is standard output.
        enlarging: How each photo is enlarged.
        tiling: How those are cut that do not fit into memory.
        limits: The largest files that are decoded.
        model: Name of the model, for the record of what made a result.
        precision: What it computes in, likewise.
        runtime: Likewise.
        report: File of the report; None: there is none.
        dry_run: Whether only to tell what would be done.
        verbose: Whether to tell of each photo.
    """

    photos: Sequence[str]
    order: Order
    enlarging: Enlarging = Enlarging()
    tiling: Tiling = Tiling()
    limits: Limits = Limits()
    model: str = "pretrained"
    precision: str | None = None
    runtime: str = "tensorflow"
    report: Path | None = None
    dry_run: bool = False
    verbose: bool = False

    def settings(self) -> dict[str, str]:
        """What a result depends on beside its photo, as it stands in records and in the report.

        Raises:
            DataError: There is no such model.
        """
        encoding = self.order.encoding
        chosen = {
            **dataclasses.asdict(self.enlarging),
            "model": fingerprint(self.model),
            "precision": self.precision,
            "runtime": None if self.runtime == "tensorflow" else self.runtime,
            "overlap": self.tiling.overlap,
            "quality": encoding.quality,
            "icc": None if encoding.icc == "keep" else encoding.icc,
            "strip": None if encoding.strip == "none" else encoding.strip,
        }
        if self.enlarging.xi is None and self.enlarging.max_deviation is None:
            chosen["xi"] = DEFAULT_XI
        texts = {name: _text(value) for name, value in chosen.items() if value not in (None, False)}
        return {"Software": f"bi-gans-st {VERSION}", **texts}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def carry_out(job: Job, load: Callable[[], Upscaler], say: Callable[[str], None]) -> int:
    """Does what a command line asks for.

    Args:
        job: It.
        load: Loads the model; called once, when the first photo was read.
        say: Tells a person one line.

    Returns:
        The exit code: 0, or 1 if something failed; it has been told what.

    Raises:
        UsageError: The command makes no sense.
        DataError: There is no photo, or no model.
        OSError: A result or the report cannot be written.
    """
    names = StreamNames()
    with names.in_errors(), _made_ready(job, names) as job:
        planned = plan(job.photos, job.order, job.report)
        for line in [*planned.notes, *planned.problems]:
            say(names.shown(line))
        if job.dry_run:
            failing = bool(planned.problems)
            for one in preview(planned, job.enlarging, job.tiling, job.limits):
                print(names.shown(one.line))
                failing |= one.fails
            return 1 if failing else 0
        for folder in {task.result.parent for task in planned.tasks}:
            _make_folder(folder)
        num_failed = _enlarge(job, planned, load, lambda line: say(names.shown(line)))
        if num_failed and len(planned.tasks) > 1:
            say(f"{num_failed} of {len(planned.tasks)} photos failed")
        elif not num_failed and sys.stdout and sys.stdout.isatty():
            print(_summary(planned))
        return 1 if num_failed or planned.problems else 0


@contextlib.contextmanager
def _made_ready(job: Job, names: StreamNames) -> Iterator[Job]:
    """The job with files for standard input and output, and what made the results written down."""
    folder = job.tiling.scratch_dir
    with contextlib.ExitStack() as stack:
        photos = stack.enter_context(file_of_input(job.photos, names, folder))
        settings = job.settings()
        order = dataclasses.replace(
            job.order, encoding=dataclasses.replace(job.order.encoding, settings=settings)
        )
        if order.output == STREAM:
            if len(photos) != 1 or Path(photos[0]).is_dir():
                raise UsageError("output=- takes one photo; name a folder")
            extension = _extension(job, photos[0])
            path = Path(f"{OUTPUT_NAME}{extension}")
            if not job.dry_run:
                path = stack.enter_context(file_of_output(extension, names, folder))
            order = dataclasses.replace(order, output=str(path))
        yield dataclasses.replace(job, photos=photos, order=order)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{folder} is a file; name a folder as output=") from None


def _enlarge(
    job: Job, planned: Plan, load: Callable[[], Upscaler], say: Callable[[str], None]
) -> int:
    """Makes the results; returns how many photos failed."""
    num_failed = 0
    settings = job.settings() if job.report else {}
    run_report = RunReport(job.report, settings, planned.tasks, planned.skipped, planned.problems)
    with run_report, Progress(len(planned.tasks), "photo") as progress:

        def report(outcome: Outcome) -> None:
            nonlocal num_failed
            if job.order.exists == "skip" and outcome.problem is None:
                write_beside(outcome.task.result, outcome.task.encoding.settings)
            num_failed += outcome.problem is not None
            run_report.add(outcome)
            if outcome.problem is not None:
                say(outcome.problem)
            elif job.verbose:
                say(_told(outcome))
            progress.update()

        try:
            enlarge_files(planned.tasks, load, job.enlarging, limits=job.limits, report=report)
        except OSError as error:
            run_report.add_failure(error)
            raise
    return num_failed


def _summary(planned: Plan) -> str:
    tasks = planned.tasks or [one.task for one in planned.skipped]
    place = tasks[0].result if len(tasks) == 1 else tasks[0].result.parent
    skipped = f", {len(planned.skipped)} skipped" if planned.skipped else ""
    num = len(planned.tasks)
    return f"{num} photo{'s' * (num != 1)} -> {place}{skipped}"


def _told(outcome: Outcome) -> str:
    """A line of a photo that is done: how large it was and became, and how long that took."""
    told = f"{outcome.task.photo} -> {outcome.task.result}"
    if outcome.size and outcome.result_size and outcome.seconds is not None:
        sizes = f"{_size(outcome.size)} -> {_size(outcome.result_size)}"
        told += f" ({sizes}, {outcome.seconds:.1f} s)"
    return told


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def _extension(job: Job, photo: str) -> str:
    """Of a result whose name nobody gives: that of the format asked for, or of the photo's."""
    if job.order.encoding.format is not None:
        return f".{job.order.encoding.format}"
    try:
        with open(photo, "rb") as file:
            found = format_of(file.read(_HEAD))
    except OSError:
        found = None
    return next((suffix for suffix, name in WRITABLE.items() if name == found), ".png")
