"""Which files of a folder are pictures: by their suffix, or by how they begin."""

from __future__ import annotations

from pathlib import Path

from sr_images.image_io import IMAGE_SUFFIXES

# What cameras, editors and web pages write and nothing here reads.
_OTHERS = """
    3fr ai arw bpg cr2 cr3 crw cur dcm dcr dng eps erf exr fff fits fit hdr ico iiq jxr k25 kdc mef
    mos mrw nef nrw orf pef psb psd ptx raf raw rw2 rwl sr2 srf srw svg svgz wdp x3f xcf
"""
_OTHER_PICTURES = frozenset(f".{name}" for name in _OTHERS.split())


def can_be_read(path: Path) -> bool:
    """Whether a file is a picture of a format that is read here, as far as its head tells."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def looks_like_a_picture(path: Path) -> bool:
    """Whether the name of a file is that of a picture."""
    return path.suffix.lower() in _OTHER_PICTURES
