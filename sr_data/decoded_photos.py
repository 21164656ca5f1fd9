"""Photos decoded once and kept in memory, for sets that fit there."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from sr_data.sources import ImageSource
from sr_data.teacher import Teacher
from sr_images.bicubic import bicubic_downscale
from sr_program.errors import DataError

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Photo = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # HR, LR, what is learned


class DecodedPhotos:
    """Pairs of HR and LR images, uint8, cropped to a multiple of the scale.

    LR is the `bicubic_downscale` of the whole image: a crop's LR does not depend on where the crop
    ends.

    Attributes:
        skipped_small: names of images with a side below the crop size.
        skipped_corrupt: names of images that cannot be read.
    """

    def __init__(
        self,
        source: ImageSource,
        crop_size: int,
        scale: int,
        memory_limit: int,
        teacher: Teacher | None = None,
    ):
        """Reads all images (seconds; a progress bar on a terminal).

        Args:
            source: images uint8 [H, W, 3] with names.
            crop_size: images with a smaller side are left out, HR pixels.
            scale: HR pixels for each LR pixel.
            memory_limit: most bytes that the decoded images may take.
            teacher: whose images are mixed into HR for `learned`; LR is made from HR alone.

        Raises:
            DataError: the images take more memory, which is found out as soon as it is used up; or
                the teacher lacks an image, or has one of another size.
        """
        self._crop_size = crop_size
        self._scale = scale
        self._teacher = teacher
        self.skipped_small: list[str] = []
        self.skipped_corrupt: list[str] = []
        self._pairs: list[Pair] = []
        self._learned: list[NDArray[np.uint8]] = []
        self._read(source, memory_limit)

    def fields(self, side: int) -> NDArray[np.int64]:
        """Where crops of a size may begin.

        Args:
            side: of the crops, LR pixels.

        Returns:
            int64 [images, 5]: a rectangle of LR positions for each image, as (number of the image,
            first row, first column, rows, columns).
        """
        found = [
            (number, 0, 0, lr.shape[0] - side + 1, lr.shape[1] - side + 1)
            for number, (_, lr) in enumerate(self._pairs)
        ]
        return np.array(found, np.int64).reshape(-1, 5)

    def size(self, image: int) -> tuple[int, int]:
        """Rows and columns of an image, LR pixels."""
        return self._pairs[image][1].shape[:2]

    def cut(self, image: int, row: int, column: int, side: int) -> Pair:
        """One crop, as views.

        Args:
            image: its number.
            row: first row, LR pixels.
            column: first column, LR pixels.
            side: LR pixels.

        Returns:
            (hr, lr): uint8 [scale * side, scale * side, 3] and [side, side, 3], RGB.
        """
        hr, lr = self._pairs[image]
        return (
            self._enlarged_crop(hr, row, column, side),
            lr[row : row + side, column : column + side],
        )

    def learned(self, image: int, row: int, column: int, side: int) -> NDArray[np.uint8]:
        """What a generator learns in a crop, as a view: HR or its mixture with the teacher's.

        Args:
            image: its number.
            row: first row, LR pixels.
            column: first column, LR pixels.
            side: LR pixels.

        Returns:
            uint8 [scale * side, scale * side, 3], RGB.
        """
        return self._enlarged_crop(self._learned[image], row, column, side)

    def _enlarged_crop(
        self, image: NDArray[np.uint8], row: int, column: int, side: int
    ) -> NDArray[np.uint8]:
        scale = self._scale
        return image[row * scale :, column * scale :][: side * scale, : side * scale]

    def _read(self, source: ImageSource, memory_limit: int) -> None:
        names, taken = source.names, 0
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            reads = pool.map(lambda index: self._read_photo(source, index), range(len(names)))
            progress = tqdm(
                reads, total=len(names), desc="reading images", unit="image", disable=None
            )
            for name, result in zip(names, progress, strict=True):
                taken += self._keep(name, result)
                if taken > memory_limit:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise DataError(_too_large(source, names.index(name) + 1, memory_limit))

    def _read_photo(self, source: ImageSource, index: int) -> Photo | DataError | None:
        try:
            hr = source[index]
        except DataError as error:
            return error
        if min(hr.shape[:2]) < self._crop_size:
            return None
        height, width = (size // self._scale * self._scale for size in hr.shape[:2])
        hr = np.ascontiguousarray(hr[:height, :width])
        lr = bicubic_downscale(hr, self._scale)
        # outside of the `try`: a photo that its teacher lacks is a mistake, not a damaged file
        return hr, lr, hr if self._teacher is None else self._teacher.mixed(source.names[index], hr)

    def _keep(self, name: str, result: Photo | DataError | None) -> int:
        """Keeps an image, if there is one; returns how many bytes it takes."""
        if isinstance(result, DataError):
            self.skipped_corrupt.append(name)
        elif result is None:
            self.skipped_small.append(name)
        else:
            hr, lr, learned = result
            self._pairs.append((hr, lr))
            self._learned.append(learned)
            return hr.nbytes + lr.nbytes + (learned.nbytes if learned is not hr else 0)
        return 0


def _too_large(source: ImageSource, read: int, memory_limit: int) -> str:
    return (
        f"{source}: is too large to be kept decoded in memory: {read} of {len(source.names)} "
        f"images take more than {memory_limit / 2**30:.3g} GiB; cut them into a prepared set: "
        f"python -m sr_data.prepare --data={source} --output=DIR, and give --data=prepared:DIR"
    )
