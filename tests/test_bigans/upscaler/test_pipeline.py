"""Reading, enlarging and writing at once give what one after the other gives."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from bigans import Tiling, Upscaler
from bigans.models import memory
from bigans.models.memory import TENSORFLOW
from bigans.upscaler import pipeline
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.pipeline import enlarge_files
from bigans.upscaler.task import Outcome, Task
from sr_images.image_io import read_rgb, write_rgb
from sr_images.picture import Picture
from sr_program.errors import DataError, UsageError

XI = Enlarging(xi=0.4)

LONG = 60.0  # seconds; nobody waits as long unless something is wrong


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    """Four photos: 0.png to 3.png, all of value 10, 11, 12, 13."""
    found = []
    for number in range(4):
        task = Task(tmp_path / f"{number}.png", tmp_path / f"large_{number}.png")
        write_rgb(task.photo, np.full((5, 6, 3), 10 + number, np.uint8))
        found.append(task)
    return found


@pytest.fixture(scope="module")
def toy(fused: Path) -> Upscaler:
    return Upscaler(fused)


class Steps:
    """Notes when photos are read, enlarged and written, and lets a step wait for another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before: dict[tuple[str, int], Callable[[], Any]] = {}
        self.begun: list[tuple[str, int]] = []
        self._changed = threading.Condition()
        self._wrap(monkeypatch, pipeline, "open_photo", lambda path, _: int(path.stem))
        self._wrap(
            monkeypatch, pipeline, "write_picture", lambda path, *_: int(path.stem.split("_")[1])
        )
        self._wrap(
            monkeypatch, Upscaler, "enlarge", lambda _, image, *rest: image.pixels[0, 0, 0] - 10
        )

    def _wrap(self, monkeypatch: Any, owner: Any, name: str, number: Callable[..., int]) -> None:
        call = getattr(owner, name)

        def wrapped(*arguments: Any, **plan: Any) -> Any:
            step = name, int(number(*arguments))
            with self._changed:
                self.begun.append(step)
                self._changed.notify_all()
            self.before.get(step, lambda: None)()
            return call(*arguments, **plan)

        monkeypatch.setattr(owner, name, wrapped)

    def seen(self, name: str, number: int, seconds: float = LONG) -> bool:
        """Whether a step begins within some seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: (name, number) in self.begun, seconds)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def written(tasks: list[Task]) -> list[bool]:
    """Which results are there, whole and right; and that nothing else is."""
    for number, task in enumerate(tasks):
        if task.result.exists():
            expected = np.full((20, 24, 3), 10 + number + 40, np.uint8)
            np.testing.assert_array_equal(read_rgb(task.result), expected)
    names = {path.name for path in tasks[0].photo.parent.iterdir()}
    assert names <= {path.name for task in tasks for path in task[:2]}
    return [task.result.exists() for task in tasks]


def test_all_are_written_and_told_in_turn(tasks: list[Task], toy: Upscaler) -> None:
    told: list[object] = []
    tasks[1].photo.write_bytes(b"no picture")
    tasks[2].photo.unlink()

    def report(outcome: Outcome) -> None:
        told.append((outcome.problem, written(tasks)))
        assert (outcome.tiles, outcome.size, outcome.result_size) == (
            (1, (5, 6), (20, 24)) if outcome.problem is None else (None, None, None)
        )
        assert (outcome.seconds is None) == (outcome.problem is not None)

    problems = enlarge_files(tasks, toy, XI, report=report)
    assert problems == [
        f"{tasks[1].photo}: is not an image, or of an unknown format; "
        "use PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, HEIC, JPEG XL, JPEG 2000, TGA or NPY",
        f"{tasks[2].photo}: No such file or directory",
    ]
    first = [True, False, False, False]
    assert told == [
        (None, first),
        (problems[0], first),
        (problems[1], first),
        (None, [True, False, False, True]),
    ]


def test_nothing_to_do(toy: Upscaler) -> None:
    assert enlarge_files([], toy) == []


def test_the_model_is_loaded_once_and_for_a_photo(tasks: list[Task], toy: Upscaler) -> None:
    loads = []

    def load() -> Upscaler:
        loads.append(1)
        return toy

    assert len(enlarge_files([Task(Path("missing.png"), Path("a.png"))], load)) == 1
    assert loads == []
    enlarge_files(tasks, load, XI)
    assert loads == [1]
    assert all(written(tasks))


def test_a_model_that_is_missing_is_no_problem_of_a_photo(tasks: list[Task]) -> None:
    def load() -> Upscaler:
        raise DataError("no model")

    with pytest.raises(DataError, match="no model"):
        enlarge_files(tasks, load)


def test_pages_that_no_animation_holds_are_a_problem_of_their_photo(
    tasks: list[Task], toy: Upscaler
) -> None:
    pages = tasks[1].photo.rename(tasks[1].photo.with_suffix(".tif"))
    with tifffile.TiffWriter(pages) as file:
        for width in (6, 4):
            file.write(np.zeros((5, width, 3), np.uint8), metadata=None, photometric="rgb")
    tasks[1] = Task(pages, tasks[1].result)
    problems = enlarge_files(tasks, toy, XI)
    assert problems == [
        f"{pages}: its pages differ in size (24x20 and 16x20 pixels), which PNG cannot hold; "
        "use .tif"
    ]
    assert written(tasks) == [True, False, True, True]
    tasks[1] = Task(pages, pages.with_name("large.tif"))
    assert enlarge_files(tasks[1:2], toy, XI) == []


def test_photos_are_read_and_written_meanwhile(
    tasks: list[Task], toy: Upscaler, steps: Steps
) -> None:
    # Each waits for what comes later when one photo follows the other.
    met = []
    steps.before["enlarge", 0] = lambda: met.append(steps.seen("open_photo", 1))
    steps.before["write_picture", 0] = lambda: met.append(steps.seen("enlarge", 1))
    enlarge_files(tasks, toy, XI)
    assert met == [True, True]
    assert all(written(tasks))


def test_one_photo_ahead_and_one_result_behind(
    tasks: list[Task], toy: Upscaler, steps: Steps
) -> None:
    met = []

    def ahead() -> None:
        assert steps.seen("open_photo", 1)
        met.append(steps.seen("open_photo", 2, seconds=0.3))

    def behind() -> None:
        assert steps.seen("enlarge", 1)
        met.append(steps.seen("enlarge", 2, seconds=0.3))

    steps.before["enlarge", 0] = ahead
    steps.before["write_picture", 0] = behind
    enlarge_files(tasks, toy, XI)
    assert met == [False, False]
    assert all(written(tasks))


def test_a_result_that_cannot_be_written(tasks: list[Task], toy: Upscaler, steps: Steps) -> None:
    told: list[Outcome] = []

    def full() -> None:
        steps.seen("enlarge", 2)
        raise OSError(28, "No space left on device", str(tasks[1].result))

    steps.before["write_picture", 1] = full
    with pytest.raises(OSError, match="No space left on device") as caught:
        enlarge_files(tasks, toy, XI, report=told.append)
    assert caught.value.filename == str(tasks[1].result)
    assert [outcome.problem for outcome in told] == [None]
    assert written(tasks) == [True, False, False, False]


def test_it_comes_before_what_is_wrong_with_the_next(
    tasks: list[Task], toy: Upscaler, steps: Steps
) -> None:
    told: list[Outcome] = []

    def full() -> None:
        time.sleep(0.2)
        raise OSError("full")

    steps.before["write_picture", 0] = full
    tasks[1].photo.unlink()
    with pytest.raises(OSError, match="full"):
        enlarge_files(tasks, toy, report=told.append)
    assert told == []


def test_an_interruption_leaves_what_is_before_it(
    tasks: list[Task], toy: Upscaler, steps: Steps
) -> None:
    interrupted = threading.Event()

    def interrupt() -> None:
        assert steps.seen("write_picture", 0)
        interrupted.set()
        raise KeyboardInterrupt

    def slow() -> None:
        interrupted.wait(LONG)
        time.sleep(0.2)

    steps.before["enlarge", 1] = interrupt
    steps.before["write_picture", 0] = slow
    with pytest.raises(KeyboardInterrupt):
        enlarge_files(tasks, toy, XI)
    assert written(tasks) == [True, False, False, False]


def test_photos_in_tiles_follow_what_is_written(
    tasks: list[Task], toy_fused: Path, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = np.random.default_rng(0).integers(0, 256, (90, 130, 3), np.uint8)
    write_rgb(tasks[1].photo, large)
    total = TENSORFLOW.program_bytes + 40.5 * 40 * TENSORFLOW.bytes_per_lr_pixel
    upscaler = Upscaler(toy_fused, tiling=Tiling(memory_mb=total / 1e6, overlap=0))
    streamed, to_file, told = [], Upscaler.to_file, []

    def noted(self: Upscaler, image: Picture, path: Path, **rest: Any) -> None:
        streamed.append((path, tasks[0].result.exists()))
        to_file(self, image, path, **rest)

    monkeypatch.setattr(Upscaler, "to_file", noted)
    steps.before["write_picture", 0] = lambda: time.sleep(0.2)
    assert enlarge_files(tasks, upscaler, XI, report=told.append) == []
    assert [outcome.problem for outcome in told] == [None] * 4
    assert [outcome.tiles for outcome in told] == [1, 8, 1, 1]
    assert streamed == [(tasks[1].result, True)]
    expected = Upscaler(toy_fused)
    for task in tasks:
        np.testing.assert_array_equal(read_rgb(task.result), expected(read_rgb(task.photo), xi=0.4))


def test_the_memory_is_looked_at_once_a_photo(
    tasks: list[Task], toy_fused: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs take and give meanwhile: 40x40 pixels at once, then any number, and so on."""
    for task in tasks:
        write_rgb(task.photo, np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8))
    expected = Upscaler(toy_fused)(read_rgb(tasks[0].photo), xi=0.4)
    looks: list[float] = []

    def available() -> int:
        looks.append(40.5 * 40 * 17_000 / 0.8 if len(looks) % 2 == 0 else 1e10)
        return int(looks[-1])

    monkeypatch.setattr(memory, "available_bytes", available)
    upscaler = Upscaler(toy_fused, tiling=Tiling(overlap=0))
    assert enlarge_files(tasks, upscaler, XI) == []
    assert len(looks) == len(tasks)
    for task in tasks:
        np.testing.assert_array_equal(read_rgb(task.result), expected)


