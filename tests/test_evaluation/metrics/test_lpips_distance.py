"""The package and PyTorch are faked: neither is needed to see what they are given."""

import contextlib
import sys
import types

import numpy as np
import pytest

from evaluation.metrics.lpips_distance import LpipsDistance


class Tensor:
    def __init__(self, values: np.ndarray) -> None:
        assert values.flags.c_contiguous and values.flags.writeable  # PyTorch wants no less
        self.values = values


class Network:
    """The mean distance; refuses small images as AlexNet's pooling does."""

    training = True

    def __init__(self, net: str, verbose: bool = True) -> None:
        assert (net, verbose) == ("alex", False)

    def eval(self) -> "Network":
        self.training = False
        return self

    def __call__(self, first: Tensor, second: Tensor) -> np.floating:
        assert not self.training and gradients == ["off"]
        for tensor in (first, second):
            assert tensor.values.dtype == np.float32
            assert tensor.values.shape[:2] == (1, 3)  # channels first
        if min(first.values.shape[2:]) < 31:
            raise RuntimeError("Given input size: (192x1x1).\nOutput size is too small")
        return np.abs(first.values - second.values).mean()


gradients: list[str] = []


@contextlib.contextmanager
def no_grad():
    gradients.append("off")
    yield
    gradients.clear()


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in (
        ("lpips", {"LPIPS": Network}),
        ("torch", {"from_numpy": Tensor, "no_grad": no_grad}),
    ):
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)


def test_the_network_gets_signed_planes(packages) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, 40, 32, 3), dtype=np.uint8)
    distance = LpipsDistance()
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
    LpipsDistance()(image, image)
    for tensor in seen:
        assert tensor.values.shape == (1, 3, 40, 32)
        assert np.argwhere(tensor.values == 1).tolist() == [[0, 2, 5, 7]]
        assert tensor.values.min() == -1


def test_a_small_image_is_a_plain_error(packages) -> None:
    small = np.zeros((30, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="LPIPS cannot compare images of 64x30 pixels"):
        LpipsDistance()(small, small)


def test_without_the_package(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(ImportError):
        LpipsDistance()
