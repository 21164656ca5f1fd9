"""Which Keras dtype policy a run's networks get on this machine."""

from __future__ import annotations

import re

import keras
from absl import logging

from sr_program.machine.precision import AMPERE, AUTO, computes_bfloat16, cpu_computes_bfloat16


def dtype_policy(precision: str) -> str:
    """The policy that `--precision` means here; says so where bfloat16 is emulated.

    To be called after `srgan.steps.devices.open_devices`, since JAX looks for its devices here.

    Args:
        precision: "float32"; "bfloat16", which is obeyed but warned of where the device of Keras'
            backend converts it to float32 and back; or "auto": bfloat16 where it does not.

    Returns:
        "float32" or "mixed_bfloat16".
    """
    if precision == "float32":
        return precision
    native = _on_jax() if keras.backend.backend() == "jax" else computes_bfloat16()
    if precision == AUTO:
        logging.info("--precision=auto: %s on this machine", "bfloat16" if native else "float32")
        return "mixed_bfloat16" if native else "float32"
    if not native:
        logging.warning(
            "this machine only emulates bfloat16, which may be many times slower than "
            "--precision=float32 or auto; a run may continue at another precision"
        )
    return "mixed_bfloat16"


def _on_jax() -> bool:
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        return cpu_computes_bfloat16()
    # NVIDIA's have this; of the others, TPUs among them, all that JAX runs on compute on bfloat16.
    found = re.fullmatch(r"(\d+)\.(\d+)", str(getattr(device, "compute_capability", "")))
    return found is None or (int(found[1]), int(found[2])) >= AMPERE
