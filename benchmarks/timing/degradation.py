"""Times the MATLAB-exact bicubic reduction and enlargement of a 2040x1356 image.

    taskset -c 0 python -m benchmarks.timing.degradation

Prints one Markdown table of medians; `taskset` keeps it on one core.
"""

from __future__ import annotations

import numpy as np

from benchmarks.timing.interleaved import machine, medians
from sr_images.bicubic import bicubic_downscale, bicubic_upscale
from sr_program.entry_point import refuse_positional, run

REPETITIONS = 15


def main(arguments: list[str]) -> None:
    """Prints the table."""
    refuse_positional(arguments)
    hr = np.random.default_rng(0).integers(0, 256, (1356, 2040, 3), dtype=np.uint8)
    lr = bicubic_downscale(hr)
    times = medians(
        {"2040x1356 → 510x339": lambda: bicubic_downscale(hr), "back": lambda: bicubic_upscale(lr)},
        REPETITIONS,
    )
    lines = [machine(), "", "| bicubic 4x | seconds |", "|---|---|"]
    lines += [f"| {name} | {seconds:.3f} |" for name, seconds in times.items()]
    print("\n".join(lines))


if __name__ == "__main__":
    run(main)
