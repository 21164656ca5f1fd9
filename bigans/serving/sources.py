"""The pair of generators that is to be served: two exports, or one that is fused already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fusion.modes import Delta, Threshold
from fusion.saved_model_folder import find_generator, find_saved_model
from sr_program import contract
from sr_program.errors import DataError

if TYPE_CHECKING:
    from bigans.serving.serving_model import Source


def pair(
    faithful: str | os.PathLike[str],
    vivid: str | os.PathLike[str],
    threshold: Threshold = "joint",
    delta: Delta = "as_read",
) -> Source:
    """Two generators.

    Args:
        faithful: SavedModel of I_g, a folder of its versions, or an ONNX file.
        vivid: SavedModel of I_G, likewise.
        threshold: See `fusion.fuse.fuse`.
        delta: Likewise.

    Raises:
        DataError: One is missing or unfit, or they do not belong together.
    """
    import tensorflow as tf

    from bigans.serving.serving_model import Source
    from fusion.fused_model import FusedModel

    model = FusedModel(
        find_generator(faithful), find_generator(vivid), threshold=threshold, delta=delta
    )

    def run(name: str, argument: str) -> Any:
        first, second = (one.signatures.get(name) for one in model.generators)

        def both(images: Any) -> tuple[Any, Any]:
            made = first(**{argument: images})[contract.SR]
            # One after the other: side by side what they take for a tile would add up.
            with tf.control_dependencies([made]):
                images = tf.identity(images)
            return made, second(**{argument: images})[contract.SR]

        return both

    levels = run(contract.FROM_LEVELS, contract.LEVELS) if model.takes_levels else None
    return Source(model, run(contract.UNROUNDED, contract.IMAGE), levels, model.facts)


def fused(directory: str | os.PathLike[str]) -> Source:
    """A fused model; its generators run side by side, so that a tile takes more memory.

    Raises:
        DataError: There is none, or it lacks the signature of its generators.
    """
    from bigans.serving.serving_model import Source
    from fusion.generator_model import load_saved_model, takes_levels
    from fusion.model_facts import facts_of

    found = find_saved_model(directory)
    model = load_saved_model(found)
    if contract.GENERATORS not in model.signatures:
        raise DataError(
            f"{found}: is no fused model (it lacks the signature {contract.GENERATORS}); export "
            "one with fusion.export, or name both generators"
        )

    def run(name: str, argument: str) -> Any:
        signature = model.signatures[name]

        def both(images: Any) -> tuple[Any, Any]:
            made = signature(**{argument: images})
            return made[contract.FAITHFUL], made[contract.VIVID]

        return both

    levels = run(contract.FROM_LEVELS, contract.LEVELS) if takes_levels(model) else None
    images = run(contract.GENERATORS, contract.IMAGE)
    return Source(model, images, levels, facts_of(model, found))
