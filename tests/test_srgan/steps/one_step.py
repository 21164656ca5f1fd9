"""A program for test_engines.py: one update of small models on the engine of KERAS_BACKEND.

    KERAS_BACKEND=jax python one_step.py INPUTS.npz OUTPUTS.npz

Writes losses, gradients and the variables after the update. Forward passes are counted.
"""

import dataclasses
import json
import sys

import keras
import numpy as np

import mr_srgan.config
import mr_srgan.generator
import wp_srgan.config
import wp_srgan.generator
from mr_srgan.gan import MrSrgan
from srgan.config import ObjectiveConfig, OptimizerConfig
from srgan.layers.discriminator import build_discriminator
from srgan.layers.unet_discriminator import build_unet_discriminator
from srgan.steps import jax_step
from srgan.steps.engines import make_engine
from srgan.steps.paired_optimizer import build_optimizer
from srgan.vgg.features import build_vgg_features
from wp_srgan.config import PAPER_OBJECTIVE
from wp_srgan.gan import WpSrgan


def build(branch: str, vgg_file: str):
    """The model of a branch, small, with the discriminator and the objective of the paper."""
    vgg = build_vgg_features("vgg19", "block1_conv1", weights=vgg_file)
    if branch == "mr":
        config = mr_srgan.config.GeneratorConfig(num_mr_blocks=1, num_res_blocks=2, features=4)
        generator = mr_srgan.generator.build_generator(config)
        discriminator = build_discriminator(32, batch_norm=True)
        # Several layers are not in the paper; the engines have to agree on them too.
        vgg = build_vgg_features("vgg19", ["block1_conv2", "block1_conv1"], weights=None)
        networks = {"discriminator": discriminator, "features": vgg}
        networks |= {"feature_scale": [1e-5, 1e-3]}
        return MrSrgan(generator, ObjectiveConfig(logarithm=False), **networks)
    stage = 2 if branch == "wp2" else 1
    config = wp_srgan.config.GeneratorConfig(num_res_blocks=2, features=4)
    generator = wp_srgan.generator.build_generator(config)
    # The shifts make the losses depend on the update's number.
    changes = {"vgg_shift": True, "discriminator_shift": True}
    if branch == "wp1":
        networks = {"discriminator": build_discriminator(32, batch_norm=False)}
    else:
        # Due in the update that is run, the seventh.
        changes |= {"relativistic": True, "r1_gamma": 2.0, "r1_every": 3}
        networks = {"discriminator": normalised_discriminator(unet=branch == "unet")}
    if stage == 2:
        networks |= {"features": vgg, "feature_scale": 1e-3}
    # Terms that are not in the paper have to agree between the engines too.
    changes |= {"lambda_lr": 0.5, "lambda_texture": 0.01}
    objective = dataclasses.replace(PAPER_OBJECTIVE[stage], **changes)
    return WpSrgan(generator, objective, stage=stage, **networks)


def normalised_discriminator(unet: bool):
    """One with spectral normalisation."""
    if unet:
        return build_unet_discriminator(32, spectral_norm=True, base_filters=8)
    return build_discriminator(32, batch_norm=False, spectral_norm=True, base_filters=16)


def fill(model, numbers) -> None:
    """Gives every variable values that do not depend on the engine, optimizer slots too."""
    rng = np.random.default_rng(3)
    for variable in (*model.variables, *model.optimizer.variables):
        shape = tuple(variable.shape)
        if not shape:
            continue  # counters and learning rates
        values = rng.uniform(0.5, 1.5, shape)
        if any(variable is one for one in numbers):
            fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 100
            values = rng.normal(0, 1 / np.sqrt(fan_in), shape)
        elif "average" not in variable.path and variable.path.split("/")[-1] != "moving_variance":
            values = values * 0.01
        variable.assign(values)


def count_calls(owner, method: str, name: str, calls: dict) -> None:
    """Notes each call of a method."""
    calls[name] = 0
    run = getattr(owner, method)

    def counted(*arguments, **options):
        calls[name] += 1
        return run(*arguments, **options)

    setattr(owner, method, counted)


def gradients_of(model, lr, hr) -> list:
    """Both networks' gradients; the model keeps its values."""
    if keras.backend.backend() == "jax":
        import jax

        state = jax_step.read_state(model)
        update = int(model.optimizer.iterations)
        model.optimizer.iterations.assign(0)  # the state says which update it is
        gradients = jax.jit(lambda state: jax_step.gradients(model, state, lr, hr)[0])(state)
        model.optimizer.iterations.assign(update)
        return gradients
    # BatchNorm's, and the vectors of spectral normalisation.
    statistics = [np.array(v) for v in model.non_trainable_variables]
    gradients, _ = model.tape_gradients(lr, hr)
    for variable, value in zip(model.non_trainable_variables, statistics, strict=True):
        variable.assign(value)  # the forward pass has moved them
    return gradients


def main(inputs: str, outputs: str) -> None:
    """Runs the update of every branch."""
    given = np.load(inputs)
    found = {}
    for branch in ("mr", "wp1", "wp2", "unet"):
        model = build(branch, str(given["vgg_file"]))
        facts, arrays = one_step(model, given["lr"], given["hr"])
        found[f"{branch}/facts"] = np.array(json.dumps(facts))
        found |= {f"{branch}/{name}": array for name, array in arrays.items()}
    np.savez(outputs, **found)


def one_step(model, lr, hr) -> tuple[dict, dict]:
    """What is worth comparing of one update: JSON values, and arrays."""
    optimizer = OptimizerConfig(ema_decay=0.9, clip_norm=5.0)
    model.compile_pair(build_optimizer(optimizer, 100, adversarial=True))
    generator, discriminator = model.trainable_pair
    fill(model, [*generator, *discriminator])
    model.optimizer.iterations.assign(6)
    gradients = gradients_of(model, lr, hr)
    calls: dict[str, int] = {}
    # TensorFlow may trace a function more than once.
    count_calls(model, "run_networks", "step", calls)
    for name in ("generator", "discriminator", "features"):
        if getattr(model, name) is not None:
            count_calls(getattr(model, name), "call", name, calls)
    engine = make_engine(model)
    logs = engine.run([(lr, hr)])[0]
    calls = dict(calls)  # of the update alone
    engine.write_back()
    to_numpy = keras.ops.convert_to_numpy
    found = {f"gradient {i:03d}": to_numpy(g) for i, g in enumerate(gradients)}
    for i, variable in enumerate((*model.variables, *model.optimizer.variables)):
        found[f"variable {i:03d} {variable.name}"] = to_numpy(variable)
    found["sr"] = engine.enlarge(lr)
    facts = {
        "logs": logs,
        "calls": calls,
        "tensorflow": "tensorflow" in sys.modules,
        "names": [v.path for v in (*generator, *discriminator)],
    }
    return facts, found


if __name__ == "__main__":
    main(*sys.argv[1:])
