"""The package and PyTorch are faked, but for the last test, which needs them."""

import contextlib
import importlib.util
import sys
import types

import numpy as np
import pytest

from evaluation.metrics.stlpips_distance import StLpipsDistance

UNUSED = ("IPython", "torchsummary", "torchvision")


class Network:
    """The mean distance."""

    training = True

    def __init__(self, net: str, variant: str, verbose: bool = True) -> None:
        assert (net, variant, verbose) == ("alex", "shift_tolerant", False)

    def eval(self) -> None:
        self.training = False

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.floating:
        assert not self.training and gradients == ["off"]
        for planes in (first, second):
            assert planes.flags.c_contiguous and planes.flags.writeable  # PyTorch wants no less
            assert planes.dtype == np.float32 and planes.shape[:2] == (1, 3)  # channels first
        return np.abs(first - second).mean()


gradients: list[str] = []


@contextlib.contextmanager
def no_grad():
    gradients.append("off")
    yield
    gradients.clear()


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    network = types.ModuleType("stlpips_pytorch.stlpips")
    network.__dict__["LPIPS"] = Network
    for name, content in (
        ("stlpips_pytorch", {"stlpips": network}),
        ("stlpips_pytorch.stlpips", network.__dict__),
        ("torch", {"from_numpy": lambda array: array, "no_grad": no_grad}),
    ):
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)


def test_the_network_gets_signed_planes(packages) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 32, 3), dtype=np.uint8)
    distance = StLpipsDistance()
    found = distance(*images)
    assert isinstance(found, float)
    expected = np.abs(images[0].astype(float) - images[1]).mean() / 127.5  # of [-1, 1]
    assert found == pytest.approx(expected, rel=1e-5)
    assert distance(images[0], images[0]) == 0


def test_channels_and_rows_keep_their_places(packages, monkeypatch) -> None:
    image = np.zeros((40, 32, 3), np.uint8)
    image[5, 7, 2] = 255
    seen = []
    monkeypatch.setattr(Network, "__call__", lambda self, *pair: seen.extend(pair) or 0.0)
    StLpipsDistance()(image, image)
    for planes in seen:
        assert planes.shape == (1, 3, 40, 32)
        assert np.argwhere(planes == 1).tolist() == [[0, 2, 5, 7]]
        assert planes.min() == -1


def test_a_small_image_is_a_plain_error(packages) -> None:
    small = np.zeros((31, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="ST-LPIPS cannot compare images of 64x31 pixels"):
        StLpipsDistance()(small, small)


def test_stand_ins_are_gone_afterwards(packages, monkeypatch) -> None:
    for name in UNUSED:
        monkeypatch.delitem(sys.modules, name, raising=False)
    real = types.ModuleType("IPython")
    monkeypatch.setitem(sys.modules, "IPython", real)
    StLpipsDistance()
    assert sys.modules["IPython"] is real
    assert not {"torchsummary", "torchvision"} & set(sys.modules)


@pytest.mark.parametrize("name", ["stlpips_pytorch", "torch"])
def test_without_a_package(packages, monkeypatch, name) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError):
        StLpipsDistance()
    assert sys.modules.get("torchsummary") is None


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("stlpips_pytorch", "torch"))),
    reason="needs two packages: pip install stlpips-pytorch torch",
)
def test_the_real_network(draw_photo) -> None:
    """0 for equal images; a step of a pixel is little beside noise, which is what ST stands for."""
    hr = draw_photo(104, 136, 1)
    image, moved = hr[:96, :128], hr[1:97, 1:129]
    noise = np.random.default_rng(2).normal(0, 20, image.shape)
    noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
    distance = StLpipsDistance()
    assert distance(image, image) == 0
    assert 0 < distance(image, moved) < 0.5 * distance(image, noisy)
    smallest = np.ascontiguousarray(image[:32, :32])
    assert distance(smallest, smallest) == 0
