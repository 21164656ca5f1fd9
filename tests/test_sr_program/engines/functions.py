"""What the workers of these tests do."""

from __future__ import annotations

import functools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sr_program.errors import DataError


def squares(folder: Path | None = None) -> Callable[[Any], Any]:
    """Each process that makes the function leaves a file of its name, if there is a folder."""
    if folder is not None:
        (folder / str(os.getpid())).touch()
    return functools.partial(_square, folder)


def refuses() -> Callable[[Any], Any]:
    raise DataError("no such model")


def _square(folder: Path | None, item: Any) -> Any:
    kind, number = item
    if kind == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind in ("killed once", "ended once") and folder is not None:
        flag = folder.parent / f"flag {number}"
        if not flag.exists():
            flag.touch()
            ends = signal.SIGKILL if kind == "killed once" else signal.SIGTERM
            os.kill(os.getpid(), ends)
            time.sleep(60)
    return number, number * number
