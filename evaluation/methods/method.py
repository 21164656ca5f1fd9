"""What is evaluated: anything that makes 4x images of benchmark images.

An enlarger makes one image or several *variants* of it, by name: a fused model gives one for every
place on its curve, and runs its towers once for all of them.
"""

from __future__ import annotations

import abc
import dataclasses
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.self_ensemble import self_ensemble
from fusion.saved_model_folder import find_saved_model
from sr_data.benchmarks import BenchmarkImage
from sr_data.sources import FolderSource
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb
from sr_images.rounding import grey_levels
from sr_program.errors import DataError

Image = NDArray[np.uint8]

# What the names of other people's result files have after the name of the image.
_RESULT_MARKS = ("", "_x4", "x4", "_SR", "_SRx4", "_SR_x4", "_x4_SR", "_HR", "_out", "_rlt")


class Enlarger(abc.ABC):
    """Makes the images that are scored.

    Attributes:
        variants: Names of what it can make of one image.
        identity: A text that changes when the images that it makes change.
    """

    variants: tuple[str, ...]
    identity: str

    @abc.abstractmethod
    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """The wanted variants of one image, uint8 [4h, 4w, 3].

        Raises:
            DataError: There is no result for this image.
        """

    def fingerprint(self, benchmark: str, image: BenchmarkImage) -> str:
        """A hash of what else than the LR image decides the result, where something does."""
        del benchmark, image
        return ""

    def is_complete(self, benchmark: str, image: BenchmarkImage) -> bool:
        """Whether everything is there that it writes down itself while it makes an image."""
        del benchmark, image
        return True


class Bicubic(Enlarger):
    """MATLAB's bicubic interpolation, the baseline of every table."""

    identity = "bicubic"

    def __init__(self, label: str = "bicubic") -> None:
        """Takes its name in tables."""
        self.variants = (label,)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        del benchmark, wanted
        return {self.variants[0]: bicubic_upscale(image.lr)}


class Original(Enlarger):
    """The HR images themselves: what NIQE, Ma and PI say of the best result that there can be."""

    identity = "hr"

    def __init__(self, label: str = "HR") -> None:
        """Takes its name in tables."""
        self.variants = (label,)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        del benchmark, wanted
        return {self.variants[0]: image.hr}


class ResultsFolder(Enlarger):
    """Images that any program has made: DIR/SET/NAME.png, or DIR/NAME.png for a single set.

    A name may be followed by a usual mark (`_x4`, `_SR`, `_HR`, …).
    """

    def __init__(self, directory: str | os.PathLike[str], label: str = "") -> None:
        """Checks that there are images.

        Raises:
            DataError: The folder is missing, or there is no image in it nor in its folders.
        """
        self._directory = FolderSource(directory).directory.resolve()
        self.variants = (label or self._directory.name,)
        self.identity = f"folder:{self._directory}"
        self._files: dict[str, dict[str, Path]] = {}

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        del wanted
        return {self.variants[0]: read_rgb(self._path(benchmark, image))}

    def fingerprint(self, benchmark: str, image: BenchmarkImage) -> str:
        """The hash of the result's file, which may be replaced between two runs."""
        return hashlib.sha256(self._path(benchmark, image).read_bytes()).hexdigest()

    def _path(self, benchmark: str, image: BenchmarkImage) -> Path:
        files = self._files_of(benchmark)
        path = next((files[n] for m in _RESULT_MARKS if (n := image.name + m) in files), None)
        if path is None:
            place = self._folder_of(benchmark)
            raise DataError(f"{place}: holds no result named {image.name}; add {image.name}.png")
        return path

    def _folder_of(self, benchmark: str) -> Path:
        own = self._directory / benchmark
        return own if own.is_dir() else self._directory

    def _files_of(self, benchmark: str) -> dict[str, Path]:
        if benchmark not in self._files:
            source = FolderSource(self._folder_of(benchmark), recursive=False)
            self._files[benchmark] = {path.stem: path for path in source.paths}
        return self._files[benchmark]


