"""Starts TensorFlow without its notices, for programs whose stderr is read by people."""

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sr_program.errors import UsageError

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
# One of them is there where a driver for NVIDIA's GPUs is, in Windows' Linux the last.
_DRIVERS = ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg")
_BACKEND = "KERAS_BACKEND"


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow (seconds) and holds back what its native code writes to stderr meanwhile.

    TensorFlow 2.21 announces oneDNN at import whatever TF_CPP_MIN_LOG_LEVEL says. Who sets this
    variable to 0 sees everything. If the import fails, what was held back is shown.

    Keras, and JAX where it is installed, stay away until someone imports them: TensorFlow pulls in
    both without need, which takes seconds (benchmarks/timing/start_up.py).
    """
    with _left_out():
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


@contextmanager
def keras_on_tensorflow() -> Iterator[None]:
    """Within it Keras is imported and builds networks for TensorFlow, whatever a person prefers.

    A SavedModel is TensorFlow's. The variable KERAS_BACKEND, and the backend, the order of axes and
    the type of numbers in ~/.keras/keras.json, are meant for other programs.

    Raises:
        UsageError: Keras was imported before, on another backend, which lasts for the process.
    """
    if "keras" not in sys.modules:
        os.environ[_BACKEND] = "tensorflow"
    import_keras_quietly()
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"Keras runs on {keras.backend.backend()} in this process, and a SavedModel is "
            "TensorFlow's; export in a process of its own, or import keras on TensorFlow"
        )
    axes, numbers = keras.config.image_data_format(), keras.config.floatx()
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_image_data_format(axes)
        keras.config.set_floatx(numbers)


def _import_quietly(module: str) -> None:
    everything = os.environ.setdefault(_LEVEL, "2") == "0"
    if everything or "tensorflow" in sys.modules:
        return
    with held_back_stderr():
        importlib.import_module(module)
        if not any(map(os.path.exists, _DRIVERS)):
            _look_for_gpus()


def _look_for_gpus() -> None:
    """Lets a TensorFlow with CUDA look for GPUs, which is an error line where there are none.

    It looks once, and would do so at its first computation.
    """
    tensorflow = sys.modules.get("tensorflow")
    about_build = getattr(tensorflow, "sysconfig", None)
    if about_build is not None and about_build.get_build_info().get("is_cuda_build"):
        tensorflow.config.list_physical_devices()  # pyright: ignore[reportOptionalMemberAccess]


@contextmanager
def _left_out() -> Iterator[None]:
    """Within it `import tensorflow` finds neither Keras nor JAX."""
    absent = [name for name in ("jax", "tf_keras") if name not in sys.modules]
    legacy = os.environ.get(_LEGACY_KERAS)
    # TensorFlow then looks for tf_keras at its import, and for Keras at its first use.
    os.environ[_LEGACY_KERAS] = "1"
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        if legacy is None:
            del os.environ[_LEGACY_KERAS]
        else:
            os.environ[_LEGACY_KERAS] = legacy


@contextmanager
def held_back_stderr() -> Iterator[None]:
    """Hides what is written to file descriptor 2, native code included, unless the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:  # not Ctrl-C, which is no failure to be explained
            failed = True
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read().decode(errors="replace"))
