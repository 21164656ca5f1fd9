"""Packages that only some functions need: the extras of setup.py for runtimes and codecs."""

import importlib.util

from sr_program.errors import UsageError

# The modules that an extra brings.
_MODULES = {
    "demo": ("gradio", "fastapi", "uvicorn"),
    "heic": ("pillow_heif",),
    "jxl": ("pillow_jxl",),
    "litert": ("ai_edge_litert",),
    "onnx": ("onnx", "onnxruntime", "tf2onnx"),
    "openvino": ("openvino",),
    "serving": ("grpc", "google.protobuf", "tenacity", "urllib3"),
}


def is_installed(extra: str) -> bool:
    """Whether all packages of an extra are there; none is imported.

    Args:
        extra: One of `_MODULES`.
    """
    return not _missing(extra)


def require_extra(extra: str) -> None:
    """Does nothing if all packages of an extra are there; none is imported.

    Args:
        extra: One of `_MODULES`.

    Raises:
        UsageError: One is missing.
    """
    missing = _missing(extra)
    if missing:
        name = missing[0].replace("_", "-")
        raise UsageError(f"the package {name} is missing: pip install 'bi-gans-st[{extra}]'")


def _missing(extra: str) -> list[str]:
    return [name for name in _MODULES[extra] if importlib.util.find_spec(name) is None]
