"""The shipped generators as SavedModels in the user's cache, built on first use.

    CACHE/KEY/mr_srgan/1   CACHE/KEY/wp_srgan/stage2/1   CACHE/KEY/fused/1

KEY is a hash of the precision, the pair's weights and their part of the manifest, and the source
code that builds the models, so that neither new weights nor a changed network is ever served by an
old file. A finished set appears by one rename under a lock: processes may start at once, and one
that is killed leaves no half of a model. The hashes of its files lie beside it; a set that was
damaged is built again.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import logging
from tqdm import tqdm

from bigans.pretrained.manifest import WEIGHTS_DIR, read_manifest, verified_weights
from bigans.pretrained.pairs import DEFAULT_PAIR, STAGE_1, Pair, generators_of
from sr_program.errors import DataError
from sr_program.files.cache import (
    cache_folder,
    keep_newest,
    mark_as_used,
    remove_leftovers,
    replacing,
    writing,
)
from sr_program.files.sealed import is_intact
from sr_program.machine.precision import Precision
from sr_program.machine.tensorflow_start import import_tensorflow_quietly, keras_on_tensorflow

if TYPE_CHECKING:
    from srgan.runs.branch import Branch

# The packages whose code decides what the SavedModels compute.
_BUILDERS = ("sr_images", "srgan", "mr_srgan", "wp_srgan", "fusion")

# Every change of weights or code makes a new set (about 50 MB), and so does each precision of each
# pair; so many of them stay.
_KEPT_SETS = 6

(_STAGE_1,) = generators_of(STAGE_1, "clean")

# Where `openvino_models` keeps its own.
OPENVINO = "openvino"


@dataclasses.dataclass(frozen=True)
class SavedModels:
    """Version directories of the three models; the parent of each is what a model server watches.

    Attributes:
        faithful: MR-SRGAN.
        vivid: WP-SRGAN, stage 2.
        fused: Both, merged by soft thresholding.
    """

    faithful: Path
    vivid: Path
    fused: Path


@dataclasses.dataclass(frozen=True)
class Shipped:
    """A pair of the shipped weights, and how its models are made.

    Example:
        models = saved_models(Shipped(precision="bfloat16", pair="clean"))

    Attributes:
        cache_dir: Where the models are kept; by default the folder that the environment variable
            BIGANS_CACHE names, else the user's cache folder of this system.
        weights_dir: Holds the weights and their manifest.
        precision: What the models compute in.
        pair: Which of the shipped pairs.
    """

    cache_dir: str | os.PathLike[str] | None = None
    weights_dir: Path = WEIGHTS_DIR
    precision: Precision = "float32"
    pair: Pair = DEFAULT_PAIR

    @property
    def generators(self) -> tuple[str, str]:
        """Names of the faithful and the vivid generator."""
        faithful, vivid = generators_of("fused", self.pair)
        return faithful, vivid

    @functools.cached_property
    def _manifest(self) -> Any:
        return read_manifest(self.weights_dir)

    def weights(self, name: str) -> Path:
        """The file of a generator's weights; DataError if it is missing or damaged."""
        return verified_weights(self._manifest[name], self.weights_dir)

    def key(self) -> str:
        """Changes with everything that decides what the models compute."""
        digest = hashlib.sha256(self.precision.encode())
        entries = {
            name: dataclasses.asdict(self._manifest[name]) for name in (*self.generators, _STAGE_1)
        }
        digest.update(json.dumps(entries, sort_keys=True).encode())
        for name, content in _builder_sources():
            digest.update(f"\n{name} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()[:20]

    def export(self, branch: Branch, name: str, directory: Path) -> None:
        """Writes a generator's SavedModel to `directory`/1."""
        from srgan.runs.exporting import export_weights

        config = self._config(branch.architecture, name)
        export_weights(branch, self.weights(name), config, directory, self.precision)

    def _config(self, config_class: Any, name: str) -> Any:
        try:
            return config_class(**self._manifest[name].config)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the shipped weights of {name} do not fit this program ({error}); "
                "install the program again"
            ) from error


_PHOTO = Shipped()


def saved_models(shipped: Shipped = _PHOTO) -> SavedModels:
    """Returns the SavedModels of the shipped weights; the first call builds them (seconds).

    Later calls only compare hashes, without importing TensorFlow.

    Args:
        shipped: Of which weights, and how.

    Raises:
        DataError: Weights are missing or damaged, or the cache folder cannot be written.
    """
    for name in shipped.generators:
        shipped.weights(name)  # damage is told even if the models are there
    target = cache_folder(shipped.cache_dir) / shipped.key()
    if not is_intact(target):
        _build_once(target, shipped)
    mark_as_used(target)
    return _paths(target)


def stage_1_model(shipped: Shipped = _PHOTO) -> Path:
    """Returns the SavedModel of WP-SRGAN after its first stage; the first call builds it.

    It is no part of the fused model: for comparisons, as in the paper's Table 1.

    Args:
        shipped: As for `saved_models`; the pair is always the clean one, which it belongs to.

    Raises:
        DataError: Weights are missing or damaged, or the cache folder cannot be written.
    """
    shipped = dataclasses.replace(shipped, pair="clean")
    shipped.weights(_STAGE_1)
    target = saved_models(shipped).vivid.parent.with_name("stage1")
    if not is_intact(target):
        with writing(target.parent.parent.parent):
            if not is_intact(target):
                with replacing(target) as temporary:
                    _build_stage_1(temporary, shipped)
    return target / "1"


def _paths(directory: Path) -> SavedModels:
    return SavedModels(
        faithful=directory / "mr_srgan" / "1",
        vivid=directory / "wp_srgan" / "stage2" / "1",
        fused=directory / "fused" / "1",
    )


def _builder_sources() -> Iterator[tuple[str, bytes]]:
    for package in _BUILDERS:
        spec = importlib.util.find_spec(package)  # of a top-level package: imports nothing
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in sorted(Path(folder).rglob("*.py")):
                yield f"{package}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _build_once(target: Path, shipped: Shipped) -> None:
    cache = target.parent
    with writing(cache):
        if is_intact(target):  # by another process, while this one waited
            return
        remove_leftovers(cache)
        logging.info("building the SavedModels of the shipped weights in %s", target)
        with replacing(target) as temporary:
            _build(temporary, shipped)
        _forget_old_sets(cache, newest=target)


def _build(directory: Path, shipped: Shipped) -> None:
    with tqdm(total=3, desc="first run: preparing the models", disable=None) as progress:
        # TensorFlow and the branches are imported here: a set that is there needs none of them.
        import_tensorflow_quietly()
        from fusion.exporting import build

        paths = _paths(directory)
        faithful, vivid = shipped.generators
        with keras_on_tensorflow():
            from mr_srgan.branch import MR_SRGAN
            from wp_srgan.branch import WP_SRGAN

            for branch, name, path in (
                (MR_SRGAN, faithful, paths.faithful),
                (WP_SRGAN[2], vivid, paths.vivid),
            ):
                shipped.export(branch, name, path.parent)
                progress.update()
        build(paths.faithful, paths.vivid, paths.fused.parent)
        progress.update()


def _build_stage_1(directory: Path, shipped: Shipped) -> None:
    with keras_on_tensorflow():
        from wp_srgan.branch import WP_SRGAN

        shipped.export(WP_SRGAN[1], _STAGE_1, directory)


def _forget_old_sets(cache: Path, newest: Path) -> None:
    others = (newest, cache / OPENVINO)
    sets = [path for path in cache.iterdir() if path.is_dir() and path not in others]
    keep_newest(sets, _KEPT_SETS - 1)
