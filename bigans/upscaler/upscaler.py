"""Enlarges images of any size with an exported SavedModel."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bigans.models.measured_radius import measured_reach
from bigans.models.runtime import AnyModel, Runtime, chosen_runtime, load_model
from bigans.pretrained.saved_models import saved_models
from bigans.upscaler.arguments import as_batch, merge_inputs, of_images
from bigans.upscaler.tiles.tile_plan import TilePlan
from bigans.upscaler.tiles.tiled import strips
from bigans.upscaler.tiles.tiling import Tiling
from sr_images.image_io import write_rgb
from sr_images.strip_writer import assemble, check_strips, write_strips
from sr_program.machine.precision import resolve

MODELS = ("faithful", "vivid", "fused")


class Upscaler:
    """A loaded model; a call enlarges images.

        upscaler = Upscaler.from_pretrained()
        sr = upscaler(image)              # uint8 [H, W, 3] -> uint8 [4H, 4W, 3]
        sr = upscaler(image, xi=0.3)      # nearer to the faithful image
        sr = upscaler(image, max_deviation=8)
        upscaler.to_file(image, "large.png")  # the result need not fit into memory

    It knows a model by its signatures alone: `image`, and for a fused model also `xi` and
    `max_deviation`. Images that do not fit into memory are enlarged in tiles, see `Tiling`. Calls
    may come from several threads.
    """

    def __init__(
        self,
        saved_model_dir: str | os.PathLike[str],
        tiling: Tiling | None = None,
        runtime: Runtime = "tensorflow",
        cache_dir: str | os.PathLike[str] | None = None,
        precision: str = "float32",
    ) -> None:
        """Loads a SavedModel; the first in a process takes some seconds (TensorFlow).

        Args:
            saved_model_dir: The SavedModel, or a directory of numbered versions (the latest is
                taken); or either of what `fusion.export --format=openvino` writes.
            tiling: For images that do not fit into memory.
            runtime: "tensorflow", "openvino", or "auto": OpenVINO where it is installed, on x86
                CPUs. OpenVINO converts a SavedModel once and then does without TensorFlow; values
                may differ by one grey level.
            cache_dir: Where what is converted is kept; see `bigans.pretrained.saved_models`.
            precision: What OpenVINO computes in, see `sr_program.machine.precision.resolve`;
                TensorFlow computes in what the SavedModel was exported for.

        Raises:
            DataError: There is no SavedModel, or it lacks the signature of an upscaling model.
            UsageError: OpenVINO is not installed, or another precision.
            ValueError: Another name of a runtime.
        """
        self._model = load_model(saved_model_dir, runtime, resolve(precision), cache_dir)
        self._tiling = tiling or Tiling()

    @classmethod
    def from_pretrained(
        cls,
        cache_dir: str | os.PathLike[str] | None = None,
        model: str = "fused",
        tiling: Tiling | None = None,
        precision: str = "float32",
        runtime: Runtime = "tensorflow",
    ) -> Upscaler:
        """Loads a model of the shipped weights; the very first call builds it.

        Args:
            cache_dir: Where built models are kept; see `bigans.pretrained.saved_models`.
            model: "fused", or one of its parts: "faithful" (MR-SRGAN), "vivid" (WP-SRGAN).
            tiling: For images that do not fit into memory.
            precision: "float32"; "bfloat16", nearly twice as fast on machines that compute on it,
                with results about 60 dB from those in float32; or "auto", which of both suits this
                machine.
            runtime: As for `Upscaler` itself.

        Raises:
            DataError: The weights are damaged, or the cache folder cannot be written.
            UsageError: Another precision, or OpenVINO is not installed.
            ValueError: Another name of a model or of a runtime.
        """
        if model not in MODELS:
            raise ValueError(f"model is {model!r}; choose one of {', '.join(MODELS)}")
        resolved = resolve(precision)
        if chosen_runtime(runtime) == "tensorflow":
            models = saved_models(cache_dir, precision=resolved)
            return cls(getattr(models, model), tiling)
        # OpenVINO takes the precision when it compiles.
        models = saved_models(cache_dir)
        return cls(getattr(models, model), tiling, runtime, cache_dir, resolved)

    @classmethod
    def of_model(cls, model: AnyModel, tiling: Tiling | None = None) -> Upscaler:
        """Takes a model that is loaded already."""
        upscaler = cls.__new__(cls)
        upscaler._model = model
        upscaler._tiling = tiling or Tiling()
        return upscaler

    @property
    def inputs(self) -> frozenset[str]:
        """Names of what the model takes: image and, if it is fused, xi and max_deviation."""
        return self._model.inputs

    @property
    def receptive_field(self) -> int:
        """LR pixels around its own that a pixel of the result depends on.

        Models of this program tell it; of others it is measured (seconds).
        """
        stated = self._model.stated_receptive_field
        return measured_reach(self._model.unrounded) if stated is None else stated

    def __call__(
        self,
        image: NDArray[np.uint8],
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
    ) -> NDArray[np.uint8]:
        """Enlarges one image or a batch of images of one size.

        Args:
            image: uint8 [H, W, 3] or [B, H, W, 3], RGB.
            xi: 0 gives the faithful image, 1 the vivid one; 0.73 if left out. One value or one an
                image. For a fused model only.
            max_deviation: Grey levels ≥ 0. When given it replaces `xi`: the result goes towards the
                vivid image, and no value departs from the faithful one by more than this.

        Returns:
            uint8, [4H, 4W, 3] or [B, 4H, 4W, 3].

        Raises:
            ValueError: Wrong dtype, shape or range, or `xi` for a model that is not fused.
            DataError: Memory does not suffice for a single tile, or the disk for scratch files.
        """
        batch = as_batch(image)
        inputs = merge_inputs(self._model, xi, max_deviation, len(batch))
        height, width = batch.shape[1:3]
        plan = self._plan(height, width)
        pixels = self._tiling.pixels_at_once(height, width, self._model.footprint)
        at_once = max(1, pixels // (height * width))
        parts = [
            self._enlarge(batch[i : i + at_once], of_images(inputs, i, i + at_once), plan)
            for i in range(0, len(batch), at_once)
        ]
        result = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return result if image.ndim == 4 else result[0]

    def fits(self, image: NDArray[np.uint8]) -> bool:
        """Whether an image is enlarged as a whole, and not in tiles.

        Args:
            image: uint8 [H, W, 3].

        Raises:
            DataError: As for a call.
            UsageError: `Tiling.memory_mb` is too little for a single tile.
        """
        return len(self._plan(*image.shape[:2])) == 1

    def check_result(self, image: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
        """Whether `to_file` could write the result, told before anything is computed.

        Args:
            image: uint8 [H, W, 3].
            path: As for `to_file`.

        Raises:
            UsageError: Another suffix, or a format that cannot hold a picture of this size.
            OSError: No file can be made there.
        """
        scale = self._model.scale
        check_strips(path, scale * image.shape[0], scale * image.shape[1])

    def to_file(
        self,
        image: NDArray[np.uint8],
        path: str | os.PathLike[str],
        xi: float | None = None,
        max_deviation: float | None = None,
    ) -> None:
        """Enlarges one image into a file, whole or not at all.

        Args:
            image: uint8 [H, W, 3], RGB.
            path: Ends in .png, .jpg, .jpeg, .webp, .bmp, .tif or .tiff. PNG and, with the package
                `tifffile`, TIFF do without the whole result in memory.
            xi: As for a call.
            max_deviation: As for a call.

        Raises:
            ValueError: As for a call.
            DataError: As for a call.
            UsageError: Another suffix, or a format that cannot hold a picture of this size.
            OSError: The file cannot be written.
        """
        batch = as_batch(image)
        if image.ndim == 4:
            raise ValueError(f"the image must be [H, W, 3], got {image.shape}; a file holds one")
        inputs = merge_inputs(self._model, xi, max_deviation, 1)
        height, width = image.shape[:2]
        self.check_result(image, path)
        plan = self._plan(height, width)
        if len(plan) == 1:
            write_rgb(path, self._model.serve(batch, inputs)[0])
            return
        size = self._model.scale * height, self._model.scale * width
        folder = self._tiling.scratch_dir or Path(path).parent
        with self._strips(image, inputs, plan, folder) as pieces:
            write_strips(path, pieces, *size)

    def _plan(self, height: int, width: int) -> TilePlan:
        model = self._model
        return self._tiling.plan(height, width, model.stated_receptive_field, model.footprint)

    def _enlarge(
        self, batch: NDArray[np.uint8], inputs: dict[str, np.ndarray], plan: TilePlan
    ) -> NDArray[np.uint8]:
        if len(plan) == 1:
            return self._model.serve(batch, inputs)
        (image,) = batch
        scale = self._model.scale
        folder = self._tiling.scratch_dir or tempfile.gettempdir()
        with self._strips(image, inputs, plan, folder) as pieces:
            return assemble(pieces, scale * image.shape[0], scale * image.shape[1])[None]

    @contextlib.contextmanager
    def _strips(
        self,
        image: NDArray[np.uint8],
        inputs: Mapping[str, np.ndarray],
        plan: TilePlan,
        scratch_dir: str | os.PathLike[str],
    ) -> Iterator[Iterator[NDArray[np.uint8]]]:
        scalars = {name: value.reshape(-1)[0:1].reshape(()) for name, value in inputs.items()}
        height, width = image.shape[:2]
        spare = self._tiling.spare_bytes(plan, height, width, self._model.footprint)
        pieces = strips(self._model, image, scalars, plan, scratch_dir, spare)
        with contextlib.closing(pieces):
            yield pieces
