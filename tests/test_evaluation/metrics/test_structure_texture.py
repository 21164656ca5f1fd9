import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal

from evaluation.metrics.structure_texture import (
    COMPARED,
    StructureTextureDistance,
    convolve_and_rectify,
    l2_pooling,
    texture_and_structure,
)
from sr_program.errors import DataError
from srgan.vgg.layers import layers_up_to

LAYERS = layers_up_to("vgg19", "block3_conv4")


def write_weights(path, seed: int):
    """Random ones that keep the features' size (He)."""
    random = np.random.default_rng(seed)
    arrays = {}
    for layer in LAYERS:
        deviation = np.sqrt(2 / (9 * layer.in_channels))
        kernel = random.normal(0, deviation, layer.kernel_shape)
        arrays[f"{layer.name}_kernel"] = kernel.astype(np.float32)
        arrays[f"{layer.name}_bias"] = random.normal(0, 5, layer.bias_shape).astype(np.float32)
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("vgg") / "vgg19.npz", 0)


@pytest.fixture(scope="module")
def real(shared):
    return StructureTextureDistance(shared / "data" / "vgg19_conv3_4.npz")


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(2, 2, 1)


@pytest.mark.parametrize(
    ("second", "texture", "structure"),
    [
        # of 1 2 3 4: mean 2.5, variance 1.25
        ((1, 2, 3, 4), 1, 1),
        ((2, 4, 6, 8), 2 * 2.5 * 5 / (6.25 + 25), 2 * 2.5 / (1.25 + 5)),
        ((4, 3, 2, 1), 1, -1),
        ((3, 4, 5, 6), 2 * 2.5 * 4.5 / (6.25 + 20.25), 1),
        ((2, 1, 4, 3), 1, 2 * 0.75 / 2.5),
        ((0, 0, 0, 0), 0, 0),
    ],
)
def test_the_two_similarities_by_hand(second, texture, structure):
    found = texture_and_structure(column(1, 2, 3, 4), column(*second))
    np.testing.assert_allclose(np.concatenate(found), [texture, structure], atol=2e-6)


def test_the_constants_decide_where_there_is_nothing():
    nothing, little = column(0, 0, 0, 0), column(1e-3, 1e-3, -1e-3, -1e-3)
    np.testing.assert_array_equal(np.concatenate(texture_and_structure(nothing, nothing)), 1)
    # A variance of 1e-6 beside c2 of 1e-6, and none beside it.
    texture, structure = texture_and_structure(little, nothing)
    np.testing.assert_allclose([*texture, *structure], [1, 1 / 2], rtol=1e-6)


def test_maps_are_compared_each_by_itself():
    random = np.random.default_rng(1)
    first, second = random.gamma(2, 30, (2, 21, 17, 5)).astype(np.float32)
    texture, structure = texture_and_structure(first, second)
    for channel in range(5):
        x, y = (maps[..., channel].ravel().astype(float) for maps in (first, second))
        (xx, xy), (_, yy) = np.cov(x, y, bias=True)
        expected = (2 * x.mean() * y.mean() + 1e-6) / (x.mean() ** 2 + y.mean() ** 2 + 1e-6)
        assert texture[channel] == pytest.approx(expected, rel=1e-6)
        assert structure[channel] == pytest.approx((2 * xy + 1e-6) / (xx + yy + 1e-6), rel=1e-4)


@given(seed=st.integers(0, 2**32 - 1), size=st.tuples(*[st.integers(1, 9)] * 2))
@settings(max_examples=25, deadline=None)
def test_pooling_is_the_root_of_a_hann_mean_of_squares(seed, size):
    maps = np.random.default_rng(seed).normal(0, 9, (*size, 2)).astype(np.float32)
    hann = signal.windows.hann(5)[1:-1]
    window = np.outer(hann, hann) / hann.sum() ** 2
    for channel in range(2):
        squares = maps[..., channel].astype(float) ** 2
        expected = np.sqrt(ndimage.correlate(squares, window, mode="constant"))[::2, ::2]
        np.testing.assert_allclose(l2_pooling(maps)[..., channel], expected, rtol=1e-5)


@given(seed=st.integers(0, 2**32 - 1), size=st.tuples(*[st.integers(1, 9)] * 2))
@settings(max_examples=25, deadline=None)
def test_the_convolution_is_scipys(seed, size):
    random = np.random.default_rng(seed)
    maps = random.normal(0, 9, (*size, 3)).astype(np.float32)
    kernel = random.normal(0, 1, (3, 3, 3, 2)).astype(np.float32)
    bias = random.normal(0, 5, 2).astype(np.float32)
    found = convolve_and_rectify(maps, kernel, bias)
    for output in range(2):
        sums = [
            ndimage.correlate(maps[..., i].astype(float), kernel[..., i, output], mode="constant")
            for i in range(3)
        ]
        expected = np.maximum(sum(sums) + bias[output], 0)
        np.testing.assert_allclose(found[..., output], expected, rtol=1e-4, atol=1e-3)


