"""How many LR pixels go through the network at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import psutil

from sr_program.errors import DataError, UsageError


@dataclasses.dataclass(frozen=True)
class Footprint:
    """What a runtime takes. Constants: the same photo shall be cut into the same tiles each time.

    Attributes:
        program_bytes: The process with a loaded model, the photo and the next, and a strip of the
            result. What else a Python program has loaded is not in it.
        bytes_per_lr_pixel: Beside it, for one LR pixel that goes through the fused model, at its
            peak.
    """

    program_bytes: int
    bytes_per_lr_pixel: int


# Seen on two cores with fused models of the shipped architecture, whole processes of `python -m
# upscaler`: 754 MB after a photo of 16x16, and 9 to 17 kB for each pixel of up to 448x448. Most of
# it where each PReLU has a slope a channel, and where both towers happen to be at their largest at
# once: with the shipped weights 960x540 has taken 1177 and, beside other work, 1407 MB.
TENSORFLOW = Footprint(program_bytes=850_000_000, bytes_per_lr_pixel=17_000)

# A graph that was exported for bfloat16: 8 to 9.5 kB, beside a program of 720 MB.
TENSORFLOW_BFLOAT16 = Footprint(program_bytes=850_000_000, bytes_per_lr_pixel=8_500)

# Likewise: 168 MB, and 15 to 16 kB. The first run of all converts the model in TensorFlow, and
# takes as much as TensorFlow does for that while.
OPENVINO = Footprint(program_bytes=300_000_000, bytes_per_lr_pixel=17_000)

# Likewise in bfloat16: 6.8 to 7.1 kB with the shipped weights, whose PReLUs have one slope each.
# With a slope a channel it was not measured.
OPENVINO_BFLOAT16 = Footprint(program_bytes=300_000_000, bytes_per_lr_pixel=8_500)

# The process's memory without --memory_mb: some for every LR pixel of the photo, because larger
# tiles have less overlap, between two bounds.
_LEAST, _MOST = 1_450_000_000, 2_700_000_000
_AT_ALL, _PER_LR_PIXEL = 1_100_000_000, 600

# Of the memory that is free, this share may be taken.
_SHARE = 0.8

_CGROUP = Path("/sys/fs/cgroup")


def openvino_footprint(precision: str) -> Footprint:
    """What OpenVINO takes in "float32" or "bfloat16"."""
    return OPENVINO_BFLOAT16 if precision == "bfloat16" else OPENVINO


def pixels_at_once(num_pixels: int, memory_mb: float | None, footprint: Footprint) -> int:
    """The most LR pixels that may go through the network in one call.

    Args:
        num_pixels: LR pixels of the photo.
        memory_mb: What the process may take in all, in 10⁶ bytes; by default 1450 for small photos
            to 2700 for large ones, and in any case no more than is free.
        footprint: Of the runtime.

    Returns:
        LR pixels; 0 if the program alone takes all of the memory.
    """
    left = _beside_program(num_pixels, memory_mb, footprint)
    return max(0, int(left / footprint.bytes_per_lr_pixel))


def spare_bytes(
    tile_pixels: int, num_pixels: int, memory_mb: float | None, footprint: Footprint
) -> int:
    """What is left of the memory while a tile goes through the network.

    Args:
        tile_pixels: LR pixels of the tile.
        num_pixels: As for `pixels_at_once`.
        memory_mb: Likewise.
        footprint: Likewise.

    Returns:
        Bytes ≥ 0.
    """
    left = _beside_program(num_pixels, memory_mb, footprint)
    return max(0, int(left - tile_pixels * footprint.bytes_per_lr_pixel))


def _beside_program(num_pixels: int, memory_mb: float | None, footprint: Footprint) -> float:
    if memory_mb is not None:
        return memory_mb * 1e6 - footprint.program_bytes
    total = min(max(_AT_ALL + _PER_LR_PIXEL * num_pixels, _LEAST), _MOST)
    return min(total - footprint.program_bytes, _SHARE * available_bytes())


def refusal(least_pixels: int, memory_mb: float | None, footprint: Footprint) -> Exception:
    """What to raise if even the smallest tile is too large.

    Args:
        least_pixels: LR pixels of the smallest tile.
        memory_mb: As for `pixels_at_once`.
        footprint: Of the runtime.
    """
    tile = least_pixels * footprint.bytes_per_lr_pixel
    if memory_mb is not None:
        least = (footprint.program_bytes + tile) / 1e6
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
