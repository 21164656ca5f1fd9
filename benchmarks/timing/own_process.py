"""Calls in a process of their own, whose memory is gone afterwards."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from sr_program.errors import DataError

Result = TypeVar("Result")


class ProcessEndedError(DataError):
    """A process was ended from outside, as systems do where memory runs out."""


def in_own_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Calls a function in a new Python.

    Args:
        function: Of a module's top level.
        *arguments: For it; they and the result are pickled.

    Raises:
        ProcessEndedError: See there.
        Exception: Whatever the function raises.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise ProcessEndedError(
                f"the process of {function.__name__} was ended from outside, most likely because "
                "memory ran out; end other programs, or give smaller photos or tiles"
            ) from error
