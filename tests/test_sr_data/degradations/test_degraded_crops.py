import dataclasses
import threading

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sr_data.decoded_photos import DecodedPhotos
from sr_data.degradations.degraded_crops import MARGIN, cut_degraded, degrade, to_and_fro
from sr_data.degradations.photo_degradation import (
    Blur,
    DrawnDegradation,
    Jpeg,
    Noise,
    PhotoDegradation,
    Resize,
    draw_degradation,
)
from sr_data.patches import PatchDataset, degradation_rng
from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import from_signed

PHOTO = PhotoDegradation()
ALWAYS = PhotoDegradation(clean_share=0.0)
# What does nothing at random: a whole image can be degraded as its crops are.
LINEAR = PhotoDegradation(
    clean_share=0, blur_share=0.7, noise_share=0, jpeg_share=0, resize_share=0, blur=(0.2, 1.0)
)


class Arrays:
    """A source in memory."""

    def __init__(self, *images):
        self.images = images
        self.names = tuple(f"image{index}" for index in range(len(images)))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


def photo(height=160, width=200, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


def dataset(*images, **options):
    options = {"crop_size": 32, "batch_size": 12, "steps_per_epoch": 6, **options}
    return PatchDataset(Arrays(*images), **options)


def assert_same_batch(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# No part moves LR against HR.

PARTS = {
    "round blur": {"blur": Blur(0.6, 0.6, 0.0)},
    "stretched blur": {"blur": Blur(0.9, 0.2, 0.7)},
    "area": {"kernel": "area"},
    "bilinear": {"kernel": "bilinear"},
    "blur and bicubic": {"blur": Blur(0.3, 0.3, 0.0), "kernel": "bicubic"},
    "smaller, plain": {"resize": Resize(0.63, False, False)},
    "smaller, cubic": {"resize": Resize(0.71, True, True)},
    "larger, plain": {"resize": Resize(1.27, False, False)},
    "larger, cubic": {"resize": Resize(1.4, True, True)},
    "JPEG": {"jpegs": (Jpeg(85, True, (5, 11)), Jpeg(85, False, (3, 2)))},
}


def shift_between(image, other):
    """Rows and columns by which `other` lies further down and right, by least squares."""
    image, other = (one.astype(np.float64).mean(-1) for one in (image, other))
    down, right = np.gradient(image)
    inner = np.s_[4:-4, 4:-4]
    gradients = np.stack([-down[inner].ravel(), -right[inner].ravel(), image[inner].ravel()], 1)
    gradients = np.column_stack([gradients, np.ones(len(gradients))])
    return np.linalg.lstsq(gradients, other[inner].ravel(), rcond=None)[0][:2]


def test_shift_between_finds_shifts():
    image = cv2.GaussianBlur(photo().astype(np.float32), (0, 0), 6)
    moved = cv2.warpAffine(image, np.array([[1, 0, 0.25], [0, 1, -0.5]]), image.shape[1::-1])
    np.testing.assert_allclose(shift_between(image, moved), [-0.5, 0.25], atol=0.03)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_lr_stays_where_it_is(part):
    found = []
    for seed in range(4):
        hr = np.asarray(cv2.GaussianBlur(photo(320, 400, seed), (0, 0), 5), np.float32)
        hr = np.clip((hr - 128) * 4 + 128, 0, 255).astype(np.uint8)
        lr = bicubic_downscale(hr)
        degraded = degrade(hr, lr, DrawnDegradation(**part), np.random.default_rng(0))
        assert degraded.shape == lr.shape and degraded.dtype == np.uint8
        assert np.any(degraded != lr)
        found.append(shift_between(lr, degraded))
    assert np.abs(np.mean(found, 0)).max() < 0.03


@pytest.mark.parametrize("part", [name for name in PARTS if name != "JPEG"])
def test_a_spot_stays_in_its_place(part):
    """The centre of light of a spot, in LR pixels, is where the spot is in HR."""
    rows, columns = np.mgrid[:128, :128]
    for row, column in ((64.0, 61.5), (57.3, 66.1)):
        spot = 230 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 6.0**2))
        hr = np.rint(spot)[..., None].repeat(3, 2).astype(np.uint8)
        drawn = DrawnDegradation(**PARTS[part])
        degraded = degrade(hr, bicubic_downscale(hr), drawn, np.random.default_rng(0))
        light = degraded[..., 1].astype(float)
        centre = [(np.indices(light.shape)[axis] * light).sum() / light.sum() for axis in (0, 1)]
        np.testing.assert_allclose(centre, [(row - 1.5) / 4, (column - 1.5) / 4], atol=0.04)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0.5, 2),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
)
def test_to_and_fro_is_centred(height, width, factor, cubic, cubic_back, seed):
    image = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    resize = Resize(factor, cubic, cubic_back)
    found = to_and_fro(image, resize)
    assert found.shape == image.shape and found.dtype == np.float32
    for axis in (0, 1):
        mirrored = np.flip(to_and_fro(np.ascontiguousarray(np.flip(image, axis)), resize), axis)
        np.testing.assert_allclose(mirrored, found, atol=0.05)


