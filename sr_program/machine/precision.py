"""The precisions that models compute in, and the choice of the one that this machine is fast in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sr_program.errors import UsageError

Precision = Literal["float32", "bfloat16"]

AUTO = "auto"
PRECISIONS = ("float32", "bfloat16", AUTO)

# Either computes on bfloat16 as it is; elsewhere it is converted to float32 and back.
_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}

# NVIDIA's compute capability of the first GPUs that have it.
AMPERE = (8, 0)

# TensorFlow, which takes seconds to import, is asked for GPUs only where this is.
_DRIVER = Path("/proc/driver/nvidia/version")


def resolve(precision: str) -> Precision:
    """What `precision` means on this machine.

    Args:
        precision: "float32", "bfloat16" or "auto": bfloat16 where the processor, or the GPU if
            there is one, computes on it, else float32.

    Raises:
        UsageError: Another word.
    """
    if precision == "float32" or precision == "bfloat16":
        return precision
    if precision != AUTO:
        raise UsageError(f"precision is {precision!r}; choose one of {', '.join(PRECISIONS)}")
    return "bfloat16" if computes_bfloat16() else "float32"


def computes_bfloat16() -> bool:
    """Whether TensorFlow's device, the GPUs if there are any, computes on bfloat16 as it is."""
    if _DRIVER.exists():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        if gpus:
            found = [entry.get("compute_capability", (0, 0)) for entry in details]
            return min(found) >= AMPERE
    return cpu_computes_bfloat16()


def cpu_computes_bfloat16() -> bool:
    """The same of the processor alone."""
    return bool(_CPU_FLAGS & cpu_flags())


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The instruction sets of this processor in Linux' names; none where Linux does not tell."""
    if not cpuinfo.exists():
        return frozenset()
    for line in cpuinfo.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()
