"""How many LR pixels go through the network at once."""

from __future__ import annotations

from pathlib import Path

import psutil

from cli.errors import DataError, UsageError

# Peak memory of the fused graph for one LR pixel, float32, above what the loaded program takes
# (`python -m benchmarks.tiles`). Seen on two cores: 16 to 19 kB for 128x128 to 320x320.
BYTES_PER_LR_PIXEL = 20_000

# What the program takes beside it: TensorFlow with a loaded model, the photo, a strip of the
# result. A constant, and not what this process takes just now: the same photo shall be cut into the
# same tiles each time.
PROGRAM_BYTES = 950_000_000

# The process's memory without --memory_mb: some for every LR pixel of the photo, because larger
# tiles have less overlap, between two bounds.
_LEAST, _MOST = 1_450_000_000, 2_700_000_000
_AT_ALL, _PER_LR_PIXEL = 1_100_000_000, 600

# Of the memory that is free, this share may be taken.
_SHARE = 0.8

_CGROUP = Path("/sys/fs/cgroup")


def pixels_at_once(num_pixels: int, memory_mb: float | None = None) -> int:
    """The most LR pixels that may go through the network in one call.

    Args:
        num_pixels: LR pixels of the photo.
        memory_mb: What the process may take in all, in 10⁶ bytes; by default 1450 for small photos
            to 2700 for large ones, and in any case no more than is free.

    Returns:
        LR pixels; 0 if the program alone takes all of the memory.
    """
    if memory_mb is not None:
        left = memory_mb * 1e6 - PROGRAM_BYTES
    else:
        total = min(max(_AT_ALL + _PER_LR_PIXEL * num_pixels, _LEAST), _MOST)
        left = min(total - PROGRAM_BYTES, _SHARE * available_bytes())
    return max(0, int(left / BYTES_PER_LR_PIXEL))


def refusal(least_pixels: int, memory_mb: float | None = None) -> Exception:
    """What to raise if even the smallest tile is too large.

    Args:
        least_pixels: LR pixels of the smallest tile.
        memory_mb: As for `pixels_at_once`.
    """
    tile = least_pixels * BYTES_PER_LR_PIXEL
    if memory_mb is not None:
        least = (PROGRAM_BYTES + tile) / 1e6
        return UsageError(
            f"--memory_mb={memory_mb:g} is too little: {least:.0f} are needed with this overlap"
        )
    return DataError(
        f"the smallest tile needs {tile / 1e6:.0f} MB of memory, "
        f"{available_bytes() / 1e6:.0f} MB are free; end other programs"
    )


def available_bytes() -> int:
    """Memory that can be had without swapping: of the machine, or less in a container."""
    available = psutil.virtual_memory().available
    container = _left_in_container()
    return available if container is None else min(available, container)


def _left_in_container() -> int | None:
    """What a Linux control group (version 2) still allows; None where there is no limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        statistics = (_CGROUP / "memory.stat").read_text().split()
        # Cached file content counts as used but is given back on demand.
        cached = int(statistics[statistics.index("inactive_file") + 1])
        return None if limit == "max" else max(int(limit) - used + cached, 0)
    except (OSError, ValueError, IndexError):
        return None
