"""The report of a run, for programs: a JSON file with an entry a photo."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bigans.upscaler.planning.existing import Skipped
from bigans.upscaler.task import Outcome, Task
from sr_program.errors import reason
from sr_program.files.atomic_write import atomic_file
from sr_program.version import VERSION

# While a run goes on, the file is as old as this at most, when a photo ends.
_SECONDS = 30.0


class RunReport:
    """Collects what became of photos; a context manager that writes the file at its end.

    Also when the run is interrupted: photos that were not begun are "open" then. The file is whole
    at any time.

        {"program": "bigans", "version": "0.1.0", "settings": {"xi": "0.73", …},
         "done": 1, "skipped": 0, "failed": 0, "open": 0,
         "photos": [{"input": "cat.png", "output": "out/cat_x4.png", "status": "done",
                     "size": [320, 240], "result_size": [1280, 960], "tiles": 1, "seconds": 2.1}]}

    Args:
        path: The file; None: there is no report.
        settings: Of all photos, by name.
        tasks: The photos to enlarge.
        skipped: Photos whose results are kept.
        problems: What went wrong before.
    """

    def __init__(
        self,
        path: Path | None,
        settings: Mapping[str, str],
        tasks: Sequence[Task],
        skipped: Sequence[Skipped],
        problems: Sequence[str] = (),
    ) -> None:
        self._path, self._settings, self._problems = path, dict(settings), list(problems)
        self._started = datetime.datetime.now(datetime.UTC)
        self._entries = {task.result: _entry(task, "open") for task in tasks}
        for one in skipped:
            self._entries[one.task.result] = _entry(one.task, "skipped", reason=one.reason)
        self._written = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Notes what became of a photo."""
        if outcome.problem is not None:
            entry = _entry(outcome.task, "failed", reason=outcome.problem)
        else:
            entry = _entry(outcome.task, "done")
        for name, size in (("size", outcome.size), ("result_size", outcome.result_size)):
            if size is not None:
                entry[name] = [size[1], size[0]]
        if outcome.tiles is not None:
            entry["tiles"] = outcome.tiles
        if outcome.seconds is not None:
            entry["seconds"] = round(outcome.seconds, 3)
        self._entries[outcome.task.result] = entry
        if time.monotonic() - self._written > _SECONDS:
            self._write()

    def add_failure(self, error: OSError) -> None:
        """Notes that a result, which the error names, could not be written."""
        entry = self._entries.get(Path(str(error.filename)))
        if entry is not None:
            entry.update(status="failed", reason=f"{error.filename}: {reason(error)}")

    def __enter__(self) -> RunReport:
        """The run begins: the file is there, or an error says why it cannot be."""
        self._write()
        return self

    def __exit__(self, *error: object) -> None:
        """The run ends, or is broken off."""
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        statuses = [entry["status"] for entry in self._entries.values()]
        now = datetime.datetime.now(datetime.UTC)
        content = {
            "program": "bigans",
            "version": VERSION,
            "settings": self._settings,
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round((now - self._started).total_seconds(), 3),
            **{name: statuses.count(name) for name in ("done", "skipped", "failed", "open")},
            "problems": self._problems,
            "photos": list(self._entries.values()),
        }
        with atomic_file(self._path) as temporary:
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            # Bytes of a name that are no UTF-8 become escapes that JSON knows.
            temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        self._written = time.monotonic()


def _entry(task: Task, status: str, reason: str | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "input": str(task.photo),
        "output": str(task.result),
        "status": status,
    }
    return entry if reason is None else {**entry, "reason": reason}
