"""How many cores the numeric libraries of a process take."""

from __future__ import annotations

import os
import sys

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def limit_threads(number: int) -> None:
    """Lets libraries that are imported from now on use so many threads each, and OpenCV as well.

    For processes that share a machine: a photo a core is faster than all cores on each photo.

    Args:
        number: At least 1.
    """
    os.environ.update(dict.fromkeys(_VARIABLES, str(number)))
    cv2 = sys.modules.get("cv2")
    if cv2 is not None:
        cv2.setNumThreads(number)


def threads_asked_for() -> int | None:
    """How many threads OMP_NUM_THREADS asks for; None: as many as there are cores.

    For runtimes with a pool of their own, which do not look at it.
    """
    text = os.environ.get(_VARIABLES[0], "").split(",")[0].strip()
    return int(text) if text.isdecimal() and int(text) > 0 else None


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