class Tower(Enlarger):
    """One generator: a SavedModel with the signature `unrounded` (see `fusion.tower`)."""

    def __init__(
        self, directory: str | os.PathLike[str], label: str, *, ensemble: bool = False
    ) -> None:
        """Loads the model.

        Args:
            directory: The SavedModel, or a directory of numbered versions.
            label: Name of its one variant.
            ensemble: Average over the eight turns and mirrorings of the image.

        Raises:
            DataError: No such model.
        """
        from fusion.tower import UNROUNDED, load_tower

        self.variants = (label,)
        path = find_saved_model(directory)
        self.identity = f"tower {saved_model_hash(path)} ensemble={ensemble}"
        # The signature lives only as long as the loaded model.
        self._model = load_tower(path)
        self._run = _ensembled(_runner(self._model.signatures[UNROUNDED]), ensemble)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        del benchmark, wanted
        sr = self._run(image.lr)["sr"]
        return {self.variants[0]: grey_levels(sr, np).astype(np.uint8)}


class Fused(Enlarger):
    """A fused model: its towers run once an image, their merge once a variant."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        points: Sequence[FusionPoint],
        *,
        ensemble: bool = False,
    ) -> None:
        """Loads the model.

        Args:
            directory: The fused SavedModel, or a directory of numbered versions.
            points: Where on the way from the faithful to the vivid image the variants lie.
            ensemble: Average each tower over the eight turns and mirrorings of the image.

        Raises:
            DataError: No such model, or one that is not fused.
        """
        import tensorflow as tf

        from fusion.tower import load_saved_model

        self._points = {point.label: point for point in points}
        self.variants = tuple(self._points)
        path = find_saved_model(directory)
        self._model: Any = load_saved_model(path)
        signature = getattr(self._model, "signatures", {}).get("towers")
        if signature is None:
            raise DataError(
                f"{path}: has no signature 'towers', so it is not a fused model; "
                "make one with fusion.export"
            )
        values = sorted(map(dataclasses.astuple, points))
        self.identity = f"fused {saved_model_hash(path)} ensemble={ensemble} {values}"
        self._run = _ensembled(_runner(signature), ensemble)
        self._tf = tf

    def towers(self, image: Image) -> tuple[Any, Any]:
        """I_g and I_G of one image, float32 [1, 4h, 4w, 3] grey levels, not rounded."""
        both = self._run(image)
        return self._tf.constant(both["faithful"][None]), self._tf.constant(both["vivid"][None])

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        return self.merge(benchmark, image, self.towers(image.lr), wanted)

    def merge(
        self,
        benchmark: str,
        image: BenchmarkImage,
        towers: tuple[Any, Any],
        wanted: Collection[str],
    ) -> dict[str, Image]:
        """The wanted variants, from what `towers` gave for the image."""
        del benchmark, image
        points = (self._points[name] for name in self.variants if name in wanted)
        return {point.label: point.merge(*towers) for point in points}


class Together(Enlarger):
    """Several enlargers as one: their variants side by side."""

    def __init__(self, enlargers: Iterable[Enlarger]) -> None:
        """Takes enlargers whose variants have different names."""
        self._enlargers = tuple(enlargers)
        self.variants = tuple(name for one in self._enlargers for name in one.variants)
        self.identity = "; ".join(one.identity for one in self._enlargers)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Enlarger`."""
        made: dict[str, Image] = {}
        for one in self._enlargers:
            if not set(wanted).isdisjoint(one.variants):
                made.update(one.enlarge(benchmark, image, wanted))
        return made

    def fingerprint(self, benchmark: str, image: BenchmarkImage) -> str:
        """Those of all of them."""
        return " ".join(one.fingerprint(benchmark, image) for one in self._enlargers)

    def is_complete(self, benchmark: str, image: BenchmarkImage) -> bool:
        """Whether all of them are."""
        return all(one.is_complete(benchmark, image) for one in self._enlargers)


def saved_model_hash(path: Path) -> str:
    """A hash of the graph and the weights of a SavedModel."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        # Fingerprints and assets.extra say nothing about what the model computes.
        if file.is_file() and (file.name == "saved_model.pb" or file.parent.name == "variables"):
            digest.update(file.relative_to(path).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _runner(signature: Any) -> Callable[[Image], dict[str, NDArray[np.float32]]]:
    import tensorflow as tf

    def run(image: Image) -> dict[str, NDArray[np.float32]]:
        outputs: Mapping[str, Any] = signature(image=tf.constant(image[None]))
        return {name: value.numpy()[0] for name, value in outputs.items()}

    return run


def _ensembled(run: Callable[[Image], dict[str, Any]], ensemble: bool) -> Any:
    return (lambda image: self_ensemble(run, image)) if ensemble else run
