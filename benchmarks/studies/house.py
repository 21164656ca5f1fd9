r"""Counts how far a photo travels through the code of a tree, and what is written more than once.

    python -m benchmarks.studies.house
    git worktree add ../before COMMIT
    python -m benchmarks.studies.house --tree=../before

Prints a Markdown table. A module counts if the command that enlarges a photo has loaded it by its
end and it holds code: an `__init__.py` with a docstring alone does not. The photo, 80x80 noise, is
enlarged twice, whole and in tiles, each time in a process of its own and after a first run, which
builds the models in a temporary cache. What is counted in the source: see `written_once`. --names
lists what has been counted.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks.studies import written_once
from sr_images.image_io import write_rgb
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, last_line

_TREE = flags.DEFINE_string("tree", None, "The checkout; the current directory if left out.")
_NAMES = flags.DEFINE_bool("names", False, "List the modules and places too.")

_SIDE = 80
_IN_TILES = "--memory_mb=1000"

# The name of the program, now and before.
_PROGRAMS = ("bigans", "upscaler")

# What runs in the tree: the program, and then the files of what it has loaded.
_RUN = """
import json, runpy, sys
program, *sys.argv[1:] = json.loads(sys.argv[1])
sys.argv[0] = program
try:
    runpy.run_module(program, run_name="__main__", alter_sys=True)
except SystemExit as end:
    if end.code:
        raise
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([file for file in files if file]))
"""


def main(arguments: list[str]) -> None:
    """Counts and prints."""
    refuse_positional(arguments)
    tree = Path(_TREE.value or ".").resolve()
    if not any((tree / program).is_dir() for program in _PROGRAMS):
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
        loaded_modules(tree, photo, [])  # builds the models
        yield "modules that a photo passes, whole", loaded_modules(tree, photo, [])
        yield "modules that a photo passes, in tiles", loaded_modules(tree, photo, [_IN_TILES])


def _named(places: list[written_once.Place]) -> list[str]:
    return [f"{place.file}:{place.line}" for place in places]


def loaded_modules(tree: Path, photo: Path, settings: list[str]) -> list[str]:
    """The files of a tree that hold code and that enlarging a photo has loaded.

    Args:
        tree: The checkout.
        photo: The photo; the result and the cache of the models go beside it.
        settings: Further flags.

    Raises:
        DataError: The program failed.
    """
    program = next(name for name in _PROGRAMS if (tree / name).is_dir())
    output = photo.with_name("result.png")
    command = json.dumps([program, str(photo), f"--output={output}", *settings])
    environment: dict[str, Any] = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "BIGANS_CACHE": str(photo.with_name("cache")),
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN, command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not output.exists():
        raise DataError(f"{tree}: enlarging a photo failed: {last_line(Exception(done.stderr))}")
    output.unlink()
    # The program itself has run as __main__, which has no entry of its own any more.
    files = {Path(file) for file in json.loads(done.stdout.splitlines()[-1])}
    files.add(tree / program / "__main__.py")
    ours = [path.relative_to(tree) for path in files if path.is_relative_to(tree)]
    inside = [path for path in ours if not path.parts[0].startswith(".")]
    return sorted(path.as_posix() for path in inside if holds_code(tree / path))


def holds_code(path: Path) -> bool:
    """Whether a file holds more than a docstring."""
    if path.suffix != ".py":
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)) for n in body)


if __name__ == "__main__":
    run(main)
