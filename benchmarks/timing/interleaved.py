"""Timing of several callables against each other: in turn, so that a drifting machine is fair."""

from __future__ import annotations

import functools
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
    candidates: Mapping[Key, Callable[[], Any]], repetitions: int, warmup: int = 2
) -> dict[Key, float]:
    """Calls every candidate once a round and returns each one's median time.

    Args:
        candidates: Name → callable that returns when its result is there.
        repetitions: Counted rounds.
        warmup: Rounds before them, which trace, allocate and fill caches.

    Returns:
        Name → seconds.
    """
    turns = {name: functools.partial(seconds_of, call) for name, call in candidates.items()}
    return medians_of(turns, repetitions, warmup)


def medians_of(
    turns: Mapping[Key, Callable[[], float]], repetitions: int, warmup: int = 0
) -> dict[Key, float]:
    """Gives each its turn once a round and returns the median of what its turns return.

    Args:
        turns: Name → callable that measures something.
        repetitions: Counted rounds.
        warmup: Rounds before them.
    """
    found: dict[Key, list[float]] = {name: [] for name in turns}
    with tqdm(total=(warmup + repetitions) * len(turns), desc="timing", disable=None) as progress:
        for count in range(warmup + repetitions):
            for name, turn in turns.items():
                value = turn()
                progress.update()
                if count >= warmup:
                    found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def seconds_of(call: Callable[[], Any]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


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
