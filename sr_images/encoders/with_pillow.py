"""Files that Pillow encodes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from absl import logging
from PIL import Image

from sr_images.attributes import iptc
from sr_images.attributes.png_chunks import chunks_of
from sr_images.encoding import EXTRAS, Encoding
from sr_images.picture import Attributes, Picture, squeezed
from sr_images.png_stream import write_chunk

_PLUGINS = {"HEIC": "HEIF"}
_JPEG_QUALITY, _QUALITY = 95, 90
_MOST_SEGMENT = 65_500  # bytes that a segment of a JPEG holds, less its head
_PNG_HEAD = 33  # bytes of the signature and the chunk IHDR
_DURATION_MS = 100  # of frames that do not tell


def encode(file: IO[bytes], picture: Picture, name: str, encoding: Encoding, told: str) -> None:
    """Writes a picture of 8 bits a channel.

    Args:
        file: Open for writing.
        picture: uint8; transparent only if the format can hold that.
        name: The format.
        encoding: How it is written.
        told: What warnings call the file.

    Raises:
        OSError: The file cannot be written.
    """
    image = image_of(picture)
    if name in EXTRAS:
        _register(name)
    if name == "PNG":
        _encode_png(file, image, picture.attributes)
        return
    options = {**_quality(name, encoding), **_metadata(picture.attributes, name, told)}
    image.save(file, _PLUGINS.get(name, name), **options)


def encode_animation(
    file: IO[bytes],
    frames: Iterator[Picture],
    name: str,
    encoding: Encoding,
    *,
    count: int,
    loop: int | None,
    told: str,
) -> None:
    """Writes an animated WebP or AVIF; one frame at a time is in memory.

    Args:
        file: Open for writing.
        frames: uint8.
        name: The format.
        encoding: How it is written.
        count: Of the frames.
        loop: How often it is shown, 0 for ever; None says nothing.
        told: What warnings call the file.
    """
    sequence = _Sequence(frames, count)
    options = {**_quality(name, encoding), **_metadata(sequence.attributes, name, told)}
    options["loop"] = 1 if loop is None else loop
    sequence.save(file, name, save_all=True, duration=_Durations(sequence), **options)


def image_of(picture: Picture) -> Image.Image:
    """A picture of 8 bits a channel as Pillow has it: mode L, LA, RGB or RGBA."""
    return Image.fromarray(np.ascontiguousarray(squeezed(picture.samples)))


class _Sequence(Image.Image):
    """Frames that come one after the other, as Pillow saves them; each RGBA."""

    def __init__(self, frames: Iterator[Picture], count: int) -> None:
        super().__init__()
        self.n_frames, self.is_animated = count, True
        self._frames, self._at = frames, -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Goes to the next frame; does nothing for others that exist."""
        if frame >= self.n_frames:
            raise EOFError
        if frame == self._at + 1:
            picture = next(self._frames)
            self.attributes, self._at = picture.attributes, frame
            image = image_of(picture).convert("RGBA")
            self.im, self._mode, self._size = image.im, image.mode, image.size

    def tell(self) -> int:
        """The frame that is in memory."""
        return self._at


class _Durations(list[int]):
    """How long the frame that is in memory is shown, whichever is asked for."""

    def __init__(self, sequence: _Sequence) -> None:
        super().__init__([_DURATION_MS])
        self._sequence = sequence

    def __getitem__(self, index: Any) -> Any:
        return duration_of(self._sequence.attributes)


def duration_of(attributes: Attributes) -> int:
    """How long a frame is shown, whole milliseconds."""
    return _DURATION_MS if attributes.duration_ms is None else round(attributes.duration_ms)


def _register(name: str) -> None:
    """Lets Pillow know of a codec that is a package of its own."""
    if name == "HEIC":
        import pillow_heif

        pillow_heif.register_heif_opener()
    else:
        import pillow_jxl  # noqa: F401  # its import does it


def _encode_png(file: IO[bytes], image: Image.Image, attributes: Attributes) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    # Let go where the disk is full, too: a buffer that is collected before its view complains.
    with buffer.getbuffer() as content:
        file.write(content[:_PNG_HEAD])
        for kind, chunk in chunks_of(attributes):
            write_chunk(file, kind.encode(), chunk)
        file.write(content[_PNG_HEAD:])


def _quality(name: str, encoding: Encoding) -> dict[str, Any]:
    if name == "JPEG":
        return {"quality": encoding.quality or _JPEG_QUALITY, "subsampling": "4:4:4"}
    if name == "WEBP":
        # exact: colours under full transparency stay
        lossless: dict[str, Any] = {"lossless": True, "exact": True}
        return {"quality": encoding.quality} if encoding.quality else lossless
    if name == "JXL":
        return {"quality": encoding.quality} if encoding.quality else {"lossless": True}
    if name == "AVIF":
        return {"quality": encoding.quality or _QUALITY, "subsampling": "4:4:4"}
    if name == "HEIC":
        return {"quality": encoding.quality or _QUALITY, "chroma": 444}
    return {}


def _metadata(attributes: Attributes, name: str, told: str) -> dict[str, Any]:
    """What Pillow's encoder takes; what the format cannot hold is left out."""
    if name in ("BMP", "GIF"):
        comment = attributes.texts.get("Comment")
        found: dict[str, Any] = {"comment": comment} if comment and name == "GIF" else {}
        return {**found, "dpi": attributes.dpi} if attributes.dpi and name == "BMP" else found
    # JPEG XL: an offset, which Pillow's plugin forgets
    head = {"JPEG": b"Exif\0\0", "JXL": b"\0\0\0\0"}.get(name, b"")
    found = {
        "icc_profile": attributes.icc,
        "exif": head + attributes.exif if attributes.exif else None,
        "xmp": attributes.xmp,
    }
    if name == "JPEG":
        found |= {"dpi": attributes.dpi, "comment": attributes.texts.get("Comment", "").encode()}
        found["extra"] = iptc.jpeg_segment(attributes.iptc) if attributes.iptc else None
        for key in ("exif", "xmp", "comment"):
            if found[key] and len(found[key]) > _MOST_SEGMENT:
                logging.warning("%s: a JPEG cannot hold so much %s; it is left out", told, key)
                found[key] = None
    return {key: value for key, value in found.items() if value}
