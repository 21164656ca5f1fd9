"""A Ray cluster of several nodes on this machine, for experiments and tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def started(ray: Any, *, nodes: int, cpus: int) -> Iterator[Any]:
    """Yields a `ray.cluster_utils.Cluster`; nothing of it is left behind.

    Args:
        ray: The package, imported by `sr_program.engines.ray_engine`, which raises its limits.
        nodes: Of the cluster.
        cpus: Of each node.
    """
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="ray-")
    node = {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": 80_000_000,
    }
    os.environ["RAY_TMPDIR"] = folder  # where the cluster notes its address
    cluster = Cluster()
    try:
        cluster.add_node(**node)
        for _ in range(nodes - 1):
            cluster.add_node(**{k: v for k, v in node.items() if k != "include_dashboard"})
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        shutil.rmtree(folder, ignore_errors=True)
