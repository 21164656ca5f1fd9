r"""Counts how far a photo travels through the code of a tree, and what is written more than once.

    python -m benchmarks.studies.house
    git worktree add ../before COMMIT
    python -m benchmarks.studies.house --tree=../before

Prints a Markdown table. The photo, 160x160 noise, is enlarged twice, whole and in tiles, after a
first run, which builds the models in a temporary cache. Which modules hold it, and which are
loaded: see `photo_walk`. What is counted in the source: see `written_once`. --names lists what has
been counted.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import flags

from benchmarks.studies import written_once
from benchmarks.studies.photo_walk import PROGRAMS, walk
from sr_images.image_io import write_rgb
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError

_TREE = flags.DEFINE_string("tree", None, "The checkout; the current directory if left out.")
_NAMES = flags.DEFINE_bool("names", False, "List the modules and places too.")

_SIDE = 160
_IN_TILES = "--memory_mb=1000"


def main(arguments: list[str]) -> None:
    """Counts and prints."""
    refuse_positional(arguments)
    tree = Path(_TREE.value or ".").resolve()
    if not any((tree / program).is_dir() for program in PROGRAMS):
        raise DataError(f"{tree}: no checkout of this project; name one with --tree")
    print("| Counted | Number |\n|---|---|")
    for title, found in _counts(tree):
        print(f"| {title} | {len(found)} |", flush=True)
        if _NAMES.value:
            sys.stderr.write("".join(f"  {one}\n" for one in found))


def _counts(tree: Path) -> Iterator[tuple[str, list[str]]]:
    source = written_once.sources(tree)
    for name in ("precision", "cache_dir", "footprint"):
        places = written_once.signatures_with(name, source)
        yield f"signatures with `{name}`", _named(places)
    yield 'places that write "serving_default"', _named(written_once.serving_names(source))
    yield "places that write ξ = 0.73", _named(written_once.default_xi(source))
    yield "functions with Keys' kernel", _named(written_once.keys_kernels(source))
    yield "places that write BT.601's weights", _named(written_once.luma_weights(source))
    yield "modules with flags that others import", written_once.imported_programs(source)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.png"
        noise = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
        write_rgb(photo, noise)
        walk(tree, photo, [])  # builds the models
        for how, settings in (("whole", []), ("in tiles", [_IN_TILES])):
            found = walk(tree, photo, settings)
            yield f"modules that hold pixels of a photo on its way, {how}", found.pixels
            yield f"modules that hold its pixels or its name, {how}", found.holding
            yield f"modules that are loaded for it, {how}", found.loaded


def _named(places: list[written_once.Place]) -> list[str]:
    return [f"{place.file}:{place.line}" for place in places]


if __name__ == "__main__":
    run(main)
