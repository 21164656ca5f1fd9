import numpy as np
import pytest
import tensorflow as tf

from fusion.fused_model import FusedModel
from fusion.modes import DELTAS, THRESHOLDS, Threshold
from sr_program.errors import DataError, UsageError
from tests.test_fusion.test_fuse import as_uint8, run_fuse


@pytest.fixture(scope="module")
def model(faithful_dir, vivid_dir) -> FusedModel:
    return FusedModel(faithful_dir / "1", vivid_dir / "1")


def call(model, signature, image, **inputs) -> dict[str, np.ndarray]:
    tensors = {key: tf.constant(value, tf.float32) for key, value in inputs.items()}
    outputs = model.signature_functions[signature](image=tf.constant(image), **tensors)
    return {key: value.numpy() for key, value in outputs.items()}


def generators_alone(faithful_dir, vivid_dir, image) -> list[np.ndarray]:
    loaded = [tf.saved_model.load(str(path / "1")) for path in (faithful_dir, vivid_dir)]
    image = tf.constant(image)
    return [generator.signatures["unrounded"](image=image)["sr"].numpy() for generator in loaded]


@pytest.mark.parametrize("shape", [(3, 5, 7, 3), (1, 1, 1, 3), (1, 8, 3, 3)])
def test_signatures_agree_with_the_generators_alone(model, faithful_dir, vivid_dir, shape):
    image = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    faithful, vivid = generators_alone(faithful_dir, vivid_dir, image)
    generators = call(model, "generators", image)
    np.testing.assert_array_equal(generators["faithful"], faithful)
    np.testing.assert_array_equal(generators["vivid"], vivid)
    assert np.abs(faithful - vivid).max() > 5

    sr, unrounded = run_fuse(faithful, vivid)
    np.testing.assert_array_equal(call(model, "serving_default", image)["sr"], sr)
    parts = call(model, "components", image)
    np.testing.assert_array_equal(parts["faithful"], as_uint8(faithful))
    np.testing.assert_array_equal(parts["vivid"], as_uint8(vivid))
    expected = np.abs(unrounded.astype(float) - faithful).sum(axis=-1)
    assert parts["deviation"].shape == (shape[0], 4 * shape[1], 4 * shape[2])
    np.testing.assert_allclose(parts["deviation"], expected, atol=1e-4)


def test_both_ends_of_the_model_are_its_generators(model, images):
    parts = call(model, "components", images)
    for xi, name in ((0.0, "faithful"), (1.0, "vivid")):
        sr = call(model, "serving_default", images, xi=xi)["sr"]
        np.testing.assert_array_equal(sr, parts[name])
    ends = call(model, "serving_default", images, xi=[0.0, 1.0, 0.0])["sr"]
    np.testing.assert_array_equal(ends[0], parts["faithful"][0])
    np.testing.assert_array_equal(ends[1], parts["vivid"][1])


def test_max_deviation_of_the_model(model, images):
    faithful = call(model, "components", images)["faithful"].astype(int)
    sr = call(model, "serving_default", images, xi=1.0, max_deviation=[0.0, 2.5, -1.0])["sr"]
    departure = np.abs(sr - faithful).max(axis=(1, 2, 3))
    assert departure[0] == 0 and departure[1] == 2 and departure[2] > 5


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.parametrize("delta", DELTAS)
def test_modes_reach_the_graph(faithful_dir, vivid_dir, images, threshold: Threshold, delta):
    model = FusedModel(faithful_dir / "1", vivid_dir / "1", threshold=threshold, delta=delta)
    generators = generators_alone(faithful_dir, vivid_dir, images)
    sr, _ = run_fuse(generators[0], generators[1], 0.3, threshold=threshold, delta=delta)
    np.testing.assert_array_equal(call(model, "serving_default", images, xi=0.3)["sr"], sr)
    signature = model.signature_functions["serving_default"].function_spec.function_type
    assert ("max_deviation" in signature.parameters) == (delta == "as_read")


def test_generators_of_different_scales_are_refused(faithful_dir, double_scale_dir):
    with pytest.raises(DataError, match=r"\[32, 32, 3\].*\[64, 64, 3\].*same scale"):
        FusedModel(faithful_dir / "1", double_scale_dir / "1")


@pytest.mark.parametrize("modes", [{"threshold": "all"}, {"delta": "printed"}])
def test_unknown_modes_are_refused(faithful_dir, modes):
    with pytest.raises(UsageError, match="choose one of"):
        FusedModel(faithful_dir / "1", faithful_dir / "1", **modes)