def test_too_little_memory_leaves_what_is_before_it(tasks: list[Task], toy_fused: Path) -> None:
    write_rgb(tasks[1].photo, np.zeros((200, 200, 3), np.uint8))
    upscaler = Upscaler(toy_fused, tiling=Tiling(memory_mb=TENSORFLOW.program_bytes / 1e6 + 1))
    with pytest.raises(UsageError, match="is too little"):
        enlarge_files(tasks, upscaler)
    assert [task.result.exists() for task in tasks] == [True, False, False, False]


# The program, on a disk that does not answer.
NEVER = """
import time
from sr_images.decoders.source import Source

opened = Source.open
Source.open = lambda self: time.sleep(1000) if "never" in self.name else opened(self)
from bigans.__main__ import cli_main
cli_main()
"""


def test_ctrl_c_does_not_wait_for_a_photo_that_never_comes(
    generator: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    write_rgb(tmp_path / "cat.png", np.zeros((5, 6, 3), np.uint8))
    (tmp_path / "never.png").touch()
    child = subprocess.Popen(
        [sys.executable, "-c", NEVER, "cat.png", "never.png", "--output=out",
         f"--model={generator}"],
        cwd=tmp_path, env=subprocess_environment, stderr=subprocess.PIPE, text=True,
        # A shell that runs tests in the background has Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 300
        while not (tmp_path / "out" / "cat_x4.png").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=LONG)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, errors) == (130, "-c: interrupted\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cat_x4.png"]
