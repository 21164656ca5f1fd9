"""Which pictures of a folder are results of this program that lie beside their photo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bigans.upscaler.made_by import read_record


def own_results(paths: Sequence[Path], suffix: str) -> set[Path]:
    """Finds results among the pictures of one folder.

    One is named STEM_x4.png (or with another scale or size, with `suffix`, or with a number
    behind), carries the record of this program, and a photo STEM lies beside it. The same picture
    in a folder of its own is a photo as any other.

    Args:
        paths: Of one folder.
        suffix: That results have in their names, as "_x4".
    """
    ends = re.compile(rf"(?P<stem>.+?)(_x\d+(\.\d+)?|_\d+x\d+{_or(suffix)})(_\d+)?")
    stems = {name for path in paths for name in (path.stem, f"{path.stem}_{path.suffix[1:]}")}
    found: set[Path] = set()
    for path in paths:
        match = ends.fullmatch(path.stem)
        if match and _is_beside(match["stem"], stems) and read_record(path) is not None:
            found.add(path)
    return found


def _or(suffix: str) -> str:
    return f"|{re.escape(suffix)}" if suffix else ""


def _is_beside(stem: str, stems: set[str]) -> bool:
    return stem in stems or re.sub(r"_\d+$", "", stem) in stems
