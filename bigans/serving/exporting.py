"""Writes a version of the model that a server can load, complete or not at all."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bigans.models.names import PARTS, PRETRAINED, parse
from bigans.pretrained import saved_models
from bigans.pretrained.saved_models import Shipped
from bigans.serving import sources
from bigans.serving.limits import Limits
from fusion.saved_model_folder import find_generator, find_saved_model
from sr_program import contract
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_directory
from sr_program.machine.precision import resolve
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.model_facts import write_facts
from sr_program.progress import Progress
from sr_program.version import VERSION

if TYPE_CHECKING:
    from bigans.serving.serving_model import ServingModel, Source

INFO_FILE = "model_info.json"
PRETRAINED_LICENCE = "code: Apache-2.0; weights: for research, see the model card"
DEFAULT_SIZES = ((32, 32),)
_MOST_SIDE = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToServe:
    """Which generators are served: those of a fused model, or two that are named one by one.

    Example:
        export("models/bi_gans_st", ToServe(faithful="models/mr_srgan", vivid="models/vivid"))

    Attributes:
        model: "pretrained", "pretrained:photo", which is the same, "pretrained:clean", or the
            directory of a fused model; not beside the next two.
        faithful: SavedModel of the faithful generator, together with `vivid`.
        vivid: SavedModel of the vivid generator.
        precision: What the shipped model computes in.
        cache_dir: See `bigans.pretrained.saved_models`.
    """

    model: str | os.PathLike[str] = PRETRAINED
    faithful: str | os.PathLike[str] | None = None
    vivid: str | os.PathLike[str] | None = None
    precision: str | None = None
    cache_dir: str | os.PathLike[str] | None = None

    def source(self) -> tuple[str, Callable[[], Source]]:
        """The licence of what is served, and what loads it.

        Raises:
            DataError: A model is missing or unfit.
            UsageError: The settings do not go together.
        """
        name = parse(self.model)
        shipped_name = name.kind == PRETRAINED and name.rest == PARTS[0]
        has_generators = self.faithful is not None or self.vivid is not None
        own = has_generators or not shipped_name
        if own and self.precision is not None:
            raise UsageError(
                f"precision={self.precision} has no effect on models that are exported already; "
                "leave it out"
            )
        if has_generators:
            if self.faithful is None or self.vivid is None or not shipped_name:
                raise UsageError("name both faithful and vivid, and no model; or a model alone")
            directories = find_generator(self.faithful), find_generator(self.vivid)
            return "not stated", functools.partial(sources.pair, *directories)
        if own:
            directory = find_saved_model(self.model)
            return "not stated", functools.partial(sources.fused, directory)
        return PRETRAINED_LICENCE, self._shipped

    def _shipped(self) -> Source:
        wanted = resolve(self.precision or "float32")
        pair = parse(self.model).weights
        found = saved_models.saved_models(Shipped(self.cache_dir, precision=wanted, pair=pair))
        return sources.pair(found.faithful, found.vivid)


def export(
    output_dir: str | os.PathLike[str],
    generators: ToServe,
    *,
    version: int | None = None,
    limits: Limits | None = None,
    warm_up_sizes: Sequence[tuple[int, int]] = DEFAULT_SIZES,
) -> Path:
    """Writes the next version of a model for TensorFlow Serving.

    It appears by one rename: servers look every second.

    Args:
        output_dir: The folder of the model; its versions are numbers.
        generators: What is served.
        version: The number; by default one more than the largest there is.
        limits: What a request may ask for.
        warm_up_sizes: Heights and widths of the requests that a server warms up with.

    Returns:
        The directory of the version.

    Raises:
        DataError: A model is missing or unfit, the version exists, or what was written does not
            give what is in memory.
        UsageError: The arguments do not go together.
    """
    limits = limits or Limits()
    _check_sizes(warm_up_sizes, limits)
    licence, load = generators.source()
    target = _target(Path(output_dir), version)
    with Progress(3, "step", leave=False) as progress:
        progress.describe("loading the generators")
        import_tensorflow_quietly()
        from bigans.serving.serving_model import ServingModel

        source = load()
        info = _info(source, limits, int(target.name), licence)
        progress.update()
        progress.describe("writing the signatures")
        serving = ServingModel(source, limits, info)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_directory(target) as temporary:
            _write(serving, temporary, warm_up_sizes)
            progress.update()
            progress.describe("trying what was written")
            check(serving, temporary)
            progress.update()
            if target.exists():  # by another export meanwhile
                raise _exists(target)
    return target


def _target(root: Path, version: int | None) -> Path:
    if version is None:
        found = [int(path.name) for path in root.glob("*") if path.name.isdecimal()]
        version = max(found, default=0) + 1
    elif not 1 <= version < 1 << 63:
        raise UsageError(f"version={version}; choose a number from 1 on")
    target = root / str(version)
    if target.exists():
        raise _exists(target)
    return target


def _exists(target: Path) -> DataError:
    return DataError(f"{target}: exists already; leave version out to write the next one")


def _check_sizes(sizes: Sequence[tuple[int, int]], limits: Limits) -> None:
    for height, width in sizes:
        fits = min(height, width) >= 1 and height * width <= limits.max_pixels
        if not fits or max(height, width) > _MOST_SIDE:
            raise UsageError(
                f"warmup_sizes: {height}x{width} is out of range; sides are 1 to {_MOST_SIDE}, and "
                f"a request has at most {limits.max_pixels} pixels"
            )


def _info(source: Source, limits: Limits, version: int, licence: str) -> dict[str, Any]:
    facts = source.facts
    return {
        "model": "Bi-GANs-ST",
        "version": version,
        "program": VERSION,
        "weights": facts.weights,
        "license": licence,
        "scale": facts.scale,
        "radius": facts.radius,
        "precision": facts.precision,
        "threshold": facts.threshold or "joint",
        "delta": facts.delta,
        "xi": contract.DEFAULT_XI,
        "takes_levels": source.from_levels is not None,
        "max_pixels": limits.max_pixels,
        "tile": limits.tile,
        "overlap": limits.overlap,
    }


def _write(serving: ServingModel, directory: Path, sizes: Sequence[tuple[int, int]]) -> None:
    import tensorflow as tf

    from bigans.serving.signature_shapes import state_shapes
    from bigans.serving.warm_up import FOLDER, write_warm_up

    functions = serving.signature_functions
    tf.saved_model.save(serving, os.fspath(directory), signatures=functions)
    state_shapes(directory)
    write_facts(directory, serving.facts)
    inputs = {
        name: [spec.name for spec in function.input_signature or ()]
        for name, function in functions.items()
    }
    (directory / FOLDER).mkdir(exist_ok=True)
    (directory / FOLDER / INFO_FILE).write_text(serving.info + "\n", encoding="utf-8")
    if sizes:
        write_warm_up(directory, sizes, inputs)


def check(serving: ServingModel, directory: Path) -> None:
    """Runs the written model in a Session, as a server does, and compares it with the generators.

    Raises:
        DataError: They differ.
    """
    import tensorflow as tf

    from fusion.fuse import fuse

    image = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), np.uint8)
    xi = np.array([xi for xi, _ in contract.TRIED], np.float32)
    bound = np.array([bound for _, bound in contract.TRIED], np.float32)
    facts = serving.facts
    modes: dict[str, Any] = {"threshold": facts.threshold or "joint", "delta": facts.delta}
    values = {contract.IMAGE: image, contract.XI: xi, contract.MAX_DEVIATION: bound}
    if facts.delta == "as_printed":
        del values[contract.MAX_DEVIATION]
    expected = fuse(
        *serving.generators(tf.constant(image)),
        xi,  # pyright: ignore[reportArgumentType]
        values.get(contract.MAX_DEVIATION),  # pyright: ignore[reportArgumentType]
        **modes,
    )
    tf.get_logger().setLevel("ERROR")  # the loader is called deprecated; servers use its like
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], os.fspath(directory))
        for name, wanted in ((contract.SERVING, expected.sr), ("unrounded", expected.unrounded)):
            signature = meta.signature_def[name]
            feeds = {signature.inputs[key].name: value for key, value in values.items()}
            found = session.run(signature.outputs[contract.SR].name, feeds)
            contract.check_written(
                directory, name, {contract.SR: wanted.numpy()}, {contract.SR: found}
            )
