"""A photo whose first picture is decoded; the others, if any, are decoded one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from sr_images.limits import Limits
from sr_images.picture import Picture
from sr_images.pictures_in import OpenedPictures, open_pictures


class OpenedPhoto:
    """An opened file; a context manager that closes it.

    Attributes:
        first: Its only picture, or its first frame or page.
        count: How many there are.
        loop: How often an animation is shown, 0 for ever; None if the file does not say.
        began: When reading began, by `time.monotonic`.
    """

    def __init__(self, pictures: OpenedPictures, began: float) -> None:
        """Decodes the first picture.

        Raises:
            DataError: The file is damaged.
        """
        self._pictures, self._rest = pictures, iter(pictures)
        self.first: Picture = next(self._rest)
        self.count, self.loop = pictures.count, pictures.loop
        self.began = began

    def frames(self) -> Iterator[Picture]:
        """All pictures in turn, once.

        Raises:
            DataError: The file is damaged; the message names it.
        """
        yield self.first
        yield from self._rest

    def is_named(self, error: Exception) -> bool:
        """Whether an error's message begins with the name of the file."""
        return str(error).startswith(f"{self._pictures.name}: ")

    def close(self) -> None:
        """Closes the file."""
        self._pictures.close()

    def __enter__(self) -> OpenedPhoto:
        """The photo, open."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the file."""
        self.close()


def open_photo(path: Path, limits: Limits | None = None) -> OpenedPhoto:
    """Opens a photo and decodes its first picture.

    Raises:
        DataError: It is missing, damaged, no picture, or larger than the limits.
        UsageError: A package is missing that only this format needs.
    """
    began = time.monotonic()
    pictures = open_pictures(path, limits=limits)
    try:
        photo = OpenedPhoto(pictures, began)
    except BaseException:
        pictures.close()
        raise
    if photo.count == 1:
        photo.close()
    return photo
