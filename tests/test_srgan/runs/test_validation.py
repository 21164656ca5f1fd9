import keras
import numpy as np
import pytest

from sr_images.bicubic import bicubic_upscale
from sr_images.fidelity import psnr, ssim
from sr_images.image_io import read_rgb
from sr_images.luma import rgb_to_y
from srgan.layers.bicubic_skip import BicubicUpsampling
from srgan.layers.receptive_field import receptive_field
from srgan.runs import validation
from srgan.runs.validation import score, spans, super_resolve, validate


def nearest(offset: float = 0.0, slope: float = 1.0):
    """A generator that repeats pixels, in [-1, 1]; `offset` is in grey levels."""

    def generator(lr):
        assert lr.dtype == np.float32 and lr.min() >= -1 and lr.max() <= 1
        large = np.repeat(np.repeat(lr, 4, axis=1), 4, axis=2)
        return keras.ops.convert_to_tensor(large * np.float32(slope) + offset / 127.5)

    return generator


@pytest.fixture
def pairs(photo_dir):
    found = []
    for number in (0, 1):
        hr = read_rgb(photo_dir / f"{number}.png")
        found.append((str(number), hr, hr[1::4, 2::4]))
    return found


def test_scores_are_the_means_of_the_images_on_y(pairs):
    scores = []
    for _, hr, lr in pairs:
        sr = np.repeat(np.repeat(lr, 4, axis=0), 4, axis=1)
        y, y_hr = (rgb_to_y(image)[6:-6, 6:-6] for image in (sr, hr))
        scores.append((psnr(y_hr, y, data_range=255), ssim(y_hr, y, data_range=255)))
    expected = np.mean(scores, axis=0)
    found, _ = validate(nearest(), pairs)
    assert found == pytest.approx({"psnr": expected[0], "ssim": expected[1]}, rel=1e-12)
    assert all(type(value) is float for value in found.values())
    assert scores[0] != pytest.approx(scores[1])


def test_the_luma_weights_count():
    """25 grey levels too much in one channel: the Y error is that of BT.601's weight."""
    hr = np.full((40, 40, 3), 100, np.uint8)
    for channel, weight in enumerate((65.481, 128.553, 24.966)):
        lr = np.full((10, 10, 3), 100, np.uint8)
        lr[..., channel] += 25
        error = round(16 + (sum((65.481, 128.553, 24.966)) * 100 + weight * 25) / 255) - round(
            16 + sum((65.481, 128.553, 24.966)) * 100 / 255
        )
        found, _ = validate(nearest(), [("gray", hr, lr)])
        assert found["psnr"] == pytest.approx(20 * np.log10(255 / error))


def test_six_border_pixels_do_not_count(pairs):
    _, hr, _ = pairs[0]
    lr = np.ascontiguousarray(hr[::4, ::4])
    exact = np.repeat(np.repeat(lr, 4, axis=0), 4, axis=1)
    for ring, counts in ((5, False), (6, True)):
        spoiled = exact.copy()
        spoiled[ring, 10:20] ^= 128
        found, _ = validate(nearest(), [("x", spoiled, lr)])
        assert np.isfinite(found["psnr"]) == counts
        assert (found["ssim"] < 1) == counts


def test_super_resolve_gives_uint8_of_four_times_the_size():
    lr = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)
    sr = super_resolve(nearest(), lr)
    assert sr.dtype == np.uint8 and sr.shape == (20, 12, 3)
    np.testing.assert_array_equal(sr[::4, ::4], lr)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0.4, [0, 1, 128, 254, 255]),
        (0.6, [1, 2, 129, 255, 255]),
        (-0.4, [0, 1, 128, 254, 255]),
        (-0.6, [0, 0, 127, 253, 254]),
        (300, [255] * 5),
        (-300, [0] * 5),
    ],
)
def test_super_resolve_rounds_and_clips(offset, expected):
    lr = np.array([0, 1, 128, 254, 255], np.uint8)[None, :, None].repeat(3, axis=2)
    np.testing.assert_array_equal(super_resolve(nearest(offset), lr)[0, ::4, 0], expected)


def test_super_resolve_rounds_halves_up():
    # (v + 1) · 127.5 is an exact half for these values of [-1, 1]
    def generator(lr):
        halves = np.array([0.5, 1.5, 2.5, 126.5, 127.5, 254.5], np.float64) / 127.5 - 1
        values = halves.astype(np.float32)
        keep = (values + np.float32(1)) * np.float32(127.5) % 1 == 0.5
        assert np.any(keep)
        return np.where(keep, values, 0)[None, None, :, None].repeat(3, axis=-1)

    sr = super_resolve(generator, np.zeros((1, 1, 3), np.uint8))
    signed = generator(None)[0, ..., 0]
    expected = np.floor((signed + np.float32(1)) * np.float32(127.5) + 0.5)
    np.testing.assert_array_equal(sr[..., 0], expected)


