"""How much memory a photo may take, and how many LR pixels go through the network at once."""

from __future__ import annotations

import dataclasses
import sys
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
        most_pixels: LR pixels that one call may have, whatever memory there is; None: any number.
    """

    program_bytes: int
    bytes_per_lr_pixel: int
    most_pixels: int | None = None


# Seen on two cores with fused models of the shipped architecture, whole processes of `python -m
# bigans`: 754 MB after a photo of 16x16, and 9 to 17 kB for each pixel of up to 448x448. Most of
# it where each PReLU has a slope a channel, and where both generators happen to be at their largest
# at once: with the shipped weights 960x540 has taken 1177 and, beside other work, 1407 MB.
TENSORFLOW = Footprint(program_bytes=850_000_000, bytes_per_lr_pixel=17_000)

# A graph that was exported for bfloat16: 8 to 9.5 kB, beside a program of 720 MB.
TENSORFLOW_BFLOAT16 = Footprint(program_bytes=850_000_000, bytes_per_lr_pixel=8_500)

# Likewise: 168 MB, and 15 to 16 kB. The first run of all converts the model in TensorFlow, and
# takes as much as TensorFlow does for that while.
OPENVINO = Footprint(program_bytes=300_000_000, bytes_per_lr_pixel=17_000)

# Likewise in bfloat16: 6.8 to 7.1 kB with the shipped weights, whose PReLUs have one slope each.
# With a slope a channel it was not measured.
OPENVINO_BFLOAT16 = Footprint(program_bytes=300_000_000, bytes_per_lr_pixel=8_500)

# Not measured: twice what OpenVINO takes for a pixel, to be on the safe side.
ONNX_RUNTIME = Footprint(program_bytes=400_000_000, bytes_per_lr_pixel=34_000)

# The process's memory where nobody has said how much: some for every LR pixel of the photo, because
# larger tiles have less overlap, between two bounds.
_LEAST, _MOST = 1_450_000_000, 2_700_000_000
_AT_ALL, _PER_LR_PIXEL = 1_100_000_000, 600

# Of the memory that is free, this share may be taken.
_SHARE = 0.8

_CGROUP = Path("/sys/fs/cgroup")


def openvino_footprint(precision: str) -> Footprint:
    """What OpenVINO takes in "float32" or "bfloat16"."""
    return OPENVINO_BFLOAT16 if precision == "bfloat16" else OPENVINO


@dataclasses.dataclass(frozen=True)
class Budget:
    """The memory for one photo, or for one batch, decided once.

    How much is free changes while a program runs. Everything that depends on it, the tiles, how
    many photos go through the network at once and what is kept in memory, follows from one budget.

    Attributes:
        memory_mb: What the process may take in all, in 10⁶ bytes, as its user has said; None: what
            is free decides.
        free_bytes: What was free when the decision was made.
        beside_program: Bytes for pixels: of the memory, what the program itself does not take.
        footprint: Of the runtime.
    """

    memory_mb: float | None
    free_bytes: int
    beside_program: float
    footprint: Footprint

    @property
    def pixels_at_once(self) -> int:
        """The most LR pixels in one call of the network; 0 if the program alone takes all."""
        fitting = _whole(self.beside_program / self.footprint.bytes_per_lr_pixel)
        most = self.footprint.most_pixels
        return fitting if most is None else min(fitting, most)

    def spare_bytes(self, tile_pixels: int) -> int:
        """What is left of the memory while a tile of so many LR pixels is computed."""
        return _whole(self.beside_program - tile_pixels * self.footprint.bytes_per_lr_pixel)

    def refusal(self, least_pixels: int) -> Exception:
        """What to raise if even the smallest tile, of so many LR pixels, is too large."""
        most = self.footprint.most_pixels
        if most is not None and least_pixels > most:
            return UsageError(
                f"the smallest tile has {least_pixels} pixels with this overlap, and the server "
                f"takes {most} a call; choose less overlap"
            )
        tile = least_pixels * self.footprint.bytes_per_lr_pixel
        if self.memory_mb is not None:
            least = (self.footprint.program_bytes + tile) / 1e6
            return UsageError(
                f"memory_mb={self.memory_mb:g} is too little: {least:.0f} are needed with this "
                "overlap"
            )
        return DataError(
            f"the smallest tile needs {tile / 1e6:.0f} MB of memory, "
            f"{self.free_bytes / 1e6:.0f} MB are free; end other programs"
        )


def decide(num_pixels: int, memory_mb: float | None, footprint: Footprint) -> Budget:
    """Looks at the free memory, and decides what a photo may take of it.

    Args:
        num_pixels: LR pixels of the photo.
        memory_mb: What the process may take in all, in 10⁶ bytes; infinity: there is no limit. By
            default 1450 for small photos to 2700 for large ones, and in any case no more than is
            free.
        footprint: Of the runtime.
    """
    free = available_bytes()
    if memory_mb is not None:
        left = memory_mb * 1e6 - footprint.program_bytes
    else:
        total = min(max(_AT_ALL + _PER_LR_PIXEL * num_pixels, _LEAST), _MOST)
        left = min(total - footprint.program_bytes, _SHARE * free)
    return Budget(memory_mb, free, left, footprint)


def _whole(number: float) -> int:
    return int(min(max(0.0, number), sys.maxsize // 2))


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
