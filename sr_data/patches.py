"""Random aligned low- and high-resolution crops for training, reproducible batch by batch."""

import math
from collections.abc import Sequence

import cv2
import keras
import numpy as np
from absl import logging
from numpy.typing import NDArray

from sr_data.decoded_photos import DecodedPhotos
from sr_data.degradations.degraded_crops import Crops, cut_degraded
from sr_data.degradations.photo_degradation import PhotoDegradation
from sr_data.pairs import SCALE
from sr_data.prepared import PreparedSource
from sr_data.sources import ImageSource
from sr_data.teacher import Teacher
from sr_images.image_io import to_signed
from sr_program.errors import DataError

# Decoded images, bytes.
MEMORY_LIMIT = 4 * 2**30

# Ends the seeds of degradations: their draws are no others' and move no others. Not 0, which numpy
# takes as no number at all.
_DEGRADATION = 1


class PatchDataset(keras.utils.PyDataset):
    """Batches of aligned LR/HR crops; batch i is a pure function of (seed, epoch, i).

    Images are cropped to a multiple of `scale`; their LR is the `bicubic_downscale` of the whole
    image: a crop's LR does not depend on where the crop ends. Crops lie on the LR grid. Every
    position of every image is equally likely, so an image is drawn in proportion to its number of
    positions (about its area).

    Photos of a folder or a TFDS data set are decoded once and kept in memory. Those of a prepared
    set stay on disk: a batch reads the tiles that its crops touch, and memory stays the same
    however large the set is. The batches are the same in both cases (unless the set was prepared
    with `--min_std`, which leaves crops out).

    Attributes:
        epoch: number of the current epoch, which is the number of epochs done; `fit` advances it
            (by `on_epoch_begin` and `on_epoch_end`). Set it when training resumes, and leave
            `fit`'s own `steps_per_epoch` alone: epochs end where this dataset ends.
        skipped_small: names of images with a side below `crop_size`.
        skipped_corrupt: names of images that cannot be read.

    """

    def __init__(
        self,
        source: ImageSource | PreparedSource,
        *,
        crop_size: int = 96,
        batch_size: int = 16,
        steps_per_epoch: int,
        seed: int = 0,
        scale: int = 4,
        flips: bool = True,
        rotations: bool = False,
        crop_energy: float = 1.0,
        epoch: int = 0,
        share: tuple[int, int] = (0, 1),
        degradation: PhotoDegradation | None = None,
        teacher: Teacher | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ):
        """Reads all images that are not prepared (seconds; a progress bar on a terminal).

        Args:
            source: images uint8 [H, W, 3] with names, or a prepared set.
            crop_size: side of the HR crops in pixels; a multiple of `scale`.
            batch_size: crops a batch.
            steps_per_epoch: batches an epoch; the length of this dataset.
            seed: whole number >= 0.
            scale: HR pixels for each LR pixel.
            flips: mirror half of the crops horizontally (the paper, Section 4.1).
            rotations: turn crops by a random multiple of 90 degrees; with `flips` all 8 symmetries.
            crop_energy: share of the candidates that become crops, above 0: those with the most
                gradient energy. Flat crops teach a pixel loss next to nothing. A batch of B is
                chosen from ceil(B / crop_energy) candidates; 1 takes every candidate.
            epoch: number of the first epoch.
            share: (number, count): each batch is only its part with that number, of `count` equal
                ones; for processes that share the batches.
            degradation: what is drawn for each LR crop; None: all are the plain bicubic reduction.
                It changes neither the places nor the HR crops.
            teacher: whose images are mixed into the HR crops; a degradation starts from HR as it
                was. Not with a prepared set, which holds HR alone.
            memory_limit: most bytes that decoded images may take; a prepared set needs next to
                none.

        Raises:
            ValueError: an argument is out of range, a batch has no such share, `crop_size` is not a
                multiple of `scale`, a teacher is given with a prepared set, or a prepared set is
                asked for another scale than its own, 4.
            DataError: no image is usable, or the images need more memory than the limit and must be
                prepared first.
        """
        super().__init__(workers=1, use_multiprocessing=False)
        if min(crop_size, batch_size, steps_per_epoch, scale) < 1 or min(seed, epoch) < 0:
            raise ValueError(
                "crop_size, batch_size, steps_per_epoch and scale must be at least 1, "
                "seed and epoch at least 0"
            )
        if not 0 < crop_energy <= 1:
            raise ValueError(f"crop_energy must be in (0, 1], got {crop_energy}")
        if crop_size % scale:
            raise ValueError(f"crop_size {crop_size} is not a multiple of the scale {scale}")
        if teacher and isinstance(source, PreparedSource):
            raise ValueError("a teacher needs photos that are not prepared")
        self.crop_size = crop_size
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.seed = seed
        self.scale = scale
        self.flips = flips
        self.rotations = rotations
        self.candidates = math.ceil(batch_size / crop_energy)
        self.degradation = degradation
        self.epoch = epoch
        self._taught = teacher is not None
        self._part = _part(batch_size, *share)
        self._within_epoch = False
        self._crops, self.skipped_small, self.skipped_corrupt = self._open(
            source, memory_limit, teacher
        )
        self._report_skipped()
        self._fields = self._crops.fields(crop_size // scale)
        if not len(self._fields):
            raise DataError(self._nothing_usable())
        self._last_positions = np.cumsum(self._fields[:, 3] * self._fields[:, 4])

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
        places = rng.integers(self._last_positions[-1], size=self.candidates)
        mirrored = rng.integers(2, size=self.batch_size) * self.flips
        turns = rng.integers(4, size=self.batch_size) * self.rotations
        if self.candidates > self.batch_size:
            places = self._most_energetic(places)
        numbers = range(self.batch_size)[self._part]
        crops = [self._crop(self._place(places[one]), index, one) for one in numbers]
        chosen = list(zip(crops, mirrored[self._part], turns[self._part], strict=True))
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

    def _most_energetic(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """As many of the places as a batch has, in their order: those with the most energy."""
        side = self.crop_size // self.scale
        learned = (self._crops.learned(*self._place(place), side) for place in places)
        energies = [_gradient_energy(crop) for crop in learned]
        most = np.argsort(energies, kind="stable")[len(places) - self.batch_size :]
        return places[np.sort(most)]

    def _place(self, place: int) -> tuple[int, int, int]:
        """The image, row and column, LR pixels, of a drawn number."""
        field = int(np.searchsorted(self._last_positions, place, side="right"))
        image, top, left, rows, columns = self._fields[field].tolist()
        first = int(self._last_positions[field]) - rows * columns
        row, column = divmod(int(place) - first, columns)
        return image, top + row, left + column

    def _crop(
        self, place: tuple[int, int, int], index: int, number: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """(hr, lr) of a place, which is that number of the batch `index`; hr is what is learned."""
        whole_place = (*place, self.crop_size // self.scale)
        if self.degradation is None:
            hr, lr = self._crops.cut(*whole_place)
        else:
            rng = degradation_rng(self.seed, self.epoch, index, number)
            hr, lr = cut_degraded(self._crops, whole_place, self.degradation, rng)
        return self._crops.learned(*whole_place) if self._taught else hr, lr

    def _open(
        self, source: ImageSource | PreparedSource, memory_limit: int, teacher: Teacher | None
    ) -> tuple[Crops, list[str], list[str]]:
        if isinstance(source, PreparedSource):
            if self.scale != SCALE:
                raise ValueError(f"{source} has the scale {SCALE}, not {self.scale}")
            return source, source.smaller_than(self.crop_size), source.skipped_corrupt
        decoded = DecodedPhotos(source, self.crop_size, self.scale, memory_limit, teacher)
        return decoded, decoded.skipped_small, decoded.skipped_corrupt

    def _nothing_usable(self) -> str:
        if not (self.skipped_small or self.skipped_corrupt):
            return "no usable image: all tiles are flat; prepare them with a smaller --min_std"
        return (
            f"no usable image: {len(self.skipped_corrupt)} cannot be read, "
            f"{len(self.skipped_small)} are smaller than {self.crop_size}x{self.crop_size}; "
            "add larger images or choose a smaller crop"
        )

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


def degradation_rng(seed: int, epoch: int, index: int, number: int) -> np.random.Generator:
    """What draws the degradation of one crop: that number of the batch `index` of an epoch."""
    return np.random.default_rng((seed, epoch, index, number, _DEGRADATION))


def _part(batch_size: int, number: int, count: int) -> slice:
    """The places in a batch that belong to a share."""
    if not 0 <= number < count or batch_size % count:
        raise ValueError(f"a batch of {batch_size} has no share {number} of {count}")
    size = batch_size // count
    return slice(number * size, (number + 1) * size)


def _gradient_energy(image: NDArray[np.uint8]) -> float:
    """The sum of the squared differences of neighbours, down and across, in the image's gray."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    down = cv2.norm(gray[1:], gray[:-1], cv2.NORM_L2SQR)
    return down + cv2.norm(gray[:, 1:], gray[:, :-1], cv2.NORM_L2SQR)


def _symmetry(image: NDArray[np.uint8], mirrored: int, turns: int) -> NDArray[np.uint8]:
    return np.rot90(image[:, ::-1] if mirrored else image, turns)


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