# What `degrade` computes.


def test_what_is_not_asked_for_is_not_done():
    hr = photo()
    lr = bicubic_downscale(hr)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(degrade(hr, lr, DrawnDegradation(), rng), lr)
    assert rng.random() == np.random.default_rng(0).random()


def test_the_order_and_the_one_rounding():
    """Area, then noise, then rounding half up, by hand on flat grey of 100.5."""
    hr = np.full((64, 64, 3), 100, np.uint8)
    hr[::2] = 101
    lr = bicubic_downscale(hr)
    area = degrade(hr, lr, DrawnDegradation(kernel="area"), np.random.default_rng(0))
    assert (area == 101).all()
    noise = Noise(0.2, 3.0, None, 0.0)
    drawn = DrawnDegradation(kernel="area", noise=noise)
    noisy = degrade(hr, lr, drawn, np.random.default_rng(1)).astype(float)
    values = np.random.default_rng(1).standard_normal((16, 16, 3), np.float32)
    expected = np.floor(100.5 + values * np.sqrt(0.2 * 100.5 + 9) + 0.5)
    assert (noisy != expected).mean() < 0.01  # float32 may fall on the other side of a half
    assert np.abs(noisy - expected).max() <= 1


def test_values_stay_in_range():
    hr = np.zeros((64, 64, 3), np.uint8)
    hr[:, 20:40] = 255
    noise = Noise(0.5, 20.0, (0, 1), 0.3)
    drawn = DrawnDegradation(Blur(0.2, 0.2, 0), "bicubic", Resize(0.7, True, True), noise)
    found = degrade(hr, bicubic_downscale(hr), drawn, np.random.default_rng(0))
    # a wrap-around would put black beside white in the middle of the bar
    assert found[:, 7:8].min() > 100 and found[:, :3].max() < 155


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_blur_is_measured_in_lr_pixels(scale):
    """The edge's width in LR is the same at every scale."""
    hr = np.zeros((40 * scale, 40 * scale, 3), np.uint8)
    hr[:, 20 * scale :] = 250
    drawn = DrawnDegradation(blur=Blur(1.0, 1.0, 0.0), kernel="area")
    found = degrade(hr, bicubic_downscale(hr, scale), drawn, np.random.default_rng(0))
    slope = np.diff(found[20, :, 0].astype(float))
    places = np.arange(len(slope)) + 0.5
    mean = (slope * places).sum() / slope.sum()
    variance = (slope * (places - mean) ** 2).sum() / slope.sum()
    assert mean == pytest.approx(19.0 + 0.5, abs=0.02)
    assert variance**0.5 == pytest.approx(1.0, abs=0.07)


# Crops.


def places_of(crops, side):
    for image, top, left, rows, columns in crops.fields(side).tolist():
        for row in {0, 1, rows // 2, rows - 1}:
            for column in {0, columns // 2, columns - 1}:
                yield image, top + min(row, rows - 1), left + min(column, columns - 1), side


def test_a_crop_is_that_of_the_whole_image_degraded():
    """The context is large enough for blur and reduction, at the image's edge as well."""
    hr = photo(136, 180)
    crops = DecodedPhotos(Arrays(hr), 32, 4, 2**30)
    assert crops.size(0) == (34, 45)
    for number, place in enumerate(places_of(crops, 8)):
        found_hr, found_lr = cut_degraded(crops, place, LINEAR, np.random.default_rng(number))
        drawn = draw_degradation(LINEAR, np.random.default_rng(number))
        assert drawn is not None
        whole = degrade(hr, bicubic_downscale(hr), drawn, np.random.default_rng(0))
        _, row, column, side = place
        expected = whole[row : row + side, column : column + side].astype(int)
        # OpenCV sums in another order where an array has another size
        assert np.abs(found_lr - expected).max() <= 1
        assert (found_lr != expected).mean() < 0.01
        np.testing.assert_array_equal(found_hr, crops.cut(*place)[0])


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (40, 36), (44, 300), (96, 96)])
def test_small_images(size):
    """A window that is larger than the image is the image."""
    crops = DecodedPhotos(Arrays(photo(*size)), 32, 4, 2**30)
    for number, place in enumerate(places_of(crops, 8)):
        rng = np.random.default_rng(number)
        hr, lr = cut_degraded(crops, place, ALWAYS, rng)
        clean_hr, clean_lr = crops.cut(*place)
        assert lr.shape == (8, 8, 3) and lr.dtype == np.uint8
        np.testing.assert_array_equal(hr, clean_hr)
        assert abs(lr.astype(float).mean() - clean_lr.mean()) < 12


def test_the_context_is_what_lies_around():
    """A crop beside something bright gets its blur; without context it would not."""
    hr = np.zeros((160, 160, 3), np.uint8)
    hr[:, 80:] = 250
    crops = DecodedPhotos(Arrays(hr), 32, 4, 2**30)
    settings = PhotoDegradation(
        clean_share=0.0,
        blur_share=1.0,
        stretched_share=0.0,
        blur=(1.0, 1.0),
        resize_share=0.0,
        noise_share=0.0,
        jpeg_share=0.0,
    )
    _, lr = cut_degraded(crops, (0, 10, 12, 8), settings, np.random.default_rng(0))
    assert MARGIN >= 4 and (lr[:, -1] > 50).all() and (lr[:, 0] == 0).all()


