"""Timing of several callables against each other: in turn, so that a drifting machine is fair."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

Key = TypeVar("Key")


def medians(
    candidates: Mapping[Key, Callable[[], Any]],
    repetitions: int,
    warmup: int = 2,
    after: Callable[[Key], Any] | None = None,
) -> dict[Key, float]:
    """Calls every candidate once a round and returns each one's median time.

    Args:
        candidates: Name → callable that returns when its result is there.
        repetitions: Counted rounds.
        warmup: Rounds before them, which trace, allocate and fill caches.
        after: Called with the candidate's name after each of its turns, and not timed.

    Returns:
        Name → seconds.
    """
    times: dict[Key, list[float]] = {name: [] for name in candidates}
    for turn in tqdm(range(warmup + repetitions), desc="timing", unit="round", disable=None):
        for name, call in candidates.items():
            start = time.perf_counter()
            call()
            if turn >= warmup:
                times[name].append(time.perf_counter() - start)
            if after is not None:
                after(name)
    return {name: statistics.median(values) for name, values in times.items()}


def machine() -> str:
    """The processor and the number of cores this process may use, for a table's caption."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.split(":", 1)[1].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        ]
        name = models[0] if models else name
    return f"{name}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
