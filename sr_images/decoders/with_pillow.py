"""Pictures that Pillow decodes: all but TIFF, HEIC, JPEG XL, NumPy, and what is deeper than 8 bits.

Of the latter Pillow gives the attributes alone.
"""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import warnings
from collections.abc import Iterator
from typing import IO

from absl import logging
from PIL import Image

from sr_images.attributes import nclx, png_chunks
from sr_images.attributes.from_pillow import attributes_of, orientation_of
from sr_images.decoders import deep_colours, sixteen_bits
from sr_images.decoders.jp2_depths import in_full_range
from sr_images.decoders.jpeg_end import with_end
from sr_images.decoders.pillow_modes import decoded_of
from sr_images.decoders.samples import Decoded
from sr_images.decoders.source import Source
from sr_images.limits import Limits
from sr_images.picture import Attributes
from sr_program.errors import DataError

# Our names of formats → Pillow's. (Only these: others run programs, or hold no picture.)
_PLUGINS = {
    "AVIF": "AVIF",
    "BMP": "BMP",
    "GIF": "GIF",
    "JP2": "JPEG2000",
    "JPEG": "JPEG",
    "PCX": "PCX",
    "PNG": "PNG",
    "PPM": "PPM",
    "QOI": "QOI",
    "SGI": "SGI",
    "TGA": "TGA",
    "WEBP": "WEBP",
}
_WITH_FRAMES = ("PNG", "GIF", "WEBP", "AVIF")

# How Pillow's messages begin if a file is sound and not of a kind that it knows.
_UNKNOWN_KIND = re.compile("unsupported|cannot handle|unknown (PCX|TGA)", re.IGNORECASE)

# Pillow warns of large photos, which have limits of their own here, and of damage that becomes a
# DataError anyway. (`catch_warnings` around the calls would not be safe in threads.)
warnings.filterwarnings("ignore", module=r"PIL\.")


