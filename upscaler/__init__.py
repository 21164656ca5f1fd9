"""Photos in, 4x photos out: `python -m upscaler` and, in Python, `upscaler.Upscaler`."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upscaler.allocator import keep_freed_memory
    from upscaler.tiling import Tiling
    from upscaler.upscaler import Upscaler

__all__ = ["Tiling", "Upscaler", "keep_freed_memory"]


_MODULES = {
    "Tiling": "upscaler.tiling",
    "Upscaler": "upscaler.upscaler",
    "keep_freed_memory": "upscaler.allocator",
}


def __getattr__(name: str) -> Any:
    """Imports a name when it is asked for: `--help` does not wait for NumPy."""
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
