"""Photos in, 4x photos out: `python -m upscaler` and, in Python, `upscaler.Upscaler`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upscaler.tiling import Tiling
    from upscaler.upscaler import Upscaler

__all__ = ["Tiling", "Upscaler"]


def __getattr__(name: str) -> Any:
    """Imports a class when it is asked for: `--help` does not wait for NumPy."""
    if name == "Tiling":
        from upscaler.tiling import Tiling

        return Tiling
    if name == "Upscaler":
        from upscaler.upscaler import Upscaler

        return Upscaler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
