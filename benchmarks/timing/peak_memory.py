"""The most memory that this program has taken."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_bytes() -> int:
    """The peak so far; 0 where the system does not tell.

    Linux's getrusage counts what the program took that started this one, too: VmHWM begins anew.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
