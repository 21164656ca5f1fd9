from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bigans.models.tensorflow_model import TensorFlowModel
from sr_program.errors import DataError


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, shape, dtype=np.uint8)


def nearest(image: np.ndarray) -> np.ndarray:
    return np.kron(image, np.ones((4, 4, 1), np.uint8))


def test_scale(generator: Path, fused: Path) -> None:
    assert TensorFlowModel(generator).scale == TensorFlowModel(fused).scale == 4


def test_parts_of_a_fused_model(toy_fused: Path) -> None:
    model, image = TensorFlowModel(toy_fused), noise(5, 7, 3)
    faithful, vivid = model.generators(image)
    large = nearest(image).astype(np.float32)
    np.testing.assert_array_equal(faithful, large * (127 / 128) + [0.375, 0.5, 0.625])
    assert faithful.dtype == vivid.dtype == np.float32
    values = model.deviations(faithful, vivid)
    assert values.shape == (20 * 28 * 3, 1)
    np.testing.assert_array_equal(np.sort(values[:, 0]), np.sort(abs(vivid - faithful), axis=None))
    merged = model.merge(faithful, vivid, np.array([1.5], np.float32))
    assert merged.shape == (20, 28, 3) and merged.dtype == np.uint8
    bounded = np.clip(vivid, faithful - 1.5, faithful + 1.5)
    np.testing.assert_array_equal(merged, np.floor(bounded + 0.5))
    np.testing.assert_array_equal(model.unrounded(image), [faithful, vivid])


def test_what_lies_before_the_rounding(generator: Path, fused: Path) -> None:
    image = noise(5, 7, 3)
    for model in (TensorFlowModel(generator), TensorFlowModel(fused)):
        assert model.radius is None
        np.testing.assert_array_equal(model.unrounded(image), nearest(image)[None])


def test_parts_that_are_missing(fused: Path, toy_fused: Path) -> None:
    TensorFlowModel(toy_fused).require_parts()
    with pytest.raises(DataError, match=f"{fused}.*export it again"):
        TensorFlowModel(fused).require_parts()


def test_a_forked_process(generator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow would hang."""
    model = TensorFlowModel(generator)
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="before this process was forked.*start processes by"):
        model.serve(noise(1, 5, 7, 3), {})


def test_memory_that_runs_out(generator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = TensorFlowModel(generator)

    def exhausted(**_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr(model, "_signatures", {"serving_default": exhausted})
    with pytest.raises(DataError, match="memory ran out on 7x5 pixels.*smaller memory_mb"):
        model.serve(noise(1, 5, 7, 3), {})
