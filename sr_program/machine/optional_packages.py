"""Packages that only some functions need: the extras of setup.py for runtimes and codecs."""

import importlib.util
from collections.abc import Collection

from sr_program.errors import UsageError

# The modules that an extra brings.
_MODULES = {
    "batch": ("fsspec", "pyarrow", "ray", "tenacity"),
    "dask": ("dask", "distributed", "fsspec", "pyarrow", "tenacity"),
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


def require_extra(extra: str, only: Collection[str] = ()) -> None:
    """Does nothing if all packages of an extra are there; none is imported.

    Args:
        extra: One of `_MODULES`.
        only: Modules of it that are needed, if not all are.

    Raises:
        UsageError: One is missing.
    """
    missing = [name for name in _missing(extra) if not only or name in only]
    if missing:
        name = missing[0].replace("_", "-")
        raise UsageError(f"the package {name} is missing: pip install 'bi-gans-st[{extra}]'")


def _missing(extra: str) -> list[str]:
    return [name for name in _MODULES[extra] if importlib.util.find_spec(name) is None]
