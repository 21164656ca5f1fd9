"""Writes the generators of an exported SavedModel for OpenVINO, whoever has exported it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from fusion import numpy_merge
from fusion.formats.openvino import write_function
from fusion.formats.openvino_model import GENERATORS_FILE, OpenVinoModel
from fusion.generator_model import IMAGE, LEVELS, load_saved_model, takes_levels
from fusion.model_facts import facts_of
from fusion.modes import NoGeneratorsError
from sr_images.rounding import grey_levels
from sr_program.contract import (
    DEFAULT_XI,
    DEVIATIONS,
    FROM_LEVELS,
    GENERATORS,
    SERVING,
    UNROUNDED,
    USE_XI,
    differing,
)
from sr_program.model_facts import ModelFacts, write_facts


def write_generators(saved_model_dir: Path, directory: Path) -> None:
    """Writes `generators.xml`, its weights and the facts of a SavedModel, and compares results.

    Args:
        saved_model_dir: Holds saved_model.pb: a fused model, or a generator.
        directory: Where to write to; it exists.

    Raises:
        NoGeneratorsError: The SavedModel lacks signatures that would tell its parts, or its parts,
            merged here, do not give what it gives.
        DataError: No SavedModel can be loaded from there.
        UsageError: OpenVINO is not installed.
    """
    loaded = load_saved_model(saved_model_dir)
    signatures = getattr(loaded, "signatures", {})
    if all(name in signatures for name in (SERVING, GENERATORS, DEVIATIONS)):
        name = GENERATORS
    elif all(name in signatures for name in (SERVING, UNROUNDED)):
        name = UNROUNDED
    else:
        raise NoGeneratorsError(
            f"{saved_model_dir}: has neither the signature 'generators' nor {UNROUNDED!r}, so "
            "OpenVINO cannot run it; export it again, or choose runtime=tensorflow"
        )
    facts = facts_of(loaded, saved_model_dir)
    module = tf.Module()
    module.loaded = loaded  # pyright: ignore[reportAttributeAccessIssue]
    if takes_levels(loaded):
        levels = tf.TensorSpec(LEVELS.shape, LEVELS.dtype, "image")
        function = tf.function(
            lambda image: signatures[FROM_LEVELS](levels=image), input_signature=[levels]
        )
    else:
        function = tf.function(lambda image: signatures[name](image=image), input_signature=[IMAGE])
    write_function(module, function, directory / GENERATORS_FILE)
    write_facts(directory, facts)
    _check(signatures, facts, saved_model_dir, directory)


def _check(signatures: Any, facts: ModelFacts, saved_model_dir: Path, directory: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 13, 18, 3), np.uint8)
    generators = OpenVinoModel(directory / GENERATORS_FILE)({"image": image})
    serve = signatures[SERVING]
    for xi in (0.0, DEFAULT_XI):
        given = {"image": image, "xi": np.float32(xi), "max_deviation": np.float32(USE_XI)}
        wanted = {key: given[key] for key in serve.structured_input_signature[1]}
        expected = serve(**{key: tf.constant(value) for key, value in wanted.items()})["sr"].numpy()
        if facts.threshold is None:
            found = grey_levels(generators["sr"][0], np)
        else:
            images = generators["faithful"][0], generators["vivid"][0]
            found = numpy_merge.fuse(*images, xi, threshold=facts.threshold, delta=facts.delta)
        if differing({"sr": expected[0]}, {"sr": found}):
            raise NoGeneratorsError(
                f"{saved_model_dir}: OpenVINO gives other results than the model itself; "
                "choose runtime=tensorflow"
            )
