"""A photo, both generators' images of it, and all that is shown of them: no generator runs here.

photo ─► faithful, vivid ─► kept ─┬─► merged, as shown: 8 bits, at once
└─► result, as written: the upscaler's own
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from bigans.demo.choice import Choice
from bigans.demo.quick_merge import merged_at, merged_within
from bigans.demo.thresholds import Thresholds
from bigans.models.loaded_model import Images, Levels, LoadedModel
from bigans.models.remembered import Remembered
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.tiles.tile_plan import plan_tiles
from bigans.upscaler.tiles.tiled import generated
from bigans.upscaler.tiles.tiling import PhotoPlan, Tiling
from bigans.upscaler.upscaler import Upscaler
from fusion import numpy_merge
from sr_images.bicubic import bicubic_upscale
from sr_images.icc import to_srgb
from sr_images.levels import from_levels, in_depth
from sr_images.luma import LUMA_WEIGHTS
from sr_images.picture import Picture
from sr_program.errors import DataError

# What can be looked at.
Layer = Literal["result", "bicubic", "faithful", "vivid", "difference", "original", "settled"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

# LR pixels of a tile: a photo of more goes through the generators in parts, and progress is told.
_TILE_PIXELS = 320 * 320

# The share of values that the heat map's scale leaves out at its bright end.
_OVER = 0.001


class KeptPhoto:
    """One photo of a session.

    Example:
        kept = KeptPhoto("cat.png", read_picture("cat.png"), upscaler, lambda done: None)
        kept.shown("result", Choice(xi=0.3))  # uint8 [4H, 4W, 4]

    Attributes:
        name: Of its file.
        picture: The photo.
        original: What it was reduced from, if that is known: four times as large.
        size: Height and width of the result.
    """

    def __init__(
        self,
        name: str,
        picture: Picture,
        upscaler: Upscaler,
        progress: Callable[[float], None],
        *,
        original: Picture | None = None,
    ) -> None:
        """Runs both generators.

        Args:
            name: Of the file.
            picture: The photo.
            upscaler: With a fused model.
            progress: Is told the share that is done, in [0, 1].
            original: See the class.

        Raises:
            DataError: Memory does not suffice, the model is not fused, or the original has another
                size.
        """
        self.name, self.picture = name, picture
        self.size: tuple[int, int] = upscaler.result_size(picture)
        self._plan = upscaler.plan(picture)
        pairs: list[tuple[Levels, Levels]] = []

        def generate(image: Images | Levels) -> tuple[Levels, Levels]:
            tiles = in_parts(self._plan)
            pairs.append(generated(upscaler.model, image, tiles, progress))
            return pairs[0]

        self._model = Remembered(upscaler.model, generate)
        # In one piece from here on: the pair lies in memory.
        self._upscaler = Upscaler.of_model(self._model, tiling=Tiling(float("inf")))
        self._upscaler.enlarge(picture, Enlarging(xi=0), dtype=np.float32)
        self.faithful, self.vivid = pairs[0]
        facts = upscaler.facts
        self._deviations = functools.partial(
            numpy_merge.deviations, self.faithful, self.vivid, facts.threshold or "joint"
        )
        self.thresholds = Thresholds(self._deviations, luma=facts.threshold == "luma")
        self.original = None
        self.set_original(original)
        self._settled: tuple[Choice, Picture] | None = None
        self._lock = threading.Lock()

    def set_original(self, original: Picture | None) -> None:
        """Tells what the photo was reduced from.

        Raises:
            DataError: It is not exactly four times as large.
        """
        if original is not None and original.size != self.size:
            (height, width), wanted = original.size, self.size
            raise DataError(
                f"the original has {width}x{height} pixels; for {self.name} it must have "
                f"{wanted[1]}x{wanted[0]}, four times the photo's"
            )
        self.original = original

    @property
    def num_bytes(self) -> int:
        """What it takes of memory, about."""
        return 2 * self.faithful.nbytes + 2 * self.picture.pixels.nbytes * 16

    def threshold(self, choice: Choice) -> float:
        """By how many grey levels a value may move towards the vivid image; the mean over channels.

        With thresholds of luma these are levels of luma.
        """
        if choice.levels is not None:
            return float(choice.levels)
        return float(self.thresholds(choice.xi).mean())

    def shown(self, layer: Layer, choice: Choice, step: int = 1) -> NDArray[np.uint8]:
        """A layer as the page shows it: by a profile of colours that the photo has, as sRGB.

        Args:
            layer: Which; "settled" is the result that `result` made last.
            choice: How it is merged.
            step: Every step-th pixel of each row and column.

        Returns:
            uint8 [ceil(H/step), ceil(W/step), 4]: RGB, and opacity.

        Raises:
            DataError: There is no original.
        """
        pixels = self._on_screen(layer, self._pixels(layer, choice, step))
        code = cv2.COLOR_RGB2RGBA if pixels.shape[2] == 3 else cv2.COLOR_GRAY2RGBA
        result = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), code), np.uint8)
        if self._opacity is not None:
            result[..., 3] = self._opacity[::step, ::step]
        return result

    def result(self, choice: Choice) -> Picture:
        """The result as the command line gives it, with the photo's depth and attributes.

        Raises:
            DataError: The model takes no photos of this depth.
        """
        with self._lock:
            if self._settled is None or self._settled[0] != choice:
                picture = self._upscaler.enlarge(self.picture, choice.enlarging())
                self._settled = choice, picture
            return self._settled[1]

    def whole_levels(self, choice: Choice) -> Images:
        """The merged image, uint8 [H, W, 3], before anything that belongs to a depth or to gray."""
        return self._merged(choice, 1)

    def _pixels(self, layer: Layer, choice: Choice, step: int) -> NDArray[np.uint8]:
        if layer == "result":
            return self._in_own_colours(self._merged(choice, step))
        if layer == "settled":
            return in_depth(self.result(choice).pixels, np.uint8)[::step, ::step]
        if layer == "bicubic":
            return self.bicubic[::step, ::step]
        if layer == "difference":
            return self._heat[::step, ::step]
        if layer == "original":
            if self.original is None:
                raise DataError(f"{self.name} has no original")
            return in_depth(self.original.pixels, np.uint8)[::step, ::step]
        levels = self.faithful if layer == "faithful" else self.vivid
        rounded = from_levels(levels[::step, ::step], np.uint8)
        return self._in_own_colours(np.asarray(rounded, np.uint8))

    def _on_screen(self, layer: Layer, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Raw pixels have no profile on the page: a browser takes them for sRGB."""
        picture = self.original if layer == "original" and self.original else self.picture
        icc = picture.attributes.icc
        if layer == "difference" or not icc:
            return pixels
        converted = to_srgb(pixels, icc, self.name)
        return pixels if converted is None else converted

    def _merged(self, choice: Choice, step: int) -> Images:
        pair = self.faithful[::step, ::step], self.vivid[::step, ::step]
        facts = self._model.facts
        if choice.levels is not None:
            return merged_within(*pair, choice.levels, facts)
        if choice.xi >= 1 and facts.delta == "as_read":  # without the rounding of I_g ± t
            return np.asarray(from_levels(pair[1], np.uint8), np.uint8)
        return merged_at(*pair, self.thresholds(choice.xi), facts)

    def _in_own_colours(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Gray of a gray photo: generators tint it a little."""
        if not self.picture.is_gray:
            return pixels
        luma = pixels @ np.array(LUMA_WEIGHTS, np.float32)
        return np.asarray(from_levels(luma, np.uint8), np.uint8)[..., np.newaxis]

    @functools.cached_property
    def bicubic(self) -> NDArray[np.uint8]:
        """MATLAB's bicubic interpolation of the photo, uint8 [H, W, 1 or 3]."""
        return bicubic_upscale(in_depth(self.picture.pixels, np.uint8))

    @functools.cached_property
    def difference(self) -> Levels:
        """|vivid − faithful|, the mean over the channels, float32 [H, W], grey levels."""
        return np.abs(self.vivid - self.faithful).mean(axis=2)

    @functools.cached_property
    def heat_scale(self) -> float:
        """Grey levels at the bright end of the heat map."""
        sample = self.difference[::2, ::2]
        return max(1.0, float(np.quantile(sample, 1 - _OVER)))

    @functools.cached_property
    def _heat(self) -> NDArray[np.uint8]:
        scaled = np.clip(self.difference * np.float32(255 / self.heat_scale), 0, 255)
        coloured = cv2.applyColorMap(scaled.astype(np.uint8), cv2.COLORMAP_INFERNO)
        return np.asarray(coloured[..., ::-1], np.uint8)

    @functools.cached_property
    def _opacity(self) -> NDArray[np.uint8] | None:
        if self.picture.alpha is None:
            return None
        from sr_images.enlarged_alpha import EnlargedAlpha

        alpha = EnlargedAlpha(self.picture.alpha, self.size, (4, 4))
        return np.asarray(alpha.rows(0, self.size[0], np.uint8), np.uint8)


def in_parts(plan: PhotoPlan) -> PhotoPlan:
    """A plan whose tiles are small enough for progress to be told."""
    most = min(_TILE_PIXELS, plan.tiles.tile_pixels)
    tiles = plan_tiles(*plan.size, most, plan.overlap)
    return plan if tiles is None else PhotoPlan(tiles, plan.budget, plan.size, plan.overlap)


def require_fused(model: LoadedModel, name: str) -> None:
    """Refuses a model that has no two images to merge.

    Raises:
        DataError: It is not fused.
    """
    if not model.has_parts or not {"xi", "max_deviation"} <= model.inputs:
        raise DataError(
            f"{name}: has no knob: the page needs a fused model that takes xi and max_deviation"
        )
