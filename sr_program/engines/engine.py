"""What the programs know of an engine: it takes an item, and gives back what its function said.

A worker is a process that makes its function once, which may load a model, and then calls it for
one item after the other, a few at once: while one computes, the next is read and the one before is
written. An item whose worker was killed fails with `WorkerLost` and may be submitted again.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal, get_args

from sr_program.errors import UsageError

Name = Literal["local", "dask", "ray"]
NAMES: tuple[Name, ...] = get_args(Name)

# Makes the function of a worker, there; it is pickled.
Make = Callable[[], Callable[[Any], Any]]

# One that is read, one that is computed, one that is written.
CALLS_AT_ONCE = 3


class WorkerLost(Exception):
    """The process that had an item in hand ended before it answered."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workers:
    """Which processes there are.

    Attributes:
        engine: "local": processes of this machine; "dask" or "ray": also those of a cluster.
        address: Of the cluster; None: one of this machine, for this run alone.
        number: Of workers; 0: as many as there is room for.
        cpus: Cores of each.
        gpus: Devices of each (Ray).
        calls: Items that each has in hand at once.
    """

    engine: Name = "local"
    address: str | None = None
    number: int = 0
    cpus: int = 1
    gpus: float = 0.0
    calls: int = CALLS_AT_ONCE

    def __post_init__(self) -> None:
        """Raises UsageError for what makes no sense."""
        if self.engine not in NAMES:
            raise UsageError(f"engine={self.engine}: must be one of {', '.join(NAMES)}")
        if self.engine == "local" and self.address:
            raise UsageError("address=: engine=local has no cluster; choose engine=ray or dask")
        if self.number < 0:
            raise UsageError(f"workers={self.number}: must be at least 0")
        if self.cpus < 1:
            raise UsageError(f"cpus_per_worker={self.cpus}: must be at least 1")
        if not self.gpus >= 0:
            raise UsageError(f"gpus_per_worker={self.gpus:g}: must be at least 0")
        if self.gpus and self.engine != "ray":
            raise UsageError("gpus_per_worker=: only engine=ray shares out GPUs; leave it out")


class Engine(abc.ABC):
    """Running workers; a context manager that ends them."""

    @abc.abstractmethod
    def room(self) -> int:
        """How many items may be in hand now; fewer than before when workers were lost."""

    @abc.abstractmethod
    def submit(self, item: Any) -> Future[Any]:
        """Has a worker call its function.

        Returns:
            What it gives back. Fails with `WorkerLost` if the worker was killed, and with what the
            function, or what makes it, raised.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the workers at once, whatever they have in hand."""

    def __enter__(self) -> Engine:
        """The workers are being started."""
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the workers."""
        self.close()
