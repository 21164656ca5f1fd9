"""Through which modules of a tree a photo goes, from the command line to the written picture.

The photo is enlarged in a process of its own. A module holds pixels of the photo if a function of
it, when it returns, has an array with three values a pixel in a variable, an argument or what it
gives back, or an object with such `pixels`. It holds the photo if it has its pixels there, or the
name of its file or of the result. A module is loaded if the process has imported it by its end and
it holds code: an `__init__.py` with a docstring alone does not.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sr_program.errors import DataError, last_line

# The name of the program, now and before.
PROGRAMS = ("bigans", "upscaler")

# What runs in the tree. It watches every return; a yield is one.
_RUN = """
import json, os, runpy, sys, threading
tree, program, *sys.argv[1:] = json.loads(sys.argv[1])
names = {os.path.basename(argument).rpartition("=")[2] for argument in sys.argv[1:3]}
sys.argv[0] = program
holders = {"pixels": set(), "name": set()}

def found(value, depth=2):
    try:
        if isinstance(value, (str, os.PathLike)):
            return {"name"} if os.path.basename(os.fspath(value)) in names else set()
        shape = [int(length) for length in getattr(value, "shape", ())]
        inside = getattr(value, "pixels", None)
    except Exception:  # objects of others that are only half made
        return set()
    if len(shape) > 2 and shape[-1] == 3:
        return {"pixels"} if shape[-3] * shape[-2] >= 64 else set()
    if depth and inside is not None:
        return found(inside, depth - 1)
    if depth and type(value) is dict:  # others' kinds of lists may be half made too
        value = list(value.values())
    parts = value[:8] if depth and type(value) in (list, tuple) else []
    return set().union(*(found(part, depth - 1) for part in parts))

def watch(frame, event, result):
    file = frame.f_code.co_filename
    if event == "return" and file not in holders["pixels"] and file.startswith(tree):
        for value in (result, *frame.f_locals.values()):
            for kind in found(value):
                holders[kind].add(file)

threading.setprofile(watch)
sys.setprofile(watch)
try:
    runpy.run_module(program, run_name="__main__", alter_sys=True)
except SystemExit as end:
    if end.code:
        raise
finally:
    sys.setprofile(None)
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
loaded = [file for file in files if file]
print(json.dumps([*map(sorted, (holders["pixels"], holders["name"])), loaded]))
"""


class Walk(NamedTuple):
    """Files of a tree, relative to it, in the order of their names.

    Attributes:
        pixels: Of modules that hold pixels of the photo.
        holding: Of modules that hold its pixels or its name.
        loaded: Of modules that the process has imported.
    """

    pixels: list[str]
    holding: list[str]
    loaded: list[str]


def walk(tree: Path, photo: Path, settings: list[str]) -> Walk:
    """Enlarges a photo with the program of a tree and watches.

    Args:
        tree: The checkout.
        photo: The photo; the result and the cache of the models go beside it.
        settings: Further flags.

    Raises:
        DataError: The program failed.
    """
    program = next(name for name in PROGRAMS if (tree / name).is_dir())
    output = photo.with_name("result.png")
    root = os.path.join(tree, "")
    command = json.dumps([root, program, str(photo), f"--output={output}", *settings])
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
    pixels, named, loaded = json.loads(done.stdout.splitlines()[-1])
    # The program itself has run as __main__, which has no entry of its own any more.
    loaded.append(str(tree / program / "__main__.py"))
    return Walk(*(_inside(tree, files) for files in (pixels, pixels + named, loaded)))


def _inside(tree: Path, files: list[str]) -> list[str]:
    found = {Path(file) for file in files}
    ours = [path.relative_to(tree) for path in found if path.is_relative_to(tree)]
    inside = [path for path in ours if not path.parts[0].startswith(".")]
    return sorted(path.as_posix() for path in inside if holds_code(tree / path))


def holds_code(path: Path) -> bool:
    """Whether a file holds more than a docstring."""
    if path.suffix != ".py":
        return False
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)) for n in body)
