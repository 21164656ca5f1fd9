"""What all tests share; the environment is set before anything imports Keras or TensorFlow."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from absl import flags
from hypothesis import settings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# A shell ignores Ctrl-C for what it runs in the background, and programs inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is no property: a first one may have to compile.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with slow tests first, so that two processes that share the files end together.

    (With --no-loadscope-reorder: left to itself pytest-xdist begins with the files of the most
    tests, which are the quickest ones.)
    """
    slow: dict[Path, int] = {}
    for item in items:
        slow[item.path] = slow.get(item.path, 0) + (item.get_closest_marker("slow") is not None)
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Image data beside the repository; tests that need it are skipped where it is missing."""
    path = Path(os.environ.get("BIGANS_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(
            f"needs image data (data/benchmarks, data/train, data/val) in {path}; "
            "BIGANS_SHARED=DIR names another place"
        )
    return path


def jax_cache(folder: Path) -> dict[str, str]:
    """Lets programs that run on JAX share what they compile, which takes it half a minute.

    The programs of two pytest workers need folders of their own: JAX reads a file while it is being
    written.
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@pytest.fixture(scope="session")
def subprocess_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For programs that a test starts as a person would, from any folder."""
    environment = dict(os.environ)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    paths = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    environment |= jax_cache(tmp_path_factory.mktemp("jax_cache"))
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


@pytest.fixture
def call_program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Calls a program's `cli_main` in this process, as if started with some arguments.

    The flags that it defines are gone after the call; its exit code is returned.
    """

    def call(cli_main: Callable[[], object], *arguments: object) -> int:
        before, handlers = set(flags.FLAGS), list(logging.root.handlers)
        level = logging.getLogger("absl").level
        monkeypatch.setattr(sys, "argv", [cli_main.__module__, *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as stop:
                cli_main()
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
            logging.root.handlers = handlers
            logging.getLogger("absl").setLevel(level)
        code = stop.value.code
        assert isinstance(code, int)
        return code

    return call


@pytest.fixture(scope="session")
def photo_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three small pictures: colour gradients under noise."""
    from sr_images.image_io import write_rgb

    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(7)
    for number, (height, width) in enumerate([(48, 48), (40, 56), (52, 36)]):
        rows, columns = np.mgrid[:height, :width] / max(height, width)
        gradient = np.stack([rows, columns, (rows + columns) / 2], axis=-1) * 200
        noise = random.normal(20, 12, (height, width, 3))
        write_rgb(folder / f"{number}.png", np.clip(gradient + noise, 0, 255).astype(np.uint8))
    return folder


@pytest.fixture(scope="session")
def niqe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parameters of NIQE that describe no photos, but have the right form."""
    import scipy.io

    random = np.random.default_rng(36)
    factor = random.normal(size=(36, 50))
    path = tmp_path_factory.mktemp("niqe") / "parameters.mat"
    scipy.io.savemat(
        path,
        {
            "mu_prisparam": random.normal(1, 0.5, (1, 36)),
            "cov_prisparam": factor @ factor.T / 50 + np.eye(36),
        },
    )
    return path


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the first layer of any VGG."""
    path = tmp_path_factory.mktemp("vgg") / "block1_conv1.npz"
    random = np.random.default_rng(8)
    kernel = random.normal(0, 0.2, (3, 3, 3, 64)).astype(np.float32)
    bias = random.normal(0, 20, 64).astype(np.float32)
    np.savez(path, block1_conv1_kernel=kernel, block1_conv1_bias=bias)
    return path
