"""A loaded model at work on pictures and batches: plans them, merges them, cuts what is too large.

`Upscaler` is what people call; it turns what they give into what is enlarged here.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from absl import logging
from numpy.typing import DTypeLike

from bigans.models.loaded_model import Images, LoadedModel
from bigans.upscaler.arguments import merge_inputs, of_images
from bigans.upscaler.enlargement import Enlargement
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.sweep import remembering
from bigans.upscaler.target import Target, target_of
from bigans.upscaler.tiles.tiling import PhotoPlan, Tiling
from sr_images.picture import Picture, Pixels

# Takes a line for a person.
Tell = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Enlarger:
    """What enlarges with one model.

    Example:
        Enlarger(model, Tiling()).work(picture, Enlarging(xi=0.5)).whole()

    Attributes:
        model: The loaded model.
        tiling: For images that do not fit into memory.
    """

    model: LoadedModel
    tiling: Tiling

    @property
    def scratch_dir(self) -> str | os.PathLike[str]:
        """The folder of scratch files, where no result names another."""
        return self.tiling.scratch_dir or tempfile.gettempdir()

    def plan(self, size: tuple[int, ...], plan: PhotoPlan | None = None) -> PhotoPlan:
        """Decides how images are cut, or checks what was decided before.

        Args:
            size: Height and width.
            plan: A decision of before; None makes one, by the memory of now.

        Raises:
            DataError: Memory does not suffice for a single tile.
            UsageError: `Tiling.memory_mb` does not.
            ValueError: The plan is for another size.
        """
        height, width = size
        if plan is None:
            return self.tiling.plan(height, width, self.model.radius, self.model.footprint)
        if plan.size != (height, width):
            raise ValueError(f"the plan is for {plan.size}, the image is {(height, width)}")
        return plan

    def work(
        self,
        picture: Picture,
        enlarging: Enlarging,
        *,
        plan: PhotoPlan | None = None,
        scratch_dir: str | os.PathLike[str] | None = None,
        dtype: DTypeLike | None = None,
        tell: Tell = logging.warning,
    ) -> Enlargement:
        """The enlargement of a picture, ready to be made.

        Args:
            picture: Of any depth.
            enlarging: To what size, and how.
            plan: As for `plan`.
            scratch_dir: Folder of scratch files; `Enlarger.scratch_dir` if left out.
            dtype: Of the result; that of the picture if left out.
            tell: Called with a line that a person should read.

        Raises:
            DataError: As for `plan`, or a size that cannot be made.
            UsageError: As for `plan`.
            ValueError: As for `plan`, or numbers that the model has no use for.
        """
        dtype = picture.pixels.dtype if dtype is None else dtype
        numbers = enlarging.xi, enlarging.max_deviation
        return Enlargement(
            model=self.model,
            picture=picture,
            merge_inputs=merge_inputs(self.model, *numbers, 1, dtype),
            target=target_of(picture.size, enlarging, self.model.scale),
            plan=self.plan(picture.size, plan),
            consistent=enlarging.consistent,
            dtype=dtype,
            scratch_dir=scratch_dir or self.scratch_dir,
            tell=tell,
        )

    def batch(
        self, batch: Pixels, xi: Any, max_deviation: Any, plan: PhotoPlan | None = None
    ) -> Pixels:
        """Enlarges a batch by the model's own factor.

        Args:
            batch: [B, H, W, 1 or 3].
            xi: One value or B; None is 0.73.
            max_deviation: Likewise; None leaves the choice to `xi`.
            plan: As for `plan`.

        Returns:
            [B, scale · H, scale · W, 1 or 3], of the same dtype.

        Raises:
            DataError: As for `plan`.
            UsageError: As for `plan`.
            ValueError: As for `work`.
        """
        inputs = merge_inputs(self.model, xi, max_deviation, len(batch), batch.dtype)
        plan = self.plan(batch.shape[1:3], plan)
        is_plain = plan.is_whole and batch.dtype == np.uint8 and batch.shape[3] == 3
        at_once = plan.photos_at_once if is_plain else 1
        parts = []
        for i in range(0, len(batch), at_once):
            numbers = of_images(inputs, i, i + at_once)
            if is_plain:
                of_8_bits = cast(Images, batch[i : i + at_once])
                parts.append(self.model.serve(of_8_bits, numbers))
            else:
                parts.append(self._one(batch[i], numbers, plan)[np.newaxis])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def sweep(
        self, picture: Picture, xis: Sequence[float], plan: PhotoPlan | None = None
    ) -> list[Picture]:
        """Enlarges a picture at several values of ξ; the generators run once.

        Raises:
            DataError: As for `plan`, or the model is not fused.
            UsageError: As for `plan`.
            ValueError: As for `work`.
        """
        for xi in xis:
            merge_inputs(self.model, xi, None, 1, picture.pixels.dtype)
        plan = self.plan(picture.size, plan)
        with remembering(self.model, plan, self.scratch_dir) as model:
            once = dataclasses.replace(self, model=model)
            return [once.work(picture, Enlarging(xi=xi), plan=plan).whole() for xi in xis]

    def _one(self, image: Pixels, numbers: Mapping[str, np.ndarray], plan: PhotoPlan) -> Pixels:
        """One image of a batch, [H, W, C]: its numbers have been checked and rounded."""
        height, width = image.shape[:2]
        scale = self.model.scale
        enlarged = scale * height, scale * width
        work = Enlargement(
            model=self.model,
            picture=Picture(image),
            merge_inputs={name: value.reshape(-1)[0] for name, value in numbers.items()},
            target=Target(enlarged, 1, enlarged, (scale, scale)),
            plan=plan,
            consistent=False,
            dtype=image.dtype,
            scratch_dir=self.scratch_dir,
            tell=logging.warning,
        )
        return work.whole().pixels
