"""A model that takes as long as one likes and computes next to nothing, for experiments on batches.

Faithful: every pixel repeated 4x4. Vivid: the same with more contrast.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bigans import Upscaler
from bigans.batch.enlarging_worker import one_at_a_time
from bigans.models.memory import Footprint
from bigans.models.merged_in_numpy import MergedInNumpy
from sr_program import contract
from sr_program.model_facts import ModelFacts


def load(seconds: float = 0.0, log: Path | None = None) -> Upscaler:
    """Loads it.

    Args:
        seconds: That each photo takes.
        log: File that gets a line for each photo that is computed.
    """

    def network(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        image = inputs[contract.IMAGE]
        time.sleep(seconds)
        if log is not None:
            # Lines of several processes do not mix: each is one write at the end of the file.
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, f"{zlib.crc32(image.tobytes())}\n".encode())
            os.close(descriptor)
        large = image.astype(np.float32).repeat(4, axis=1).repeat(4, axis=2)
        vivid = np.clip((large - 128) * np.float32(1.1) + 128, 0, 255)
        return {contract.FAITHFUL: large, contract.VIVID: vivid}

    facts = ModelFacts(scale=4, radius=0, threshold="joint")
    model = MergedInNumpy(
        network, facts, Footprint(200_000_000, 1_000), Path("cheap"), "cheap", takes_levels=True
    )
    one_at_a_time(model)
    return Upscaler.of_model(model)
