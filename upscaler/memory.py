"""Refuses images that would not fit into memory, before the operating system ends the program."""

from __future__ import annotations

from pathlib import Path

import psutil

from cli.errors import DataError

# Peak memory of the fused graph for one LR pixel, float32, above what the loaded program takes.
# Seen on two cores: 18 to 19 kB for images of 96x96 to 320x320; the rest is for more threads.
BYTES_PER_LR_PIXEL = 25_000

_CGROUP = Path("/sys/fs/cgroup")


def require_memory(num_lr_pixels: int, width: int, height: int) -> None:
    """Raises DataError if upscaling needs more memory than there is.

    Args:
        num_lr_pixels: Pixels of all images of the batch.
        width: Of one image, for the message.
        height: Likewise.
    """
    needed = num_lr_pixels * BYTES_PER_LR_PIXEL
    available = available_bytes()
    if needed > available:
        raise DataError(
            f"an image of {width}x{height} pixels needs about {needed / 1e9:.1f} GB of memory, "
            f"{available / 1e9:.1f} GB are free; shrink or crop it"
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
