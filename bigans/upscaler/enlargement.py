"""One picture on its way through a model, in floating point, strip by strip.

    pixels ─► without hidden colours ─► generators (tiles) ─► luma, if gray ─► [once more]
           ─► MATLAB's reduction ─► back-projection ─► one rounding ─┐
    alpha  ─► bicubic ───────────────────────────────────────────────┴─► pixels

Everything is float32 grey levels in [0, 255] until the rounding, at the depth of the result.
Pictures of 8-bit RGB that become 4x and no more go through the model's own graph instead, which
rounds in the same place: the results are equal, and quicker.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bigans.models.loaded_model import Images, Levels, LoadedModel
from bigans.upscaler.target import Target
from bigans.upscaler.tiles.scratch import Scratch
from bigans.upscaler.tiles.tiled import strips, unrounded_strips
from bigans.upscaler.tiles.tiling import PhotoPlan
from sr_images.levels import from_levels, to_levels
from sr_images.luma import LUMA_WEIGHTS
from sr_images.picture import Picture, Pixels

_FLOAT32_BYTES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Enlargement:
    """What is needed to make one result.

    Attributes:
        model: The model.
        picture: The picture; an alpha channel that is opaque everywhere has been dropped.
        merge_inputs: float32 scalars xi and max_deviation, where the model has them.
        target: Size of the result.
        plan: How the picture is cut into tiles.
        consistent: Whether the result has to give the picture back.
        dtype: Of the result.
        scratch_dir: Folder for scratch files.
        tell: Called with a line that a person should read.
    """

    model: LoadedModel
    picture: Picture
    merge_inputs: Mapping[str, np.ndarray]
    target: Target
    plan: PhotoPlan
    consistent: bool
    dtype: DTypeLike
    scratch_dir: str | os.PathLike[str]
    tell: Callable[[str], None]

    @contextlib.contextmanager
    def strips(self) -> Iterator[Iterator[Pixels]]:
        """The result from the top to the bottom; scratch files are gone when the block ends.

        Yields:
            Strips [h, W', C] of `dtype`: gray or RGB and, last, alpha, if the picture has it.
        """
        pixels = self._visible_pixels()
        with contextlib.ExitStack() as stack:
            if self._is_plain:
                colours: Iterator[Pixels] = stack.enter_context(
                    contextlib.closing(self._rounded_by_the_model(cast(Images, pixels)))
                )
            else:
                levels = stack.enter_context(contextlib.closing(self._levels(pixels)))
                colours = stack.enter_context(contextlib.closing(self._rounded(levels, pixels)))
            yield self._with_alpha(colours)

    @property
    def channels(self) -> int:
        """Of the result: 1 gray, 3 RGB, and one more for alpha."""
        return self.picture.pixels.shape[2] + (self.picture.alpha is not None)

    def whole(self) -> Picture:
        """The result in memory, with the attributes of the picture."""
        with self.strips() as pieces:
            samples = assembled(pieces, (*self.target.size, self.channels), self.dtype)
        if self.picture.alpha is None:
            return Picture(samples, None, self.picture.attributes)
        pixels, alpha = (
            np.ascontiguousarray(part) for part in (samples[..., :-1], samples[..., -1])
        )
        return Picture(pixels, alpha, self.picture.attributes)

    # What needs SciPy is imported where it is needed: that takes up to a second.

    def _visible_pixels(self) -> Pixels:
        if self.picture.alpha is None:
            return self.picture.pixels
        from sr_images.hidden_colours import without_hidden_colours

        return without_hidden_colours(self.picture.pixels, self.picture.alpha)

    @property
    def _is_plain(self) -> bool:
        pixels, target = self.picture.pixels, self.target
        eight_bits = pixels.dtype == np.uint8 == np.dtype(self.dtype)
        once = target.passes == 1 and not target.is_reduced and not self.consistent
        return eight_bits and not self.picture.is_gray and once

    def _rounded_by_the_model(self, pixels: Images) -> Generator[Images, None, None]:
        if self.plan.is_whole:
            yield self.model.serve(pixels[np.newaxis], self.merge_inputs)[0]
            return
        yield from strips(
            self.model,
            pixels,
            self.merge_inputs,
            self.plan.tiles,
            self.scratch_dir,
            self.plan.spare_bytes,
        )

    def _levels(self, pixels: Pixels) -> Generator[Levels, None, None]:
        """The picture at the size of the target, float32 [h, W', 1 or 3], not rounded."""
        passed = self._passed(pixels, _for_the_model, self.plan)
        if self.target.passes == 2:
            self.model.require_levels()
            height, width = (side * self.model.scale for side in self.picture.size)
            plan = self.plan.for_size(height, width)
            channels = pixels.shape[2]
            enlarged = assembled(passed, (height, width, channels), np.float32)
            passed = self._passed(enlarged, _three_channels, plan)
        if self.target.is_reduced:
            from sr_images.resized_strips import StripResizer, resized_strips

            by_pass = self.model.scale**self.target.passes
            down, across = (factor / by_pass for factor in self.target.factors)
            resizer = StripResizer(self.target.enlarged, self.target.size, (down, across))
            yield from resized_strips(passed, resizer)
        else:
            yield from passed

    def _passed(
        self,
        image: NDArray[Any],
        prepare: Callable[[NDArray[Any]], Images | Levels],
        plan: PhotoPlan,
    ) -> Generator[Levels, None, None]:
        """Once through the generators."""
        if plan.is_whole:
            whole = self.model.serve_unrounded(prepare(image), self.merge_inputs)
            yield self._own_channels(whole)
            return
        pieces = unrounded_strips(
            self.model,
            image,
            self.merge_inputs,
            plan.tiles,
            self.scratch_dir,
            plan.spare_bytes,
            prepare=prepare,
        )
        with contextlib.closing(pieces):
            for strip in pieces:
                yield self._own_channels(strip)

    def _own_channels(self, levels: Levels) -> Levels:
        """The luma of what became of a gray picture, which generators tint a little."""
        if not self.picture.is_gray:
            return levels
        return (levels @ np.array(LUMA_WEIGHTS, np.float32))[..., np.newaxis]

    def _rounded(self, levels: Iterable[Levels], pixels: Pixels) -> Generator[Pixels, None, None]:
        if not self.consistent:
            for strip in levels:
                yield from_levels(strip, self.dtype)
            return
        from bigans.upscaler.consistency import consistent_strips

        height, width = self.target.size
        needed = _FLOAT32_BYTES * pixels.shape[2] * height * width
        spare = needed if self.plan.is_whole else self.plan.spare_bytes // 3
        scratch = functools.partial(Scratch, self.scratch_dir, needed, memory=spare)
        photo = to_levels(pixels)
        yield from consistent_strips(
            levels, photo, self.target.size, self.dtype, scratch, self.tell
        )

    def _with_alpha(self, colours: Iterator[Pixels]) -> Iterator[Pixels]:
        if self.picture.alpha is None:
            yield from colours
            return
        from sr_images.enlarged_alpha import EnlargedAlpha

        alpha = EnlargedAlpha(self.picture.alpha, self.target.size, self.target.factors)
        top = 0
        for strip in colours:
            rows = alpha.rows(top, top + len(strip), self.dtype)
            both: Any = [strip, rows[..., np.newaxis]]
            yield np.concatenate(both, axis=2)
            top += len(strip)


def _for_the_model(pixels: NDArray[Any]) -> Images | Levels:
    """uint8 as it is, other depths as grey levels; RGB."""
    return _three_channels(pixels if pixels.dtype == np.uint8 else to_levels(pixels))


def _three_channels(image: NDArray) -> NDArray:
    return np.broadcast_to(image, (*image.shape[:2], 3))


def assembled(strips: Iterable[NDArray], shape: tuple[int, int, int], dtype: DTypeLike) -> NDArray:
    """Puts strips together.

    Args:
        strips: [h, W, C] each, from the top to the bottom.
        shape: Height, width and channels of the whole.
        dtype: Of the strips.

    Returns:
        [H, W, C]; the strip itself if there is only one.
    """
    whole, top = None, 0
    for strip in strips:
        if strip.shape == shape:
            return strip
        if whole is None:
            whole = np.empty(shape, dtype)
        whole[top : top + len(strip)] = strip
        top += len(strip)
    assert whole is not None
    return whole