# Batches.


def test_clean_crops_and_hr_are_those_of_bicubic():
    images = photo(120, 80), photo(64, 200, 1)
    options = {"rotations": True, "seed": 5, "batch_size": 16}
    plain, degraded = dataset(*images, **options), dataset(*images, degradation=PHOTO, **options)
    clean = 0
    for index in range(6):
        (lr, hr), (other_lr, other_hr) = plain[index], degraded[index]
        np.testing.assert_array_equal(hr, other_hr)
        for number in range(16):
            drawn = draw_degradation(PHOTO, degradation_rng(5, 0, index, number))
            same = np.array_equal(lr[number], other_lr[number])
            assert same or drawn is not None
            clean += drawn is None
            assert drawn is None or same == (drawn == DrawnDegradation())
    assert 5 < clean < 30  # 14 expected
    all_clean = dataset(*images, degradation=PhotoDegradation(clean_share=1.0), **options)
    for index in range(6):
        assert_same_batch(all_clean[index], plain[index])


def test_a_batch_depends_on_seed_epoch_and_index_alone():
    """A run that resumes at an epoch sees what it would have seen."""
    image = photo()
    one = dataset(image, seed=3, epoch=2, degradation=PHOTO)
    other = dataset(image, seed=3, degradation=PHOTO)
    other[1]
    other.epoch = 2
    expected = [one[index] for index in range(6)]
    for index in (4, 1, 1, 3, 0, 5, 2):
        assert_same_batch(other[index], expected[index])
    results = {}
    threads = [
        threading.Thread(target=lambda index=index: results.update({index: one[index]}))
        for index in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(6):
        assert_same_batch(results[index], expected[index])


def test_every_crop_has_draws_of_its_own():
    """The same place of the same picture, again and again: the picture has one place."""
    noisy = dataclasses.replace(ALWAYS, noise_share=1.0)
    data = dataset(photo(32, 32), flips=False, degradation=noisy)
    other = dataset(photo(32, 32), flips=False, degradation=noisy, epoch=1)
    crops = [
        crop.tobytes() for index in range(6) for one in (data, other) for crop in one[index][0]
    ]
    assert len(set(crops)) > 0.95 * len(crops)


def test_shares_of_a_batch_are_the_batch():
    image = photo()
    whole = dataset(image, degradation=PHOTO, seed=1)[4]
    parts = [dataset(image, degradation=PHOTO, seed=1, share=(one, 3))[4] for one in range(3)]
    assert_same_batch(tuple(np.concatenate(part) for part in zip(*parts, strict=True)), whole)


def test_symmetries_turn_both():
    """LR is turned as HR is: of all 8 symmetries of HR, it is most like HR itself."""
    data = dataset(photo(64, 64), crop_size=64, rotations=True, degradation=ALWAYS)
    for lr, hr in zip(*map(from_signed, data[0]), strict=True):
        errors = [
            np.abs(bicubic_downscale(np.rot90(hr[:, ::mirrored], turns)).astype(float) - lr).mean()
            for mirrored in (1, -1)
            for turns in range(4)
        ]
        assert errors[0] == min(errors)


@pytest.fixture(scope="module")
def prepared(noise_photos, tmp_path_factory):
    pytest.importorskip("array_record")
    folder = tmp_path_factory.mktemp("prepared") / "set"
    prepare(f"folder:{noise_photos}", folder, TileSettings(tile=16, shard_size=2), workers=1)
    return PreparedSource(folder)


def test_a_prepared_set_gives_the_same_batches(noise_photos, prepared):
    options = {"crop_size": 16, "steps_per_epoch": 6, "seed": 5, "degradation": PHOTO}
    photos = FolderSource(noise_photos)
    from_photos, from_tiles = PatchDataset(photos, **options), PatchDataset(prepared, **options)
    decoded = DecodedPhotos(photos, 16, 4, 2**30)
    assert [prepared.size(one) for one in range(5)] == [decoded.size(one) for one in range(5)]
    for epoch, index in [(0, 5), (1, 0), (0, 2)]:
        from_photos.epoch = from_tiles.epoch = epoch
        assert_same_batch(from_tiles[index], from_photos[index])


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 30), st.integers(4, 30), st.integers(1, 6), st.integers(2, 4))
def test_any_sizes(rows, columns, side, scale):
    side = min(side, rows, columns)
    image = photo(rows * scale, columns * scale)
    options = {"crop_size": side * scale, "scale": scale, "batch_size": 6, "steps_per_epoch": 2}
    lr, hr = dataset(image, degradation=ALWAYS, **options)[1]
    assert lr.shape == (6, side, side, 3) and np.abs(lr).max() <= 1
    np.testing.assert_array_equal(hr, dataset(image, **options)[1][1])
