"""Enlarges images of any size with a loaded model."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bigans.models.loaded_model import LoadedModel
from bigans.models.measured_radius import measured_reach
from bigans.models.names import PARTS, PRETRAINED, Runtime
from bigans.models.runtime import load_model
from bigans.upscaler.arguments import as_batch, merge_inputs, of_images
from bigans.upscaler.tiles.tiled import strips
from bigans.upscaler.tiles.tiling import PhotoPlan, Tiling
from sr_images.image_io import write_rgb
from sr_images.strip_writer import assemble, check_strips, write_strips
from sr_program.model_facts import ModelFacts


class Upscaler:
    """A loaded model; a call enlarges images.

        upscaler = Upscaler()             # the shipped weights
        sr = upscaler(image)              # uint8 [H, W, 3] -> uint8 [4H, 4W, 3]
        sr = upscaler(image, xi=0.3)      # nearer to the faithful image
        sr = upscaler(image, max_deviation=8)
        upscaler.to_file(image, "large.png")  # the result need not fit into memory

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
                whose very first call builds them; or the directory of an exported model: see
                `bigans.models.names`.
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
        self._model = load_model(model, runtime=runtime, precision=precision, cache_dir=cache_dir)
        self._tiling = tiling or Tiling()

    @classmethod
    def from_pretrained(
        cls,
        model: str = "fused",
        *,
        tiling: Tiling | None = None,
        runtime: Runtime = "tensorflow",
        precision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> Upscaler:
        """Loads a model of the shipped weights: `Upscaler("pretrained:vivid")` in other words.

        Args:
            model: "fused", or one of its parts: "faithful" (MR-SRGAN), "vivid" (WP-SRGAN).
            tiling: As for `Upscaler` itself, and so are the others.
            runtime: Likewise.
            precision: Likewise.
            cache_dir: Likewise.

        Raises:
            DataError: As for `Upscaler` itself.
            UsageError: Likewise.
            ValueError: Another name of a model or of a runtime.
        """
        if model not in PARTS:
            raise ValueError(f"model is {model!r}; choose one of {', '.join(PARTS)}")
        name = f"{PRETRAINED}:{model}"
        return cls(name, tiling=tiling, runtime=runtime, precision=precision, cache_dir=cache_dir)

    @classmethod
    def of_model(cls, model: LoadedModel, *, tiling: Tiling | None = None) -> Upscaler:
        """Takes a model that is loaded already."""
        upscaler = cls.__new__(cls)
        upscaler._model = model
        upscaler._tiling = tiling or Tiling()
        return upscaler

    @property
    def facts(self) -> ModelFacts:
        """What the model's export wrote of it: scale, radius, merge, precision, weights' hash."""
        return self._model.facts

    @property
    def inputs(self) -> frozenset[str]:
        """Names of what the model takes: image and, if it is fused, xi and max_deviation."""
        return self._model.inputs

    @property
    def radius(self) -> int:
        """LR pixels around its own that a pixel of the result depends on.

        Models of this program tell it; of others it is measured (seconds).
        """
        told = self._model.radius
        return measured_reach(self._model.unrounded) if told is None else told

    def __call__(
        self,
        image: NDArray[np.uint8],
        xi: float | Sequence[float] | None = None,
        max_deviation: float | Sequence[float] | None = None,
        *,
        plan: PhotoPlan | None = None,
    ) -> NDArray[np.uint8]:
        """Enlarges one image or a batch of images of one size.

        Args:
            image: uint8 [H, W, 3] or [B, H, W, 3], RGB.
            xi: 0 gives the faithful image, 1 the vivid one; 0.73 if left out. One value or one an
                image. For a fused model only.
            max_deviation: Grey levels ≥ 0. When given it replaces `xi`: the result goes towards the
                vivid image, and no value departs from the faithful one by more than this.
            plan: What `plan` has decided for images of this size; made anew if left out.

        Returns:
            uint8, [4H, 4W, 3] or [B, 4H, 4W, 3].

        Raises:
            ValueError: Wrong dtype, shape or range, or `xi` for a model that is not fused.
            UsageError: `Tiling.memory_mb` is too little for a single tile.
            DataError: Memory does not suffice for a single tile, or the disk for scratch files.
        """
        batch = as_batch(image)
        inputs = merge_inputs(self._model, xi, max_deviation, len(batch))
        plan = self._checked(plan, batch)
        at_once = plan.photos_at_once
        parts = [
            self._enlarge(batch[i : i + at_once], of_images(inputs, i, i + at_once), plan)
            for i in range(0, len(batch), at_once)
        ]
        result = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return result if image.ndim == 4 else result[0]

    def plan(self, image: NDArray[np.uint8]) -> PhotoPlan:
        """Decides how an image is cut and what memory it may take; looks at the memory once.

        Args:
            image: uint8 [H, W, 3], or a batch of such images.

        Returns:
            The decision, for `plan` of a call and of `to_file`.

        Raises:
            DataError: As for a call.
            UsageError: Likewise.
        """
        height, width = as_batch(image).shape[1:3]
        return self._tiling.plan(height, width, self._model.radius, self._model.footprint)

    def fits(self, image: NDArray[np.uint8]) -> bool:
        """Whether an image is enlarged as a whole, and not in tiles, with the memory of now.

        Args:
            image: uint8 [H, W, 3].

        Raises:
            DataError: As for a call.
            UsageError: Likewise.
        """
        return self.plan(image).is_whole

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
        *,
        plan: PhotoPlan | None = None,
    ) -> None:
        """Enlarges one image into a file, whole or not at all.

        Args:
            image: uint8 [H, W, 3], RGB.
            path: Ends in .png, .jpg, .jpeg, .webp, .bmp, .tif or .tiff. PNG and, with the package
                `tifffile`, TIFF do without the whole result in memory.
            xi: As for a call.
            max_deviation: As for a call.
            plan: As for a call.

        Raises:
            ValueError: As for a call.
            DataError: As for a call.
            UsageError: As for a call; another suffix, or a format that cannot hold a picture of
                this size.
            OSError: The file cannot be written.
        """
        batch = as_batch(image)
        if image.ndim == 4:
            raise ValueError(f"the image must be [H, W, 3], got {image.shape}; a file holds one")
        inputs = merge_inputs(self._model, xi, max_deviation, 1)
        self.check_result(image, path)
        plan = self._checked(plan, batch)
        if plan.is_whole:
            write_rgb(path, self._model.serve(batch, inputs)[0])
            return
        height, width = plan.size
        folder = self._tiling.scratch_dir or Path(path).parent
        with self._strips(image, inputs, plan, folder) as pieces:
            write_strips(path, pieces, self._model.scale * height, self._model.scale * width)

    def _checked(self, plan: PhotoPlan | None, batch: NDArray[np.uint8]) -> PhotoPlan:
        if plan is None:
            return self.plan(batch)
        if plan.size != batch.shape[1:3]:
            raise ValueError(f"the plan is for {plan.size}, the image is {batch.shape[1:3]}")
        return plan

    def _enlarge(
        self, batch: NDArray[np.uint8], inputs: dict[str, np.ndarray], plan: PhotoPlan
    ) -> NDArray[np.uint8]:
        if plan.is_whole:
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
        plan: PhotoPlan,
        scratch_dir: str | os.PathLike[str],
    ) -> Iterator[Iterator[NDArray[np.uint8]]]:
        scalars = {name: value.reshape(-1)[0:1].reshape(()) for name, value in inputs.items()}
        pieces = strips(self._model, image, scalars, plan.tiles, scratch_dir, plan.spare_bytes)
        with contextlib.closing(pieces):
            yield pieces
