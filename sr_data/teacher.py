"""Another method's images as part of what a generator learns from (knowledge distillation).

HR holds what cannot be known from LR, and a pixel loss spends most of its gradient on that. The
image of a good method is a smooth function of LR: what can be known, and nothing else. A generator
learns it in fewer updates (Hinton et al. 2015, arXiv:1503.02531; for images Gao et al. 2018, Image
Super-Resolution Using Knowledge Distillation).
"""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr_images.image_io import IMAGE_SUFFIXES, read_rgb
from sr_images.rounding import grey_levels
from sr_program.errors import DataError


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A folder of enlarged LR images, each with its photo's name.

    Attributes:
        directory: where they lie; that of `a/b.jpg` is `a/b.png`, or has another suffix of images.
        weight: share of the teacher in what is learned, 0..1; the rest is HR's.

    Example:
        >>> target = Teacher(Path("outputs"), 0.5).mixed("a/b.jpg", hr)
    """

    directory: Path
    weight: float

    def mixed(self, name: str, hr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What a generator learns in place of HR: (1 - weight) * HR + weight * teacher, rounded.

        Args:
            name: of the photo, as its source has it.
            hr: uint8 [4h, 4w, 3], RGB.

        Returns:
            uint8 [4h, 4w, 3].

        Raises:
            DataError: the image is missing, cannot be read or has another size.
        """
        path = self._file(name)
        taught = read_rgb(path)
        if taught.shape != hr.shape:
            raise DataError(
                f"{path}: is {taught.shape[1]}x{taught.shape[0]}; the teacher's image must be "
                f"{hr.shape[1]}x{hr.shape[0]}, the size of the photo cropped to a multiple of the "
                "scale; make it from the LR image of the photo"
            )
        mixture = hr + np.float32(self.weight) * (taught.astype(np.float32) - hr)
        return grey_levels(mixture, np).astype(np.uint8)

    def _file(self, name: str) -> Path:
        stem = self.directory / name
        for suffix in IMAGE_SUFFIXES:
            path = stem.with_suffix(suffix)
            if path.is_file():
                return path
        raise DataError(
            f"{stem.with_suffix('.png')}: is missing; a teacher needs an image for each photo "
            "of the data, with its name"
        )
