"""Enlarges images of any size with a loaded model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from absl import logging
from numpy.typing import DTypeLike
from PIL import Image

from bigans.models.loaded_model import LoadedModel
from bigans.models.measured_radius import measured_reach
from bigans.models.names import PARTS, PRETRAINED, Runtime
from bigans.models.runtime import Computing
from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, STAGE_1, Pair
from bigans.upscaler.arguments import (
    ImageLike,
    ReadsAsArray,
    as_array,
    as_batch,
    as_picture,
    merge_inputs,
)
from bigans.upscaler.enlarger import Enlarger, Tell
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.target import target_of
from bigans.upscaler.tiles.tiling import PhotoPlan, Tiling
from sr_images.encoding import Encoding, check_encoding, dtype_written, format_to_write
from sr_images.picture import Picture, Pixels
from sr_images.pictures_out import write_picture
from sr_images.pillow_images import picture_of_pillow, pillow_of_picture
from sr_images.strip_writer import write_strips
from sr_program.files.atomic_write import check_writable
from sr_program.model_facts import ModelFacts

# An array of one depth: the result has the same.
PixelsT = TypeVar("PixelsT", bound=Pixels)

_PLAIN, _AS_NAMED = Enlarging(), Encoding()


class Upscaler:
    """A loaded model; a call enlarges images.

        upscaler = Upscaler()             # the shipped weights
        sr = upscaler(image)              # uint8 [H, W, 3] -> uint8 [4H, 4W, 3]
        sr = upscaler(image, xi=0.3)      # nearer to the faithful image
        sr = upscaler(image, max_deviation=8)  # at most 8 grey levels from the faithful image
        srs = upscaler.sweep(image, [0, 0.5, 1])  # the generators run once
        enlarged = upscaler.enlarge(picture, Enlarging(scale=2))  # alpha, attributes
        upscaler.to_file(image, "large.png")  # the result need not fit into memory

    Images are arrays of NumPy, alone or in a batch, Pillow's images, and what NumPy reads, as a
    tf.Tensor. Pillow's become Pillow's, all others arrays.

    It knows a model as `bigans.models.loaded_model` describes it, by what it takes and by its
    facts. Images that do not fit into memory are enlarged in tiles, see `Tiling`. Calls may come
    from several threads.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "pretrained",
        *,
        tiling: Tiling | None = None,
        runtime: Runtime = "tensorflow",
        precision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """Loads a model; the first in a process takes some seconds (TensorFlow).

        Args:
            model: "pretrained", "pretrained:faithful" (MR-SRGAN), "pretrained:vivid" (WP-SRGAN),
                whose very first call builds them, for photos; "pretrained:clean" and so on, of the
                paper's setting; or the directory of an exported model: see `bigans.models.names`.
            tiling: For images that do not fit into memory.
            runtime: "tensorflow"; "openvino"; "onnx", for what `fusion.export` has written for it;
                or "auto": OpenVINO where it is installed, on x86 CPUs. OpenVINO converts a
                SavedModel once and then does without TensorFlow; values may differ by one grey
                level.
            precision: What shipped models, and any in OpenVINO, compute in: "float32" (if left
                out); "bfloat16", nearly twice as fast on machines that compute on it, with results
                about 60 dB from those in float32; or "auto", which of both suits this machine. A
                SavedModel in TensorFlow computes in what it was exported for.
            cache_dir: Where what is built or converted is kept; see
                `bigans.pretrained.saved_models`.

        Raises:
            DataError: There is no such model, or it is not one that enlarges; the shipped weights
                are damaged; the cache folder cannot be written.
            UsageError: An unknown name, an argument that would have no effect, or a runtime that is
                not installed.
            ValueError: Another name of a runtime.
        """
        loaded = Computing(runtime, precision, cache_dir).load(model)
        self._enlarger = Enlarger(loaded, tiling or Tiling())

    @classmethod
    def from_pretrained(
        cls,
        model: str = "fused",
        *,
        weights: Pair = DEFAULT_PAIR,
        tiling: Tiling | None = None,
        runtime: Runtime = "tensorflow",
        precision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> Upscaler:
        """Loads a model of the shipped weights, as `Upscaler("pretrained:photo:vivid")` does.

        Args:
            model: "fused", or one of its parts: "faithful" (MR-SRGAN), "vivid" (WP-SRGAN).
            weights: "photo", for photos of cameras and from the web, which are noisy or compressed;
                or "clean", the paper's setting, for sharp images without noise and artefacts.
            tiling: As for `Upscaler` itself, and so are the others.
            runtime: Likewise.
            precision: Likewise.
            cache_dir: Likewise.

        Raises:
            DataError: As for `Upscaler` itself.
            UsageError: Likewise.
            ValueError: Another name of a model, of weights or of a runtime.
        """
        for argument, value, known in (("model", model, PARTS), ("weights", weights, PAIRS)):
            if value not in known:
                raise ValueError(f"{argument} is {value!r}; choose one of {', '.join(known)}")
        # the first stage is the same for both
        name = f"{PRETRAINED}:{model if model == STAGE_1 else f'{weights}:{model}'}"
        return cls(name, tiling=tiling, runtime=runtime, precision=precision, cache_dir=cache_dir)

    @classmethod
    def of_model(cls, model: LoadedModel, *, tiling: Tiling | None = None) -> Upscaler:
        """Takes a model that is loaded already."""
        upscaler = cls.__new__(cls)
        upscaler._enlarger = Enlarger(model, tiling or Tiling())
        return upscaler

    @property
    def model(self) -> LoadedModel:
        """The loaded model itself."""
        return self._enlarger.model

    @property
    def facts(self) -> ModelFacts:
        """What the model's export wrote of it: scale, radius, merge, precision, weights' hash."""
        return self.model.facts

    @property
    def inputs(self) -> frozenset[str]:
        """Names of what the model takes: image and, if it is fused, xi and max_deviation."""
        return self.model.inputs

    @property
    def radius(self) -> int:
        """LR pixels around its own that a pixel of the result depends on.

        Models of this program tell it; of others it is measured (seconds).
        """
        told = self.model.radius
        return measured_reach(self.model.unrounded) if told is None else told

    @overload
    def __call__(
        self,
        image: PixelsT,
        *,
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
        plan: PhotoPlan | None = None,
    ) -> PixelsT: ...

    @overload
    def __call__(
        self,
        image: Image.Image,
        *,
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
        plan: PhotoPlan | None = None,
    ) -> Image.Image: ...

    @overload
    def __call__(
        self,
        image: ReadsAsArray,
        *,
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
        plan: PhotoPlan | None = None,
    ) -> Pixels: ...

    def __call__(
        self,
        image: Pixels | Image.Image | ReadsAsArray,
        *,
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
        plan: PhotoPlan | None = None,
    ) -> Pixels | Image.Image:
        """Enlarges one image or a batch of images of one size, by the model's own factor.

        Args:
            image: An array: uint8 0..255, uint16 0..65535 or float32 0..1; RGB, [H, W, 3] or
                [B, H, W, 3], or gray, [H, W], [H, W, 1] or [B, H, W, 1]. Gray stays gray: the luma
                of the result. Or what NumPy reads, as a tf.Tensor. Or a Pillow image, of any mode
                but F; it is turned upright by its EXIF.
            xi: 0 gives the faithful image, 1 the vivid one; 0.73 if left out. One value or one an
                image. For a fused model only.
            max_deviation: Grey levels ≥ 0. When given it replaces `xi`: the result goes towards the
                vivid image, and no value departs from the faithful one by more than this (in uint16
                to 1/257 of a level). Of 8-bit images whole levels count.
            plan: What `plan` has decided for images of this size; made anew if left out.

        Returns:
            Of an array, and of what NumPy reads, an array of the same dtype and number of axes,
            four times as high and wide. Of a Pillow image another one, with its transparency, its
            profile and its EXIF.

        Raises:
            ValueError: Wrong dtype, shape or range, or `xi` for a model that is not fused.
            UsageError: `Tiling.memory_mb` is too little for a single tile.
            DataError: Memory does not suffice for a single tile, or the disk for scratch files; a
                model that takes 8-bit photos only was given others.
        """
        if isinstance(image, Image.Image):
            return self._pillow(image, xi, max_deviation, plan)
        pixels = as_array(image)
        result = self._enlarger.batch(as_batch(pixels), xi, max_deviation, plan)
        return _with_axes_of(pixels, result)

    @overload
    def sweep(
        self, image: PixelsT, xis: Iterable[float], *, plan: PhotoPlan | None = None
    ) -> list[PixelsT]: ...

    @overload
    def sweep(
        self, image: Image.Image, xis: Iterable[float], *, plan: PhotoPlan | None = None
    ) -> list[Image.Image]: ...

    @overload
    def sweep(
        self, image: ReadsAsArray, xis: Iterable[float], *, plan: PhotoPlan | None = None
    ) -> list[Pixels]: ...

    def sweep(
        self,
        image: Pixels | Image.Image | ReadsAsArray,
        xis: Iterable[float],
        *,
        plan: PhotoPlan | None = None,
    ) -> list[Pixels] | list[Image.Image]:
        """Enlarges an image, or a batch, at several values of ξ; the generators run once.

            faithful, between, vivid = upscaler.sweep(photo, [0, 0.5, 1])

        Args:
            image: As for a call.
            xis: Each in [0, 1].
            plan: As for a call.

        Returns:
            What a call gives at each ξ, in the order of `xis`. All are in memory together, and
            while they are made 384 bytes for each pixel of one image.

        Raises:
            ValueError: As for a call, before anything is computed.
            UsageError: As for a call.
            DataError: As for a call, or the model is not fused.
        """
        values = [float(xi) for xi in xis]
        if isinstance(image, Image.Image):
            enlarged = self._enlarger.sweep(picture_of_pillow(image), values, plan)
            return [pillow_of_picture(one) for one in enlarged]
        pixels = as_array(image)
        pictures = [Picture(one) for one in as_batch(pixels)]
        by_image = [self._enlarger.sweep(one, values, plan) for one in pictures]
        results: list[Any] = [
            np.stack([one[i].pixels for one in by_image]) for i in range(len(values))
        ]
        return [_with_axes_of(pixels, one) for one in results]

    def enlarge(
        self,
        picture: Picture | Image.Image,
        enlarging: Enlarging = _PLAIN,
        *,
        plan: PhotoPlan | None = None,
        dtype: DTypeLike | None = None,
        tell: Tell = logging.warning,
    ) -> Picture:
        """Enlarges a picture; its depth, its channels and its attributes stay.

            enlarged = upscaler.enlarge(read_picture("cat.png"), Enlarging(scale=2))

        Args:
            picture: Of any depth, gray or RGB. Transparency is enlarged apart; colours of pixels
                that are fully transparent become those of the nearest others. An alpha channel that
                is opaque everywhere is left out.
            enlarging: To what size, and how.
            plan: What `plan` has decided for images of this size; made anew if left out.
            dtype: Of the result, uint8, uint16 or float32; that of the picture if left out.
            tell: Called with a line that a person should read: `consistent` could not be kept.

        Raises:
            ValueError: Floats beyond 0..1, or numbers that the model has no use for.
            UsageError: As for a call.
            DataError: As for a call; or a size that cannot be made.
        """
        picture = as_picture(picture)
        return self._enlarger.work(picture, enlarging, plan=plan, dtype=dtype, tell=tell).whole()

    def plan(self, image: ImageLike) -> PhotoPlan:
        """Decides how an image is cut and what memory it may take; looks at the memory once.

        Args:
            image: A picture, an image or a batch of images; see the call.

        Returns:
            The decision, for `plan` of a call, of `enlarge` and of `to_file`.

        Raises:
            DataError: As for a call.
            UsageError: Likewise.
        """
        return self._enlarger.plan(_size_of(image))

    def fits(self, image: ImageLike) -> bool:
        """Whether an image is enlarged as a whole, and not in tiles, with the memory of now.

        Args:
            image: As for `plan`.

        Raises:
            DataError: As for a call.
            UsageError: Likewise.
        """
        return self.plan(image).is_whole

    def result_size(self, image: ImageLike, enlarging: Enlarging = _PLAIN) -> tuple[int, int]:
        """Height and width of the result.

        Args:
            image: As for `plan`.
            enlarging: As for `enlarge`.

        Raises:
            DataError: A size that cannot be made.
        """
        return target_of(_size_of(image), enlarging, self.model.scale).size

    def check_result(
        self,
        image: ImageLike,
        path: str | os.PathLike[str],
        *,
        enlarging: Enlarging = _PLAIN,
        encoding: Encoding = _AS_NAMED,
        frames: int = 1,
    ) -> None:
        """Whether `to_file` could write the result, told before anything is computed.

        Args:
            image: As for `to_file`.
            path: As for `to_file`.
            enlarging: As for `to_file`.
            encoding: As for `to_file`.
            frames: Or pages that the file shall hold.

        Raises:
            UsageError: Another suffix, or a format that cannot hold a picture of this kind and
                size.
            DataError: A size that cannot be made.
            OSError: No file can be made there.
        """
        picture = as_picture(image)
        size = self.result_size(picture, enlarging)
        check_encoding(path, *size, picture, encoding, frames=frames)
        check_writable(path)

    def to_file(
        self,
        image: ImageLike,
        path: str | os.PathLike[str],
        *,
        enlarging: Enlarging = _PLAIN,
        encoding: Encoding = _AS_NAMED,
        plan: PhotoPlan | None = None,
        tell: Tell = logging.warning,
    ) -> None:
        """Enlarges one image into a file, whole or not at all.

        Args:
            image: A picture, or an array of a single image; see the call.
            path: The format follows from its suffix; see `sr_images.encoding`. PNG and TIFF do
                without the whole result in memory.
            enlarging: As for `enlarge`.
            encoding: Format, quality and what is said of the picture. The result is rounded once,
                to the depth of the picture or, if that is less, of the format.
            plan: As for `enlarge`.
            tell: As for `enlarge`.

        Raises:
            ValueError: As for `enlarge`.
            DataError: As for `enlarge`.
            UsageError: As for `enlarge`; another suffix, or a format that cannot hold a picture of
                this size.
            OSError: The file cannot be written.
        """
        picture = as_picture(image)
        self.check_result(picture, path, enlarging=enlarging, encoding=encoding)
        dtype = dtype_written(format_to_write(path, encoding), picture.pixels.dtype)
        work = self._enlarger.work(
            picture,
            enlarging,
            plan=plan,
            scratch_dir=self._enlarger.tiling.scratch_dir or Path(path).parent,
            dtype=dtype,
            tell=tell,
        )
        if work.plan.is_whole:
            write_picture(path, work.whole(), encoding)
            return
        with work.strips() as pieces:
            write_strips(
                path,
                pieces,
                *work.target.size,
                channels=work.channels,
                dtype=dtype,
                attributes=picture.attributes,
                encoding=encoding,
            )

    def _pillow(
        self, image: Image.Image, xi: Any, max_deviation: Any, plan: PhotoPlan | None
    ) -> Image.Image:
        picture = picture_of_pillow(image)
        inputs = merge_inputs(self.model, xi, max_deviation, 1, picture.pixels.dtype)
        chosen = {name: value.item() for name, value in inputs.items() if value.item() >= 0}
        return pillow_of_picture(self.enlarge(picture, Enlarging(**chosen), plan=plan))


def _with_axes_of(image: Pixels, batch: Pixels) -> Pixels:
    """[B, H, W, C] with the axes that the image had."""
    result = batch if image.ndim == 4 else batch[0]
    return result[..., 0] if image.ndim == 2 else result


def _size_of(image: ImageLike) -> tuple[int, int]:
    if isinstance(image, Picture | Image.Image):
        return as_picture(image).size
    height, width = as_batch(image).shape[1:3]
    return height, width
