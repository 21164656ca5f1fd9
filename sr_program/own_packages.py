"""Packages with everyday names, taken from this installation whatever lies beside a user's script.

Python looks first in the folder of the script, or in the current one: a `fusion.py` there hides the
package `fusion`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import multiprocessing
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path


def use_own(names: Iterable[str], installation: Path) -> None:
    """Imports packages from where this program is installed.

    A file of the user's that is passed over is named in a warning, unless no other code could want
    it: in a program that was started by `python -m`, and its processes.

    Args:
        names: Of top-level packages.
        installation: The folder that holds them.

    Raises:
        ImportError: Another module of that name has been imported already.
    """
    for name in names:
        own = installation / name / "__init__.py"
        if not own.is_file():  # an archive, for one: as Python finds it
            continue
        loaded = sys.modules.get(name)
        if loaded is not None and not _is(own, getattr(loaded, "__file__", None)):
            raise ImportError(
                f"bi-gans-st needs its own package {name!r}, and {_place(loaded)} was imported "
                "under this name; rename it"
            )
        found = None if loaded else importlib.util.find_spec(name)
        if found is not None and not _is(own, found.origin):
            _load(name, installation)
            if sys.argv[0] != "-m" and multiprocessing.parent_process() is None:
                warnings.warn(
                    f"{name!r} is the package of bi-gans-st now, and not {_place(found)}; rename "
                    "that if you import it",
                    stacklevel=3,
                )


def _is(own: Path, file: str | None) -> bool:
    return file is not None and Path(file).exists() and own.samefile(file)


def _place(module: object) -> str:
    for name in ("__file__", "origin"):
        place = getattr(module, name, None)
        if place is not None:
            return str(place)
    return "another module"


def _load(name: str, installation: Path) -> None:
    spec = importlib.machinery.PathFinder.find_spec(name, [str(installation)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
