"""Random aligned low- and high-resolution crops for training, reproducible batch by batch."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from absl import logging
from numpy.typing import NDArray
from tqdm import tqdm

from cli.errors import DataError
from sr_data.degradation import bicubic_downscale
from sr_data.image_io import to_signed
from sr_data.sources import ImageSource

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class PatchDataset(keras.utils.PyDataset):
    """Batches of aligned LR/HR crops; batch i is a pure function of (seed, epoch, i).

    All images are decoded once, cropped to a multiple of `scale` and kept as uint8 together with
    their `bicubic_downscale`, computed from the whole image: a crop's LR does not depend on where
    the crop ends. Crops lie on the LR grid. Every position of every image is equally likely, so an
    image is drawn in proportion to its number of positions (about its area).

    Attributes:
      epoch: number of the current epoch, which is the number of epochs done; `fit` advances it (by
        `on_epoch_begin` and `on_epoch_end`). Set it when training resumes, and leave `fit`'s own
        `steps_per_epoch` alone: epochs end where this dataset ends.
      skipped_small: names of images with a side below `crop_size`.
      skipped_corrupt: names of images that cannot be read.

    """

    def __init__(
        self,
        source: ImageSource,
        *,
        crop_size: int = 96,
        batch_size: int = 16,
        steps_per_epoch: int,
        seed: int = 0,
        scale: int = 4,
        flips: bool = True,
        rotations: bool = False,
        epoch: int = 0,
    ):
        """Reads all images (seconds; a progress bar on a terminal).

        Args:
          source: images uint8 [H, W, 3] with names.
          crop_size: side of the HR crops in pixels; a multiple of `scale`.
          batch_size: crops a batch.
          steps_per_epoch: batches an epoch; the length of this dataset.
          seed: whole number >= 0.
          scale: HR pixels for each LR pixel.
          flips: mirror half of the crops horizontally (the paper, Section 4.1).
          rotations: turn crops by a random multiple of 90 degrees; with `flips` all 8 symmetries.
          epoch: number of the first epoch.

        Raises:
          ValueError: an argument is out of range, or `crop_size` is not a multiple of `scale`.
          DataError: no image is usable.
        """
        super().__init__(workers=1, use_multiprocessing=False)
        if min(crop_size, batch_size, steps_per_epoch, scale) < 1 or min(seed, epoch) < 0:
            raise ValueError(
                "crop_size, batch_size, steps_per_epoch and scale must be at least 1, "
                "seed and epoch at least 0"
            )
        if crop_size % scale:
            raise ValueError(f"crop_size {crop_size} is not a multiple of the scale {scale}")
        self.crop_size = crop_size
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.seed = seed
        self.scale = scale
        self.flips = flips
        self.rotations = rotations
        self.epoch = epoch
        self._within_epoch = False
        self.skipped_small: list[str] = []
        self.skipped_corrupt: list[str] = []
        self._pairs = self._read(source)
        positions = [self._grid(lr)[0] * self._grid(lr)[1] for _, lr in self._pairs]
        self._last_positions = np.cumsum(positions)

    def __len__(self) -> int:
        """Batches an epoch."""
        return self.steps_per_epoch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One batch.

        Args:
          index: 0 <= index < steps_per_epoch.

        Returns:
          (lr, hr), float32 [B, crop/scale, crop/scale, 3] and [B, crop, crop, 3], in [-1, 1].
        """
        if not 0 <= index < self.steps_per_epoch:
            raise IndexError(f"batch {index} of {self.steps_per_epoch}")
        rng = np.random.default_rng((self.seed, self.epoch, index))
        # all draws are made whatever the options, so that an option changes nothing else
        places = rng.integers(self._last_positions[-1], size=self.batch_size)
        mirrored = rng.integers(2, size=self.batch_size) * self.flips
        turns = rng.integers(4, size=self.batch_size) * self.rotations
        crops = [self._crop(place) for place in places]
        chosen = list(zip(crops, mirrored, turns, strict=True))
        hr_batch = np.stack([_symmetry(hr, *symmetry) for (hr, _), *symmetry in chosen])
        lr_batch = np.stack([_symmetry(lr, *symmetry) for (_, lr), *symmetry in chosen])
        return to_signed(lr_batch), to_signed(hr_batch)

    def on_epoch_begin(self) -> None:
        """Notes that an epoch has begun."""
        self._within_epoch = True

    def on_epoch_end(self) -> None:
        """Moves on to the next epoch's crops, if an epoch has begun.

        `fit` of Keras 3 also calls this once before its first epoch, after a look at two batches;
        counting that call would skip an epoch at every start and resume.
        """
        self.epoch += self._within_epoch
        self._within_epoch = False

    def _crop(self, place: int) -> Pair:
        image = int(np.searchsorted(self._last_positions, place, side="right"))
        hr, lr = self._pairs[image]
        rows, columns = self._grid(lr)
        first = int(self._last_positions[image]) - rows * columns
        row, column = divmod(int(place) - first, columns)
        side, scale = self.crop_size // self.scale, self.scale
        return (
            hr[row * scale :, column * scale :][: self.crop_size, : self.crop_size],
            lr[row : row + side, column : column + side],
        )

    def _grid(self, lr: NDArray[np.uint8]) -> tuple[int, int]:
        """Number of crop positions down and across."""
        side = self.crop_size // self.scale
        return lr.shape[0] - side + 1, lr.shape[1] - side + 1

    def _read(self, source: ImageSource) -> list[Pair]:
        names = source.names
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            reads = pool.map(lambda index: self._read_pair(source, index), range(len(names)))
            progress = tqdm(
                reads, total=len(names), desc="reading images", unit="image", disable=None
            )
            results = list(progress)
        for name, result in zip(names, results, strict=True):
            if isinstance(result, DataError):
                self.skipped_corrupt.append(name)
            elif result is None:
                self.skipped_small.append(name)
        self._report_skipped()
        pairs = [result for result in results if isinstance(result, tuple)]
        if not pairs:
            raise DataError(
                f"no usable image: {len(self.skipped_corrupt)} cannot be read, "
                f"{len(self.skipped_small)} are smaller than {self.crop_size}x{self.crop_size}; "
                "add larger images or choose a smaller crop"
            )
        return pairs

    def _read_pair(self, source: ImageSource, index: int) -> Pair | DataError | None:
        try:
            hr = source[index]
        except DataError as error:
            return error
        if min(hr.shape[:2]) < self.crop_size:
            return None
        height, width = (size // self.scale * self.scale for size in hr.shape[:2])
        hr = np.ascontiguousarray(hr[:height, :width])
        return hr, bicubic_downscale(hr, self.scale)

    def _report_skipped(self) -> None:
        if self.skipped_corrupt:
            logging.warning(
                "skipped %d images that cannot be read: %s",
                len(self.skipped_corrupt),
                _listed(self.skipped_corrupt),
            )
        if self.skipped_small:
            logging.info(
                "skipped %d images with a side below %d pixels: %s",
                len(self.skipped_small),
                self.crop_size,
                _listed(self.skipped_small),
            )


def _symmetry(image: NDArray[np.uint8], mirrored: int, turns: int) -> NDArray[np.uint8]:
    return np.rot90(image[:, ::-1] if mirrored else image, turns)


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
