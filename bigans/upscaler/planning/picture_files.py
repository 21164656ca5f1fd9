"""Which files of a folder are pictures: by their suffix, or by how they begin."""

from __future__ import annotations

from pathlib import Path

from sr_images.formats import READABLE, format_of
from sr_program.machine.optional_packages import is_installed

# What cameras, editors and web pages write and nothing here reads.
_OTHERS = """
    3fr ai arw bpg cr2 cr3 crw cur dcm dcr dng eps erf exr fff fits fit hdr ico iiq jxr k25 kdc mef
    mos mrw nef nrw orf pef psb psd ptx raf raw rw2 rwl sr2 srf srw svg svgz wdp x3f xcf
"""
_OTHER_PICTURES = frozenset(f".{name}" for name in _OTHERS.split())

# Formats whose files begin as no other file does: known under any name.
_UNMISTAKABLE = frozenset(("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC", "JXL", "JP2"))
_HEAD = 64  # bytes


def can_be_read(path: Path) -> bool:
    """Whether a file is a picture of a format that is read here, as far as name and head tell."""
    suffix = path.suffix.lower()
    if suffix in READABLE:
        return _has_its_package(READABLE[suffix])
    if suffix in _OTHER_PICTURES:  # many of them are TIFF files that hold a small preview
        return False
    found = _format(path)
    return found in _UNMISTAKABLE and _has_its_package(found)


def looks_like_a_picture(path: Path) -> bool:
    """Whether a file that cannot be read is a picture all the same."""
    suffix = path.suffix.lower()
    return suffix in _OTHER_PICTURES or suffix in READABLE or _format(path) in _UNMISTAKABLE


def _format(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return format_of(file.read(_HEAD))
    except OSError:
        return None


def _has_its_package(name: str | None) -> bool:
    extra = {"HEIC": "heic", "JXL": "jxl"}.get(name or "")
    return extra is None or is_installed(extra)
