"""A toy model, exported for a server once, and loaded as a server loads it."""

from pathlib import Path

import pytest

from benchmarks.serving.bare_session import BareSession
from tests.test_fusion.conftest import NetworkGenerator, save_generator

# Small tiles: small images have many.
TILE, OVERLAP, MAX_PIXELS = 72, 4, 20_000


@pytest.fixture(scope="package")
def generators(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("generators")
    generators = NetworkGenerator(1), NetworkGenerator(3)
    first, second = (save_generator(one, root / str(i)) for i, one in enumerate(generators))
    return first, second


@pytest.fixture(scope="package")
def exported(generators: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with version 1."""
    from bigans.serving.exporting import ToServe, export
    from bigans.serving.limits import Limits

    root = tmp_path_factory.mktemp("served") / "toy"
    limits = Limits(MAX_PIXELS, TILE, OVERLAP)
    version = export(root, ToServe(faithful=generators[0], vivid=generators[1]), limits=limits)
    assert version == root / "1"
    return root


@pytest.fixture(scope="package")
def session(exported: Path) -> BareSession:
    return BareSession(exported / "1")


@pytest.fixture(scope="package")
def fused_dir(generators: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same generators, fused: what the upscaler enlarges with."""
    from fusion.exporting import build

    return build(*generators, tmp_path_factory.mktemp("fused_for_serving"))