def test_few_rows_at_a_time(monkeypatch):
    random = np.random.default_rng(3)
    maps = random.normal(0, 9, (37, 11, 4)).astype(np.float32)
    kernel, bias = random.normal(0, 1, (3, 3, 4, 5)).astype(np.float32), np.zeros(5, np.float32)
    whole = convolve_and_rectify(maps, kernel, bias)
    monkeypatch.setattr("evaluation.metrics.structure_texture._PATCH_VALUES", 5 * 11 * 9 * 4)
    np.testing.assert_allclose(
        convolve_and_rectify(maps, kernel, bias), whole, rtol=1e-5, atol=1e-4
    )


def test_the_network_is_vgg19(weights, draw_photo):
    """Up to its first pooling, where DISTS departs from it: by TensorFlow."""
    import tensorflow as tf

    image = draw_photo(20, 28, 4)
    arrays = np.load(weights)
    # As keras.applications prepares an image of Caffe's networks.
    x = image[None, ..., ::-1].astype(np.float32) - [103.939, 116.779, 123.68]
    for name in ("block1_conv1", "block1_conv2"):
        linear = tf.nn.conv2d(x.astype(np.float32), arrays[f"{name}_kernel"], 1, "SAME").numpy()
        x = np.maximum(linear + arrays[f"{name}_bias"], 0)
    maps = list(StructureTextureDistance(weights).maps(image))
    np.testing.assert_allclose(maps[1], x[0], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(maps[0], image / 255, rtol=1e-6)
    assert COMPARED == ("block1_conv2", "block2_conv2", "block3_conv4")
    sizes = [one.shape for one in maps]
    assert sizes == [(20, 28, 3), (20, 28, 64), (10, 14, 128), (5, 7, 256)]


def test_each_map_counts_the_same(weights, draw_photo):
    first, second = draw_photo(24, 20, 5), draw_photo(24, 20, 6)
    distance = StructureTextureDistance(weights)
    similarities = [
        (texture + structure) / 2
        for one, two in zip(distance.maps(first), distance.maps(second), strict=True)
        for texture, structure in [texture_and_structure(one, two)]
    ]
    assert [len(each) for each in similarities] == [3, 64, 128, 256]
    expected = 1 - sum(each.sum() for each in similarities) / 451
    assert distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert distance(second, first) == pytest.approx(expected, rel=1e-6)


def test_equal_images_have_no_distance(real, draw_photo):
    image = draw_photo(40, 36, 7)
    assert real(image, image) == pytest.approx(0, abs=1e-9)
    assert real(np.zeros_like(image), np.zeros_like(image)) == pytest.approx(0, abs=1e-9)


def test_texture_elsewhere_is_nearer_than_no_texture(real):
    """As the paper of DISTS has it: another piece of a texture looks right, a blurred one wrong.

    PSNR says the opposite.
    """
    random = np.random.default_rng(8)
    field = ndimage.gaussian_filter(random.normal(0, 1, (160, 160, 3)), (1, 1, 0))
    field = np.clip(128 + 40 * field / field.std(), 0, 255).astype(np.uint8)
    image, elsewhere = field[:64, :64], field[90:154, 90:154]
    blurred = ndimage.gaussian_filter(image, (3, 3, 0))
    assert np.mean((image - elsewhere.astype(float)) ** 2) > np.mean(
        (image - blurred.astype(float)) ** 2
    )
    assert real(image, elsewhere) < real(image, blurred)


def test_more_damage_is_a_larger_distance(real, draw_photo):
    image = draw_photo(64, 72, 9)
    blurred = [real(image, ndimage.gaussian_filter(image, (s, s, 0))) for s in (0.5, 1, 2, 4)]
    noise = np.random.default_rng(10).normal(0, 1, image.shape)
    noisy = [real(image, np.clip(image + s * noise, 0, 255).astype(np.uint8)) for s in (2, 8, 32)]
    for distances in (blurred, noisy):
        assert distances == sorted(distances) and distances[0] > 0


def test_images_that_cannot_be_compared(weights):
    distance = StructureTextureDistance(weights)
    small = np.zeros((15, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="16x16 pixels, the image has 64x15"):
        distance(small, small)
    with pytest.raises(ValueError, match="cannot be compared"):
        distance(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 36, 3), np.uint8))
    smallest = np.zeros((16, 16, 3), np.uint8)
    assert distance(smallest, smallest) == 0


def test_weights_that_end_too_early(vgg_file):
    with pytest.raises(DataError, match="lacks vgg19 layer"):
        StructureTextureDistance(vgg_file)


def test_a_reference_is_computed_once_for_its_versions(weights, draw_photo, monkeypatch):
    first, second, other = (draw_photo(24, 20, seed) for seed in (5, 6, 7))
    fresh = [StructureTextureDistance(weights)(first, x) for x in (second, other)]
    fresh.append(StructureTextureDistance(weights)(other, second))
    distance = StructureTextureDistance(weights)
    seen = []
    compute = distance.maps
    monkeypatch.setattr(distance, "maps", lambda image: seen.append(0) or compute(image))
    again = first.copy()
    found = [distance(again, second)]
    again[:] = 0  # a caller may use its memory for something else
    found += [distance(first, other), distance(other, second)]
    assert found == fresh
    assert len(seen) == 5
