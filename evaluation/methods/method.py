"""What is evaluated: anything that makes 4x images of benchmark images.

A method makes one image or several *variants* of it, by name: a fused model gives one for every
place on its curve, and runs its generators once for all of them.
"""

from __future__ import annotations

import abc
import dataclasses
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.loaded_model import Levels, LoadedModel
from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.self_ensemble import self_ensemble
from sr_data.benchmarks import BenchmarkImage
from sr_data.pairs import files_by_stem, named_alike
from sr_data.sources import FolderSource
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb
from sr_images.rounding import grey_levels
from sr_program.errors import DataError
from sr_program.files.hashes import file_sha256

Image = NDArray[np.uint8]

# What the names of other people's result files have after the name of the image.
RESULT_MARKS = ("", "_x4", "x4", "_SR", "_SRx4", "_SR_x4", "_x4_SR", "_HR", "_out", "_rlt")


class Method(abc.ABC):
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


class Bicubic(Method):
    """MATLAB's bicubic interpolation, the baseline of every table."""

    identity = "bicubic"

    def __init__(self, label: str = "bicubic") -> None:
        """Takes its name in tables."""
        self.variants = (label,)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        del benchmark, wanted
        return {self.variants[0]: bicubic_upscale(image.lr)}


class Original(Method):
    """The HR images themselves: what NIQE, Ma and PI say of the best result that there can be."""

    identity = "hr"

    def __init__(self, label: str = "HR") -> None:
        """Takes its name in tables."""
        self.variants = (label,)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        del benchmark, wanted
        return {self.variants[0]: image.hr}


class ResultsFolder(Method):
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
        self._files: dict[str, dict[str, list[Path]]] = {}

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        del wanted
        return {self.variants[0]: read_rgb(self._path(benchmark, image))}

    def fingerprint(self, benchmark: str, image: BenchmarkImage) -> str:
        """The hash of the result's file, which may be replaced between two runs."""
        return file_sha256(self._path(benchmark, image))

    def _path(self, benchmark: str, image: BenchmarkImage) -> Path:
        files = self._files_of(benchmark)
        found = next((files[n] for m in RESULT_MARKS if (n := image.name + m) in files), None)
        if found is None:
            place = self._folder_of(benchmark)
            raise DataError(f"{place}: holds no result named {image.name}; add {image.name}.png")
        if len(found) > 1:
            raise DataError(named_alike(*found[:2]))
        return found[0]

    def _folder_of(self, benchmark: str) -> Path:
        own = self._directory / benchmark
        return own if own.is_dir() else self._directory

    def _files_of(self, benchmark: str) -> dict[str, list[Path]]:
        if benchmark not in self._files:
            source = FolderSource(self._folder_of(benchmark), recursive=False)
            self._files[benchmark] = files_by_stem(source.paths)
        return self._files[benchmark]


class Generator(Method):
    """One generator, whatever computes it."""

    def __init__(self, model: LoadedModel, label: str, *, ensemble: bool = False) -> None:
        """Takes a loaded model.

        Args:
            model: Of a single generator.
            label: Name of its one variant.
            ensemble: Average over the eight turns and mirrorings of the image.

        Raises:
            DataError: It is fused, or gives no unrounded images.
        """
        if model.has_parts or not model.gives_unrounded:
            raise DataError(
                f"{model.directory}: has no signature 'unrounded', so it is not a single "
                "generator; export one with mr_srgan.export or wp_srgan.export"
            )
        self.variants = (label,)
        self.identity = f"generator {model.identity} ensemble={ensemble}"
        self._run = _ensembled(lambda image: {"sr": model.unrounded(image)[0]}, ensemble)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        del benchmark, wanted
        sr = self._run(image.lr)["sr"]
        return {self.variants[0]: grey_levels(sr, np).astype(np.uint8)}


class Fused(Method):
    """A fused model: its generators run once an image, their merge once a variant."""

    def __init__(
        self, model: LoadedModel, points: Sequence[FusionPoint], *, ensemble: bool = False
    ) -> None:
        """Takes a loaded model.

        Args:
            model: Which gives both images before they are merged.
            points: Where on the way from the faithful to the vivid image the variants lie.
            ensemble: Average each generator over the eight turns and mirrorings of the image.

        Raises:
            DataError: It is not a fused model, or merges in a way that has no threshold in grey
                levels while one of the points is such.
        """
        if not model.has_parts:
            raise DataError(
                f"{model.directory}: has no signature 'generators', so it is not a fused model; "
                "make one with fusion.export"
            )
        facts = model.facts
        if facts.delta == "as_printed" and any(point.mode == "absolute" for point in points):
            raise DataError(
                f"{model.directory}: is fused with the delta as printed, which knows no threshold "
                "in grey levels; choose values of xi"
            )
        self._points = {point.label: point for point in points}
        self.variants = tuple(self._points)
        values = sorted(map(dataclasses.astuple, points))
        self.identity = f"fused {model.identity} ensemble={ensemble} {values}"
        if (facts.threshold, facts.delta) != ("joint", "as_read"):
            self.identity += f" {facts.threshold} {facts.delta}"
        self._model = model
        self._run = _ensembled(
            lambda image: dict(zip(("faithful", "vivid"), model.generators(image), strict=True)),
            ensemble,
        )

    def generators(self, image: Image) -> tuple[Levels, Levels]:
        """I_g and I_G of one image, float32 [4h, 4w, 3] grey levels, not rounded."""
        both = self._run(image)
        return both["faithful"], both["vivid"]

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        return self.merge(benchmark, image, self.generators(image.lr), wanted)

    def merge(
        self,
        benchmark: str,
        image: BenchmarkImage,
        generators: tuple[Levels, Levels],
        wanted: Collection[str],
    ) -> dict[str, Image]:
        """The wanted variants, from what `generators` gave for the image."""
        del benchmark, image
        points = (self._points[name] for name in self.variants if name in wanted)
        return {point.label: self.merged(point, generators) for point in points}

    def merged(self, point: FusionPoint, generators: tuple[Levels, Levels]) -> Image:
        """One place on the way, uint8 [4h, 4w, 3], merged in the model's own way."""
        return point.merge(*generators, self._model.fuse)


class Together(Method):
    """Several methods as one: their variants side by side."""

    def __init__(self, methods: Iterable[Method]) -> None:
        """Takes methods whose variants have different names."""
        self._methods = tuple(methods)
        self.variants = tuple(name for one in self._methods for name in one.variants)
        self.identity = "; ".join(one.identity for one in self._methods)

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, Image]:
        """See `Method`."""
        made: dict[str, Image] = {}
        for one in self._methods:
            if not set(wanted).isdisjoint(one.variants):
                made.update(one.enlarge(benchmark, image, wanted))
        return made

    def fingerprint(self, benchmark: str, image: BenchmarkImage) -> str:
        """Those of all of them."""
        return " ".join(one.fingerprint(benchmark, image) for one in self._methods)

    def is_complete(self, benchmark: str, image: BenchmarkImage) -> bool:
        """Whether all of them are."""
        return all(one.is_complete(benchmark, image) for one in self._methods)


def _ensembled(run: Callable[[Image], dict[str, Any]], ensemble: bool) -> Any:
    return (lambda image: self_ensemble(run, image)) if ensemble else run