class PillowFrames:
    """The frames of a file that Pillow decodes; attributes as of `samples.Frames`."""

    def __init__(self, source: Source, limits: Limits) -> None:
        """Reads the head of the file.

        Raises:
            DataError: A limit is passed.
            Exception: Pillow's decoders raise nearly anything on damaged files.
        """
        self._source = source
        self._file = source.open()
        try:
            self._image = _of_known_kind(self._file, source)
            self._texts: dict[str, str] = {}
            self._chunks = self._read_chunks() if source.format == "PNG" else {}
            # Colours that Pillow does not tell of; once, and not for each frame.
            self._head = source.beginning(nclx.HEAD_BYTES) if source.format == "AVIF" else b""
            width, height = self._image.size
            limits.check(source.name, height, width, self._bits(), source.size)
            count = 1
            if source.format in _WITH_FRAMES:
                count = int(getattr(self._image, "n_frames", 1))
            # A picture for viewers that know no animations is no part of it.
            self._first = 1 if self._image.info.get("default_image") and count > 1 else 0
            self.count = count - self._first
            limits.check_frames(source.name, self.count)
        except BaseException:
            self._file.close()
            raise
        self.is_animation = self.count > 1
        loop = self._image.info.get("loop")
        self.loop = int(loop) if self.is_animation and loop is not None else None

    def __iter__(self) -> Iterator[Decoded]:
        """The frames in turn."""
        deep = deep_colours.is_deep(self._source, self._chunks)
        wide = sixteen_bits.is_wide(self._image, self._source)
        if (deep or wide) and not self.is_animation:
            yield self._deep()
            return
        for number in range(self._first, self._first + self.count):
            if number:
                self._image.seek(number)
            self._load()
            attributes = self._attributes()
            key_scale = self._key_scale()
            decoded = decoded_of(
                self._shown(), attributes.icc, self.is_animation, key_scale, self._source.name
            )
            if self._image.mode in ("CMYK", "LAB"):
                attributes = dataclasses.replace(attributes, icc=None)
            yield dataclasses.replace(
                decoded, attributes=attributes, orientation=orientation_of(self._image)
            )

    def close(self) -> None:
        """Closes the file."""
        self._image.close()
        self._file.close()

    def _load(self) -> None:
        try:
            self._image.load()
        except OSError as error:
            if self._source.format != "JPEG" or "truncated" not in str(error):
                raise
            whole = with_end(self._source.content())
            if whole is None:
                raise
            logging.warning("%s: lacks its last bytes, and no pixels", self._source.name)
            self._image.close()
            self._image = opened(io.BytesIO(whole), "JPEG")
            self._image.load()

    def _shown(self) -> Image.Image:
        """The frame that has been loaded, as other programs show it."""
        if self._source.format == "JP2":
            return in_full_range(self._image, self._source)
        if self._source.format == "TGA" and not self._source.head[17] & 0x0F:
            # The head says that no bits are alpha, whatever they hold.
            kept = {"RGBA": "RGB", "LA": "L"}.get(self._image.mode)
            return self._image.convert(kept) if kept else self._image
        return self._image

    def _deep(self) -> Decoded:
        attributes = self._attributes()
        if sixteen_bits.is_wide(self._image, self._source):
            decoded = sixteen_bits.decode(self._image, self._source)
        else:
            decoded = deep_colours.decode(self._source, self._chunks)
        return dataclasses.replace(
            decoded, attributes=attributes, orientation=orientation_of(self._image)
        )

    def _attributes(self) -> Attributes:
        found = attributes_of(self._image)
        if self._source.format == "PNG":
            chunks = png_chunks.attributes_of(self._chunks, self._texts)
            found = dataclasses.replace(chunks, duration_ms=found.duration_ms)
        if self._source.format == "JP2" and found.icc is None:
            found = dataclasses.replace(found, icc=deep_colours.jp2_profile(self._source))
        if self._source.format == "AVIF":
            found = nclx.with_colours(found, self._head)
        return found if self.is_animation else dataclasses.replace(found, duration_ms=None)

    def _read_chunks(self) -> dict[str, bytes]:
        chunks: dict[str, bytes] = {}
        with self._source.open() as file:
            for name, content in png_chunks.read_chunks(file):
                if name in ("tEXt", "zTXt", "iTXt"):
                    self._texts.update(png_chunks.texts_of(name, content))
                else:
                    chunks.setdefault(name, content)
        return chunks

    def _bits(self) -> int:
        """Bits of a pixel as the file stores it."""
        if self._source.format == "PNG":
            depth, kind = struct.unpack_from("BB", self._chunks["IHDR"], 8)
            return depth * {2: 3, 4: 2, 6: 4}.get(kind, 1)
        return 1 if self._image.mode == "1" else 8 * len(self._image.getbands())

    def _key_scale(self) -> int:
        """What the transparent gray of a PNG is to be multiplied with to be a pixel's value."""
        depth = self._chunks["IHDR"][8] if "IHDR" in self._chunks else 8
        return 255 // (2**depth - 1) if depth < 8 else 1


def _of_known_kind(file: IO[bytes], source: Source) -> Image.Image:
    try:
        return opened(file, source.format or "")
    except Exception as error:
        if not _UNKNOWN_KIND.match(str(error)):
            raise
        raise DataError(
            f"{source.name}: is a {source.format} of a kind that is not supported ({error}); "
            "convert it to 8 or 16 bits a channel"
        ) from None


def decode_jpeg(content: bytes, name: str) -> Decoded:
    """The picture of a whole JPEG file that another file holds.

    Args:
        content: Of the file; its size has been checked.
        name: What messages call the file.
    """
    frames = PillowFrames(Source(content, name), Limits())
    try:
        return next(iter(frames))
    finally:
        frames.close()


def opened(file: IO[bytes], format_name: str) -> Image.Image:
    """A file as Pillow opens it, without Pillow's own limit of pixels.

    Args:
        file: At its start.
        format_name: One of `formats.READABLE`.

    Raises:
        Exception: Pillow's decoders raise nearly anything on damaged files.
    """
    plugin = _PLUGINS[format_name]
    if plugin not in Image.OPEN:
        Image.init()
    if plugin == "JPEG":
        # Not its factory: MPO is how many cameras store a JPEG with a preview; the first picture
        # is the photo.
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile(file)
    file.seek(0)
    factory = Image.OPEN[plugin][0]
    return factory(file, "")
