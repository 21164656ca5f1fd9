from pathlib import Path

import numpy as np
import pytest

from sr_data.pairs import ImagePair, pair_files, pairs_to_make, unpaired
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import write_rgb
from sr_program.errors import DataError

HR, LR = Path("HR"), Path("LR")


def test_files_are_paired_by_name_whatever_their_suffix():
    hr = [HR / name for name in ("a.png", "b_HR.png", "c.png", "d_HR.bmp", "e.png")]
    lr = [LR / name for name in ("ax4.png", "b_LR.jpg", "c_x4.png", "d_HR.png", "e_LR_x4.png")]
    pairs = pair_files(hr, reversed(lr), LR)
    assert pairs == [ImagePair(*one) for one in zip("abcde", hr, lr, strict=True)]
    assert unpaired(pairs, lr, HR) == []


def test_files_without_a_partner():
    pairs = pair_files([HR / "a.png", HR / "b.png"], [LR / "b.png", LR / "cx4.png"], LR)
    assert [(pair.name, bool(pair.problem)) for pair in pairs] == [("a", True), ("b", False)]
    (left,) = unpaired(pairs, [LR / "b.png", LR / "cx4.png"], HR)
    assert (left.name, left.hr, left.lr) == ("c", None, LR / "cx4.png")
    for pair, message in ((pairs[0], "a.png: has no partner in LR"), (left, "x4.png: has no HR")):
        for use in (pair.read, pair.is_gray):
            with pytest.raises(DataError, match=message):
                use()


def test_two_lr_files_of_one_name_are_no_choice():
    pairs = pair_files([HR / "a.png", HR / "b.png"], [LR / "a.jpg", LR / "a.png", LR / "b.png"], LR)
    assert [bool(pair.problem) for pair in pairs] == [True, False]
    with pytest.raises(DataError, match=r"LR/a.jpg: a.png has the same name; remove one of them"):
        pairs[0].read()


def test_lr_to_be_made():
    paths = [HR / "a_HR.png", HR / "b.png"]
    assert pairs_to_make(paths) == [ImagePair("a", paths[0]), ImagePair("b", paths[1])]


def test_hr_is_cropped_to_fit_its_lr(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (11, 13, 3), dtype=np.uint8)
    write_rgb(tmp_path / "hr.png", pixels)
    write_rgb(tmp_path / "lr.png", pixels[:2, :3])
    hr, lr = ImagePair("a", tmp_path / "hr.png", tmp_path / "lr.png").read()
    np.testing.assert_array_equal(hr, pixels[:8, :12])
    np.testing.assert_array_equal(lr, pixels[:2, :3])
    write_rgb(tmp_path / "lr.png", pixels[:3, :4])  # as of the uncropped image
    with pytest.raises(DataError, match=r"lr\.png: is 4x3, its HR image 13x11 \(cropped to 12x8\)"):
        ImagePair("a", tmp_path / "hr.png", tmp_path / "lr.png").read()


@pytest.fixture
def photo_pair(tmp_path):
    """Writes a smooth photo and an LR image made from it; returns the pair."""
    rows, columns = np.mgrid[:48, :64] / 64
    hr = np.stack([200 * rows, 120 * columns, 40 + 0 * rows], -1).astype(np.uint8)

    def photo_pair(name, change):
        (tmp_path / "HR").mkdir(exist_ok=True)
        write_rgb(tmp_path / "HR" / name, hr)
        write_rgb(tmp_path / name, change(bicubic_downscale(hr, 4)))
        return ImagePair("a", tmp_path / "HR" / name, tmp_path / name)

    return photo_pair


@pytest.mark.parametrize(
    ("change", "doubtful"),
    [
        (lambda lr: lr, False),
        (lambda lr: lr + np.array([5, 0, 7], np.uint8), False),
        (lambda lr: lr[..., ::-1], True),
        (lambda lr: lr[::-1], True),
    ],
    ids=["its own", "noise", "BGR", "another"],
)
def test_an_lr_image_of_another_photo_is_doubted_once(photo_pair, caplog, change, doubtful):
    pair = photo_pair("a.png", change)
    for _ in range(2):
        pair.read()
    found = [record.getMessage() for record in caplog.records]
    assert len(found) == doubtful
    if doubtful:
        assert found[0].startswith(f"{pair.lr}: is ") and "the same photo" in found[0]


def test_the_benchmarks_are_not_doubted(shared, caplog):
    for hr in sorted((shared / "data" / "benchmarks" / "Set5" / "HR").iterdir()):
        (lr,) = (shared / "data" / "benchmarks" / "Set5" / "LR_x4").glob(f"{hr.stem}.*")
        ImagePair(hr.stem, hr, lr).read()
    assert caplog.text == ""
