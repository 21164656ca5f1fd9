"""The C library's allocator, told to keep what is freed.

glibc maps each large array anew and unmaps it when it is freed, so that the system fills the same
pages with zeros for every layer of the network. Kept memory is taken again by the next layer, and
the next tile: 7 % less time for tiles of several GB in bfloat16 (docs/performance.md), none for
small ones.
"""

from __future__ import annotations

import ctypes
import platform

# Parameters of glibc's mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Makes this process reuse the memory that it frees, and not give it back to the system.

    For programs that do little else than enlarge images: call it once, before the first one. The
    process stays as large as it ever was. `python -m bigans` does so.

    Returns:
        Whether it was possible: with glibc (Linux) only.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return mallopt(_M_MMAP_MAX, 0) == 1 and mallopt(_M_TRIM_THRESHOLD, -1) == 1
