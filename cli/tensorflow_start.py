"""Starts TensorFlow without its notices, for programs whose stderr is read by people."""

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow (seconds) and holds back what its native code writes to stderr meanwhile.

    TensorFlow 2.21 announces oneDNN at import whatever TF_CPP_MIN_LOG_LEVEL says. Who sets this
    variable to 0 sees everything. If the import fails, what was held back is shown.
    """
    _import_quietly("tensorflow")


def import_keras_quietly() -> None:
    """Imports Keras and the engine that it runs on, TensorFlow or another, in the same way.

    The engines' own lines below a warning, on missing TPUs and on each exchange between devices,
    are left out.
    """
    _import_quietly("keras")
    if os.environ[_LEVEL] != "0":
        for engine in ("jax", "tensorflow"):
            logging.getLogger(engine).setLevel(logging.WARNING)


def _import_quietly(module: str) -> None:
    everything = os.environ.setdefault(_LEVEL, "2") == "0"
    if everything or "tensorflow" in sys.modules:
        return
    with held_back_stderr():
        importlib.import_module(module)


@contextmanager
def held_back_stderr() -> Iterator[None]:
    """Hides what is written to file descriptor 2, native code included, unless the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read().decode(errors="replace"))
