import itertools
import logging
import subprocess
import sys
import threading
from collections import Counter

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from sr_data.patches import PatchDataset
from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import from_signed, read_rgb, write_rgb
from sr_program.errors import DataError


class Arrays:
    """A source in memory."""

    def __init__(self, *images):
        self.images = images
        self.names = tuple(f"image{index}" for index in range(len(images)))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def dataset(*images, **options):
    options = {"crop_size": 16, "batch_size": 8, "steps_per_epoch": 5, **options}
    return PatchDataset(Arrays(*images), **options)


def assert_same_batch(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def positions(hr, crop_size=16, scale=4):
    """All crops on the LR grid: (row, column) in LR pixels -> HR crop."""
    rows, columns = ((size // scale * scale - crop_size) // scale + 1 for size in hr.shape[:2])
    return {
        (row, column): hr[scale * row :, scale * column :][:crop_size, :crop_size]
        for row in range(rows)
        for column in range(columns)
    }


def whereabouts(hr_patch, hr):
    """Where a crop was cut from; noise makes it unique."""
    found = [place for place, crop in positions(hr).items() if np.array_equal(crop, hr_patch)]
    assert len(found) == 1
    return found[0]


def test_shapes_dtype_and_range():
    data = PatchDataset(Arrays(noise(120, 100)), steps_per_epoch=3)
    assert len(data) == 3
    lr, hr = data[0]
    assert lr.shape == (16, 24, 24, 3) and hr.shape == (16, 96, 96, 3)
    assert lr.dtype == hr.dtype == np.float32
    assert hr.min() == -1 and hr.max() == 1
    assert lr.min() >= -1 and lr.max() <= 1


def test_a_batch_depends_on_seed_epoch_and_index_alone():
    images = noise(40, 50), noise(60, 30, 1)
    one, other = dataset(*images, seed=3, epoch=2), dataset(*images, seed=3)
    other.epoch = 2
    expected = [one[index] for index in range(5)]
    for index in (4, 1, 1, 3, 0, 2):  # in any order
        assert_same_batch(other[index], expected[index])
    batches = [lr.tobytes() for lr, _ in expected]
    for changed in (dataset(*images, seed=4, epoch=2), dataset(*images, seed=3, epoch=3)):
        batches += [changed[index][0].tobytes() for index in range(5)]
    assert len(set(batches)) == 15


def test_the_end_of_an_epoch_moves_to_the_next_one():
    data = dataset(noise(40, 50), epoch=6)
    data.on_epoch_end()  # no epoch has begun
    assert data.epoch == 6
    data.on_epoch_begin()
    data.on_epoch_end()
    data.on_epoch_end()
    assert data.epoch == 7
    assert_same_batch(data[1], dataset(noise(40, 50), epoch=7)[1])


def test_threads_see_the_same_batches():
    data = dataset(noise(40, 50), noise(60, 30, 1))
    expected = [data[index] for index in range(5)]
    results = {}
    threads = [
        threading.Thread(target=lambda index=index: results.update({index: data[index]}))
        for index in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(5):
        assert_same_batch(results[index], expected[index])


def test_lr_is_cut_from_the_whole_image_degraded():
    """Crops at the image's edge and inside alike; the image is cropped to a multiple of 4 first."""
    image = noise(43, 38)
    whole_lr = bicubic_downscale(image[:40, :36])
    data = dataset(image, flips=False, batch_size=60)
    places = set()
    for lr, hr in (data[index] for index in range(5)):
        for lr_patch, hr_patch in zip(from_signed(lr), from_signed(hr), strict=True):
            row, column = whereabouts(hr_patch, image)
            places.add((row, column))
            np.testing.assert_array_equal(lr_patch, whole_lr[row : row + 4, column : column + 4])
    assert places == set(itertools.product(range(7), range(6)))


def test_every_position_of_every_image_is_equally_likely():
    images = noise(16, 16), noise(20, 24, 1)  # 1 and 2 x 3 positions
    data = dataset(*images, flips=False, batch_size=1000, steps_per_epoch=7)
    keys = {
        crop.tobytes(): (index, place)
        for index, image in enumerate(images)
        for place, crop in positions(image).items()
    }
    assert len(keys) == 7
    counts = Counter(
        keys[patch.tobytes()] for index in range(7) for patch in from_signed(data[index][1])
    )
    assert len(counts) == 7
    # 1000 expected, standard deviation 29
    assert all(850 < count < 1150 for count in counts.values())


def symmetries_seen(**options):
    """Which of the 8 symmetries (mirrored, quarter turns) happen; LR and HR must agree."""
    image = noise(16, 16)
    small = bicubic_downscale(image)
    variants = {
        (mirrored, turns): (
            np.rot90(image[:, ::-1] if mirrored else image, turns),
            np.rot90(small[:, ::-1] if mirrored else small, turns),
        )
        for mirrored in (False, True)
        for turns in range(4)
    }
    lr, hr = dataset(image, batch_size=200, **options)[0]
    seen = Counter()
    for lr_patch, hr_patch in zip(from_signed(lr), from_signed(hr), strict=True):
        (which,) = (key for key, (big, _) in variants.items() if np.array_equal(big, hr_patch))
        np.testing.assert_array_equal(lr_patch, variants[which][1])
        seen[which] += 1
    assert min(seen.values()) > 8  # 25 expected of each where there are 8
    return set(seen)


def test_symmetries():
    plain, mirrored = (False, 0), (True, 0)
    assert symmetries_seen(flips=False) == {plain}
    assert symmetries_seen() == {plain, mirrored}
    assert symmetries_seen(flips=False, rotations=True) == {(False, turn) for turn in range(4)}
    assert symmetries_seen(rotations=True) == set(itertools.product((False, True), range(4)))


def test_options_do_not_move_the_crops():
    image = noise(40, 50)
    plain, flipped = dataset(image, flips=False)[0][1], dataset(image)[0][1]
    for a, b in zip(plain, flipped, strict=True):
        assert np.array_equal(a, b) or np.array_equal(a[:, ::-1], b)


def test_other_scales():
    image = noise(40, 50)
    lr, hr = dataset(image, crop_size=12, scale=2, flips=False)[0]
    assert lr.shape == (8, 6, 6, 3) and hr.shape == (8, 12, 12, 3)
    crops = {crop.tobytes(): place for place, crop in positions(image, 12, 2).items()}
    row, column = crops[from_signed(hr)[0].tobytes()]
    whole_lr = bicubic_downscale(image, 2)
    np.testing.assert_array_equal(from_signed(lr)[0], whole_lr[row : row + 6, column : column + 6])


@pytest.fixture
def absl_log(caplog):
    logger = logging.getLogger("absl")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = True
    yield caplog
    logger.setLevel(level)
    logger.propagate = propagate


def test_unusable_images_are_skipped_and_named(tmp_path, absl_log):
    write_rgb(tmp_path / "good.png", noise(30, 20))
    write_rgb(tmp_path / "narrow.png", noise(30, 15))
    write_rgb(tmp_path / "low.png", noise(12, 40))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    good = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(good[: len(good) // 2])
    data = PatchDataset(FolderSource(tmp_path), crop_size=16, batch_size=2, steps_per_epoch=1)
    assert data.skipped_small == ["low.png", "narrow.png"]
    assert data.skipped_corrupt == ["broken.jpg", "cut.png"]
    corrupt, small = absl_log.messages
    assert corrupt == "skipped 2 images that cannot be read: broken.jpg, cut.png"
    assert small == "skipped 2 images with a side below 16 pixels: low.png, narrow.png"
    assert_same_batch(data[0], dataset(noise(30, 20), batch_size=2, steps_per_epoch=1)[0])


def test_long_lists_are_cut(absl_log):
    data = dataset(noise(16, 16), *[noise(8, 8)] * 12)
    assert len(data.skipped_small) == 12
    (line,) = absl_log.messages
    assert line.endswith("image9, image10 and 2 more")


def test_nothing_usable(tmp_path):
    write_rgb(tmp_path / "small.png", noise(10, 10))
    (tmp_path / "broken.png").write_bytes(b"")
    with pytest.raises(DataError, match="1 cannot be read, 1 are smaller than 16x16"):
        PatchDataset(FolderSource(tmp_path), crop_size=16, steps_per_epoch=1)


@pytest.mark.parametrize(
    "options",
    [
        {"crop_size": 18},
        {"crop_size": 0},
        {"batch_size": 0},
        {"steps_per_epoch": 0},
        {"seed": -1},
        {"epoch": -1},
        {"scale": 0},
    ],
)
def test_wrong_arguments(options):
    with pytest.raises(ValueError):
        dataset(noise(40, 40), **options)


def test_indices_outside_are_errors():
    data = dataset(noise(40, 40))
    for index in (-1, 5):
        with pytest.raises(IndexError):
            data[index]


def test_each_image_is_decoded_once():
    reads = []

    class Counting(Arrays):
        def __getitem__(self, index):
            reads.append(index)
            return super().__getitem__(index)

    data = PatchDataset(
        Counting(noise(40, 40), noise(20, 40)), crop_size=16, batch_size=4, steps_per_epoch=3
    )
    for index in range(3):
        data[index]
    assert sorted(reads) == [0, 1]


def test_fit_walks_through_the_epochs_in_order():
    """Keras fetches ahead, and ends an epoch before the first; a second `fit` is a resumed one."""
    asked, numbers = [], []

    class Recording(PatchDataset):
        def __getitem__(self, index):
            asked.append((self.epoch, index))
            return super().__getitem__(index)

    data = Recording(Arrays(noise(40, 40)), crop_size=16, batch_size=2, steps_per_epoch=3, epoch=4)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2DTranspose(3, 4, 4)])
    model.compile(loss="mse")
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: numbers.append(data.epoch))
    for epochs in (range(4, 6), range(6, 8)):
        model.fit(
            data,
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            callbacks=[count],
            verbose=0,
            shuffle=False,
        )
        assert asked[-6:] == [(epoch, index) for epoch in epochs for index in range(3)]
    assert numbers == [5, 6, 7, 8]  # what a checkpoint at the epoch's end stores


def test_a_set_that_does_not_fit_into_memory_is_refused():
    """At once, and with the command that makes it fit. 40 x 40 with its LR takes 5100 bytes."""
    read = []

    class Large(Arrays):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

        def __str__(self):
            return "folder:photos"

    source = Large(*[noise(40, 40)] * 500)
    fits = PatchDataset(source, crop_size=16, steps_per_epoch=1, memory_limit=500 * 5100)
    assert fits[0][0].shape == (16, 4, 4, 3)
    read.clear()
    with pytest.raises(DataError) as error:
        PatchDataset(source, crop_size=16, steps_per_epoch=1, memory_limit=3 * 5100)
    assert str(error.value) == (
        "folder:photos: is too large to be kept decoded in memory: 4 of 500 images take more than "
        "1.42e-05 GiB; cut them into a prepared set: python -m sr_data.prepare "
        "--data=folder:photos --output=DIR, and give --data=prepared:DIR"
    )
    assert len(read) < 500


@pytest.fixture(scope="module")
def prepared(noise_photos, tmp_path_factory):
    pytest.importorskip("array_record")
    folder = tmp_path_factory.mktemp("prepared") / "set"
    prepare(f"folder:{noise_photos}", folder, TileSettings(tile=16, shard_size=2), workers=1)
    return PreparedSource(folder)


@pytest.mark.parametrize("crop_size", [12, 16, 32])
def test_a_prepared_set_gives_the_same_batches(noise_photos, prepared, crop_size, absl_log):
    options = {"crop_size": crop_size, "steps_per_epoch": 6, "seed": 5, "rotations": True}
    from_photos = PatchDataset(FolderSource(noise_photos), **options)
    from_tiles = PatchDataset(prepared, **options)
    assert from_tiles.skipped_small == from_photos.skipped_small == ["3.png"] * (crop_size > 20)
    assert len(set(absl_log.messages)) == (crop_size > 20)
    for epoch, index in [(0, 5), (1, 0), (0, 2), (1, 5), (0, 2)]:
        from_photos.epoch = from_tiles.epoch = epoch
        assert_same_batch(from_tiles[index], from_photos[index])


def test_batches_of_a_prepared_set_are_cut_by_hand(noise_photos, prepared):
    """Crops drawn over all photos: each is found in its photo, with the LR of the whole photo."""
    data = PatchDataset(prepared, crop_size=16, batch_size=20, steps_per_epoch=3, flips=False)
    photos = [read_rgb(path) for path in sorted(noise_photos.iterdir())]
    seen = set()
    for lr, hr in (data[index] for index in range(3)):
        for lr_patch, hr_patch in zip(from_signed(lr), from_signed(hr), strict=True):
            (number, row, column), *others = [
                (number, *place)
                for number, photo in enumerate(photos)
                for place, crop in positions(photo).items()
                if np.array_equal(crop, hr_patch)
            ]
            assert not others
            seen.add(number)
            height, width = (size // 4 * 4 for size in photos[number].shape[:2])
            whole_lr = bicubic_downscale(photos[number][:height, :width])
            np.testing.assert_array_equal(lr_patch, whole_lr[row : row + 4, column : column + 4])
    assert seen == {0, 1, 2, 3, 4}


def test_threads_see_the_same_batches_of_a_prepared_set(prepared):
    data = PatchDataset(prepared, crop_size=16, batch_size=8, steps_per_epoch=8)
    expected = [data[index] for index in range(8)]
    results = {}
    threads = [
        threading.Thread(target=lambda index=index: results.update({index: data[index]}))
        for index in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        assert_same_batch(results[index], expected[index])


def test_a_prepared_set_has_one_scale(prepared):
    with pytest.raises(ValueError, match="has the scale 4, not 2"):
        PatchDataset(prepared, crop_size=16, steps_per_epoch=1, scale=2)


def test_nothing_usable_in_a_prepared_set(prepared, tmp_path):
    with pytest.raises(DataError, match="0 cannot be read, 5 are smaller than 200x200"):
        PatchDataset(prepared, crop_size=200, steps_per_epoch=1)
    (tmp_path / "sky").mkdir()
    write_rgb(tmp_path / "sky" / "a.png", np.full((40, 40, 3), 200, np.uint8))
    prepare(f"folder:{tmp_path / 'sky'}", tmp_path / "set", TileSettings(min_std=1), workers=1)
    with pytest.raises(DataError, match="all tiles are flat; prepare them with a smaller"):
        PatchDataset(PreparedSource(tmp_path / "set"), crop_size=16, steps_per_epoch=1)


MEMORY_OF_AN_EPOCH = """
import sys, psutil
from sr_data.patches import PatchDataset
from sr_data.sources import open_source
process = psutil.Process()
data = PatchDataset(open_source(sys.argv[1]), crop_size=96, steps_per_epoch=200)
sizes = []
for index in range(len(data)):
    data[index]
    sizes.append(process.memory_info().rss)
print(max(sizes) - max(sizes[:20]))
"""


def test_memory_is_flat_over_an_epoch(tmp_path, subprocess_environment):
    """200 batches read every tile of a set of 45 MB several times."""
    pytest.importorskip("array_record")
    (tmp_path / "photos").mkdir()
    photo = noise(1200, 1300)
    for number in range(9):
        Image.fromarray(np.roll(photo, 61 * number, axis=0)).save(
            tmp_path / "photos" / f"{number}.bmp"
        )
    settings = TileSettings(shard_size=3)
    prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "set", settings, workers=1)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_OF_AN_EPOCH, f"prepared:{tmp_path / 'set'}"],
        env={**subprocess_environment, "KERAS_BACKEND": "numpy"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < 8 * 2**20


@pytest.mark.parametrize("count", [1, 2, 4])
def test_shares_make_up_the_batch(tmp_path, count):
    rng = np.random.default_rng(5)
    for name in "abc":
        write_rgb(tmp_path / f"{name}.png", rng.integers(256, size=(40, 40, 3), dtype=np.uint8))
    options = {"crop_size": 16, "batch_size": 4, "steps_per_epoch": 3, "rotations": True}
    whole = PatchDataset(FolderSource(tmp_path), **options)
    shares = [
        PatchDataset(FolderSource(tmp_path), share=(number, count), **options)
        for number in range(count)
    ]
    for index in range(3):
        parts = zip(*(share[index] for share in shares), strict=True)
        for part, expected in zip(parts, whole[index], strict=True):
            np.testing.assert_array_equal(np.concatenate(part), expected)


@pytest.mark.parametrize("share", [(0, 3), (2, 2), (-1, 2)])
def test_no_such_share(tmp_path, share):
    write_rgb(tmp_path / "a.png", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(ValueError, match=f"share {share[0]} of {share[1]}"):
        PatchDataset(
            FolderSource(tmp_path), crop_size=16, batch_size=4, steps_per_epoch=1, share=share
        )


def energy(crop):
    """The sum of squared differences of neighbours in OpenCV's gray, by NumPy."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.int64)
    return sum(np.sum(np.diff(gray, axis=axis) ** 2) for axis in (0, 1))


@pytest.mark.parametrize("share", [0.25, 0.3, 1.0])
def test_the_crops_with_the_most_energy_are_kept(share):
    # noise of many strengths, so that crops differ
    strength = np.linspace(0, 1, 64)[None, :, None]
    image = (noise(48, 64) * strength).astype(np.uint8)
    data = dataset(image, crop_energy=share, flips=False, seed=5)
    candidates = int(np.ceil(8 / share))
    rng = np.random.default_rng((5, 0, 2))
    places = rng.integers(9 * 13, size=candidates)
    crops = positions(image)
    drawn = [crops[divmod(int(place), 13)] for place in places]
    threshold = sorted((energy(crop) for crop in drawn), reverse=True)[7]
    expected = [crop for crop in drawn if energy(crop) >= threshold]
    _, hr = data[2]
    np.testing.assert_array_equal(from_signed(hr), np.stack(expected))


def test_choosing_by_energy_depends_on_seed_epoch_and_index_alone():
    options = {"crop_energy": 0.4, "rotations": True, "seed": 3}
    one, other = dataset(noise(40, 50), epoch=2, **options), dataset(noise(40, 50), **options)
    for index in (0, 4):  # what was cut before does not matter
        _ = other[index]
    other.epoch = 2
    assert_same_batch(one[1], other[1])


def test_shares_of_chosen_crops_make_up_the_batch():
    options = {"crop_energy": 0.3, "rotations": True, "seed": 1}
    whole = dataset(noise(40, 50), **options)[3]
    parts = [dataset(noise(40, 50), share=(i, 2), **options)[3] for i in range(2)]
    for kind in range(2):
        np.testing.assert_array_equal(np.concatenate([p[kind] for p in parts]), whole[kind])


@pytest.mark.parametrize("share", [0.0, 1.5, -0.1, float("nan")])
def test_a_share_of_candidates_that_cannot_be_is_an_error(share):
    with pytest.raises(ValueError, match="crop_energy must be in"):
        dataset(noise(40, 50), crop_energy=share)
