"""A program for test_engines.py: updates in one call of JAX against the same one by one.

    KERAS_BACKEND=jax python several_updates.py

Prints JSON: each engine's logs, and how many programs it compiled.
"""

import json

import keras
import numpy as np

from mr_srgan.config import GeneratorConfig
from mr_srgan.gan import MrSrgan
from mr_srgan.generator import build_generator
from srgan.config import ObjectiveConfig, OptimizerConfig
from srgan.steps.engines import JaxEngine
from srgan.steps.paired_optimizer import build_optimizer


def images(rng: np.random.Generator, side: int) -> np.ndarray:
    """Two random images in [-1, 1]."""
    return rng.uniform(-1, 1, (2, side, side, 3)).astype(np.float32)


def run(scan: bool) -> dict:
    """Eight updates in calls of 3, 3, 1 and 1."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    architecture = GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
    objective = ObjectiveConfig(pixel_loss="l1", lambda_vgg=0.0, adversarial=False)
    model = MrSrgan(build_generator(architecture), objective)
    model.compile_pair(build_optimizer(OptimizerConfig(), 100, adversarial=False))
    engine = JaxEngine(model, scan=scan)
    rng = np.random.default_rng(2)
    logs = []
    for count in (3, 3, 1, 1):
        batches = [(images(rng, 8), images(rng, 32)) for _ in range(count)]
        logs += engine.run(batches)
    return {"logs": logs, "compilations": engine.num_compilations}


if __name__ == "__main__":
    print(json.dumps([run(scan) for scan in (False, True)]))
