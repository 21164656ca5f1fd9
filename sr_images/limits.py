"""What a file may ask for before it is decoded: a small file can hold a huge picture."""

from __future__ import annotations

import dataclasses

from sr_program.errors import DataError

# Decoded bytes that are harmless, whatever the file's size.
_HARMLESS_BYTES = 2**26


@dataclasses.dataclass(frozen=True)
class Limits:
    """The largest pictures that are decoded.

    Attributes:
        max_pixels: Of one picture, frame or page. The default, 2^28, admits photos of 200 million
            pixels.
        max_frames: Frames of an animation, or pages of a document.
        max_ratio: Bytes of a picture's pixels, as deep as the file stores them, for each byte of
            the file. It counts above 64 MiB of pixels. Deflate, which PNG and TIFF are compressed
            with, reaches 1032.
    """

    max_pixels: int = 2**28
    max_frames: int = 10_000
    max_ratio: float = 1_100.0

    def check(self, name: str, height: int, width: int, bits: int, encoded_bytes: int) -> None:
        """Whether a picture may be decoded.

        Args:
            name: What messages call the file.
            height: Pixels, as the file's head claims.
            width: Pixels.
            bits: Of a pixel in the file, all channels together.
            encoded_bytes: Size of the file.

        Raises:
            DataError: The picture is empty, or a limit is passed; the message names the argument
                that raises it.
        """
        pixels = height * width
        if height < 1 or width < 1:
            raise DataError(f"{name}: claims {width}x{height} pixels; replace the file")
        if pixels > self.max_pixels:
            raise DataError(
                f"{name}: has {width}x{height} pixels, {pixels:,} in all, more than "
                f"max_pixels={self.max_pixels}; raise it, or shrink the picture"
            )
        decoded = pixels * bits // 8
        ratio = decoded / max(1, encoded_bytes)
        if decoded > _HARMLESS_BYTES and ratio > self.max_ratio:
            raise DataError(
                f"{name}: becomes {ratio:,.0f} times its size when decoded, more than "
                f"max_ratio={self.max_ratio:g}; raise it if the file is no bomb"
            )

    def check_frames(self, name: str, count: int) -> None:
        """Whether so many frames or pages may be decoded.

        Raises:
            DataError: There are more.
        """
        if count > self.max_frames:
            raise DataError(
                f"{name}: has {count} frames or pages, more than max_frames={self.max_frames}; "
                "raise it, or split the file"
            )
