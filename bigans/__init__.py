"""Photos in, 4x photos out: `python -m bigans` and, in Python, `bigans.Upscaler`."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sr_program.own_packages import use_own
from sr_program.version import VERSION as __version__

if TYPE_CHECKING:
    from bigans.upscaler.enlarging import Enlarging
    from bigans.upscaler.tiles.tiling import Tiling
    from bigans.upscaler.upscaler import Upscaler
    from sr_program.machine.allocator import keep_freed_memory

# The only package below whose name a file of the user's is likely to have.
use_own(["fusion"], Path(__file__).parent.parent)

__all__ = ["Enlarging", "Tiling", "Upscaler", "__version__", "keep_freed_memory"]


_MODULES = {
    "Enlarging": "bigans.upscaler.enlarging",
    "Tiling": "bigans.upscaler.tiles.tiling",
    "Upscaler": "bigans.upscaler.upscaler",
    "keep_freed_memory": "sr_program.machine.allocator",
}


def __getattr__(name: str) -> Any:
    """Imports a name when it is asked for: `--help` does not wait for NumPy."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
