"""Photos in, 4x photos out: `python -m upscaler` and, in Python, `upscaler.Upscaler`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upscaler.allocator import keep_freed_memory
    from upscaler.tiling import Tiling
    from upscaler.upscaler import Upscaler

__all__ = ["Tiling", "Upscaler", "keep_freed_memory"]


def __getattr__(name: str) -> Any:
    """Imports a name when it is asked for: `--help` does not wait for NumPy."""
    if name == "Tiling":
        from upscaler.tiling import Tiling

        return Tiling
    if name == "Upscaler":
        from upscaler.upscaler import Upscaler

        return Upscaler
    if name == "keep_freed_memory":
        from upscaler.allocator import keep_freed_memory

        return keep_freed_memory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
