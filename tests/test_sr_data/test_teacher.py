from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr_data.degradations.photo_degradation import PhotoDegradation
from sr_data.patches import PatchDataset
from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource
from sr_data.teacher import Teacher
from sr_images.image_io import from_signed
from sr_program.errors import DataError

SIZES = {"a.png": (40, 52), "deep/b.png": (39, 33)}


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Photos, and a teacher's images of them in another format."""
    photos, taught = tmp_path / "photos", tmp_path / "taught"
    for seed, (name, (height, width)) in enumerate(SIZES.items()):
        for folder, path, image in (
            (photos, photos / name, noise(height, width, seed)),
            (
                taught,
                (taught / name).with_suffix(".bmp"),
                noise(height // 4 * 4, width // 4 * 4, seed + 10),
            ),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return photos, taught


def dataset(photos: Path, teacher: Teacher | None = None, **options) -> PatchDataset:
    options = {"crop_size": 16, "batch_size": 8, "steps_per_epoch": 4, "seed": 3, **options}
    return PatchDataset(FolderSource(photos), teacher=teacher, **options)


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 1.0])
def test_the_mixture_by_hand(tmp_path, weight):
    hr = np.array([0, 10, 100, 255] * 12, np.uint8).reshape(4, 4, 3)
    taught = np.array([255, 20, 101, 0] * 12, np.uint8).reshape(4, 4, 3)
    Image.fromarray(taught).save(tmp_path / "x.png")
    mixed = Teacher(tmp_path, weight).mixed("x.jpg", hr)
    by_hand = {
        0.0: [0, 10, 100, 255],
        0.25: [64, 13, 100, 191],  # 63.75, 12.5, 100.25, 191.25; halves upwards
        0.5: [128, 15, 101, 128],  # 127.5, 15, 100.5, 127.5
        1.0: [255, 20, 101, 0],
    }[weight]
    assert mixed.dtype == np.uint8 and mixed.ravel()[:4].tolist() == by_hand


@pytest.mark.parametrize("options", [{}, {"rotations": True}])
def test_a_batch_has_the_mixture_for_hr_and_the_lr_of_hr(folders, options):
    photos, taught = folders
    plain, whole = dataset(photos, **options), dataset(photos, Teacher(taught, 1.0), **options)
    mixed = dataset(photos, Teacher(taught, 0.3), **options)
    for index in range(len(plain)):
        (lr, hr), (taught_lr, teacher), (mixed_lr, mixture) = (
            one[index] for one in (plain, whole, mixed)
        )
        np.testing.assert_array_equal(taught_lr, lr)
        np.testing.assert_array_equal(mixed_lr, lr)
        assert np.abs(teacher - hr).mean() > 0.1
        expected = 0.7 * from_signed(hr).astype(float) + 0.3 * from_signed(teacher)
        assert np.abs(from_signed(mixture) - expected).max() <= 0.5 + 1e-3


def test_an_image_that_the_teacher_lacks_is_named(folders):
    photos, taught = folders
    (taught / "deep" / "b.bmp").unlink()
    with pytest.raises(
        DataError, match=r"taught/deep/b.png: is missing; a teacher needs"
    ) as caught:
        dataset(photos, Teacher(taught, 0.5))
    assert "\n" not in str(caught.value)


def test_an_image_of_another_size_is_named(folders):
    photos, taught = folders
    Image.fromarray(noise(39, 33, 5)).save(taught / "deep" / "b.bmp")
    with pytest.raises(DataError, match=r"b.bmp: is 33x39; the teacher's image must be 32x36"):
        dataset(photos, Teacher(taught, 0.5))


def test_degraded_crops_start_from_hr_and_are_taught(folders):
    photos, taught = folders
    degradation = PhotoDegradation(clean_share=0.2)
    plain = dataset(photos, degradation=degradation)
    whole = dataset(photos, Teacher(taught, 1.0), degradation=degradation)
    clean = dataset(photos, Teacher(taught, 1.0))
    for (lr, hr), (taught_lr, teacher), (_, clean_teacher) in zip(plain, whole, clean, strict=True):
        np.testing.assert_array_equal(taught_lr, lr)
        np.testing.assert_array_equal(teacher, clean_teacher)
        assert np.abs(teacher - hr).mean() > 0.1


def test_a_teacher_does_not_go_with_prepared_sets(folders, tmp_path):
    photos, taught = folders
    prepare(f"folder:{photos}", tmp_path / "set", TileSettings(), workers=1)
    with pytest.raises(ValueError, match="not prepared"):
        PatchDataset(
            PreparedSource(tmp_path / "set"),
            teacher=Teacher(taught, 0.5),
            crop_size=16,
            steps_per_epoch=1,
        )
