"""Starts the engine that a person has named; its packages are imported then."""

from __future__ import annotations

from sr_program.engines.engine import Engine, Make, Workers
from sr_program.machine.optional_packages import require_extra

# The extra of setup.py that an engine needs.
_EXTRAS = {"ray": "batch", "dask": "dask"}


def open_engine(make: Make, workers: Workers) -> Engine:
    """Starts workers.

    Args:
        make: Makes the function of a worker in its process.
        workers: Which, and how many.

    Raises:
        UsageError: The engine's package is missing.
        DataError: The cluster cannot be reached, or has no room.
    """
    if workers.engine == "local":
        from sr_program.engines.local_engine import LocalEngine

        return LocalEngine(make, workers)
    require_extra(_EXTRAS[workers.engine])
    if workers.engine == "dask":
        from sr_program.engines.dask_engine import DaskEngine

        return DaskEngine(make, workers)
    from sr_program.engines.ray_engine import RayEngine

    return RayEngine(make, workers)