def test_a_keras_generator(pairs):
    lr = keras.Input((None, None, 3))
    model = keras.Model(lr, keras.layers.UpSampling2D(4)(lr))
    expected, _ = validate(nearest(), pairs)
    assert validate(model, pairs)[0] == pytest.approx(expected)


def test_strips_show_the_middle_of_bicubic_sr_and_hr():
    rng = np.random.default_rng(1)
    lr = rng.integers(0, 256, (60, 40, 3), np.uint8)
    hr = rng.integers(0, 256, (240, 160, 3), np.uint8)
    _, strips = validate(nearest(), [(str(number), hr, lr) for number in range(6)])
    assert list(strips) == ["0", "1", "2", "3"]
    strip = strips["0"]
    assert strip.shape == (192, 3 * 160, 3) and strip.dtype == np.uint8
    np.testing.assert_array_equal(strip[:, :160], bicubic_upscale(lr)[24:216])
    np.testing.assert_array_equal(strip[:, 160:320], lr.repeat(4, 0).repeat(4, 1)[24:216])
    np.testing.assert_array_equal(strip[:, 320:], hr[24:216])


# Large images.


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Random kernels whose result at a pixel depends on all that it may; reach 2 + 2 = 4."""
    keras.utils.set_random_seed(3)
    lr = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 5, padding="same", activation="relu", use_bias=True)(lr)
    x = keras.layers.Conv2D(3, 5, padding="same", kernel_initializer="he_normal")(x)
    network = keras.Model(lr, BicubicUpsampling(4)(x))
    assert receptive_field(network) == 6
    return network


@pytest.mark.parametrize("shape", [(40, 70), (23, 90), (64, 24), (25, 25)])
def test_tiles_give_what_the_whole_gives(network, monkeypatch, shape):
    monkeypatch.setattr(validation, "LARGEST", 24 * 24)
    lr = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    sizes = set()

    def enlarge(image):
        sizes.add(image.shape[1:3])
        return network(image)

    whole = super_resolve(network, lr).astype(int)
    tiled = super_resolve(enlarge, lr, reach=6)
    # Another choice of convolution kernels may move a value that lies on a half.
    assert np.abs(whole - tiled).max() <= 1 and np.mean(whole != tiled) < 1e-3
    assert sizes == {tuple(min(size, 24) for size in shape)}
    # One pixel less of a margin is seen.
    assert np.any(np.abs(whole - super_resolve(network, lr, reach=3)) > 1)
    sizes.clear()
    assert np.all(super_resolve(enlarge, lr) - whole == 0) and sizes == {shape}


@pytest.mark.parametrize(
    ("size", "side", "reach"), [(10, 10, 3), (11, 10, 3), (97, 16, 4), (5, 9, 1)]
)
def test_spans_cover_each_pixel_once_with_its_margin(size, side, reach):
    covered = np.zeros(size, int)
    for span in spans(size, side, reach):
        covered[span.first : span.last] += 1
        assert span.stop - span.start == min(size, side)
        assert span.start == 0 or span.first - span.start >= reach
        assert span.stop == size or span.stop - span.last >= reach
    assert np.all(covered == 1)


@pytest.mark.parametrize("shape", [(61, 40), (45, 90), (23, 23)])
def test_bands_give_the_scores_of_the_whole(monkeypatch, shape):
    random = np.random.default_rng(2)
    hr = random.integers(0, 256, (*shape, 3), np.uint8)
    sr = np.clip(hr + random.normal(0, 9, hr.shape), 0, 255).astype(np.uint8)
    y, y_hr = rgb_to_y(sr), rgb_to_y(hr)
    expected = [f(y_hr, y, data_range=255, border=6) for f in (psnr, ssim)]
    calls = []

    def counted(*arguments, **options):
        calls.append(1)
        return ssim(*arguments, **options)

    monkeypatch.setattr(validation, "ssim", counted)
    assert score(hr, sr) == pytest.approx(expected, rel=1e-12) and len(calls) == 1
    monkeypatch.setattr(validation, "BAND", 1)
    assert score(hr, sr) == pytest.approx(expected, rel=1e-12)
    assert len(calls) > 2 or shape == (23, 23)


def test_the_memory_of_a_large_photo_is_bounded():
    """Of DIV2K's size and four times that: what is computed at once does not grow."""
    largest = []

    def enlarge(image):
        largest.append(image.shape[1] * image.shape[2])
        return np.repeat(np.repeat(image, 4, axis=1), 4, axis=2)

    for height, width in ((339, 510), (678, 1020)):
        lr = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        sr = super_resolve(enlarge, lr, reach=60)
        np.testing.assert_array_equal(sr[::4, ::4], lr)
    assert max(largest) <= validation.LARGEST
