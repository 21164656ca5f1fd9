"""The package for HEIC, which is optional."""

from __future__ import annotations

import importlib.util

from sr_program.errors import UsageError


def require_heic() -> None:
    """Does nothing if the package is there; it is not imported.

    Raises:
        UsageError: It is missing.
    """
    if importlib.util.find_spec("pillow_heif") is None:
        raise UsageError("HEIC needs the package pillow-heif: pip install 'bi-gans-st[heic]'")
