import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource, PairedFolder, open_source
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import write_rgb
from sr_program.errors import DataError, UsageError


def save(path, seed=0, height=8, width=12):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_lists_images_sorted_by_their_path(tmp_path):
    wanted = ["B.PNG", "a.png", "a/z.png", "b/c/d.Tiff", "b/x.jpeg", "b/y.webp", "m.bmp", "n.jpg"]
    for name in reversed(wanted):
        save(tmp_path / name)
    for name in (".hidden.png", ".cache/e.png", "b/.tmp-f.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    source = FolderSource(tmp_path)
    assert source.names == tuple(sorted(wanted))
    assert len(source) == len(wanted)
    assert source.paths[0] == tmp_path / sorted(wanted)[0]


def test_items_are_the_pixels(tmp_path):
    expected = [save(tmp_path / name, seed) for seed, name in enumerate(["a.png", "b.png"])]
    source = FolderSource(str(tmp_path))
    for index, pixels in enumerate(expected):
        np.testing.assert_array_equal(source[index], pixels)
    with pytest.raises(IndexError):
        source[2]


def test_a_hidden_parent_folder_does_not_matter(tmp_path):
    save(tmp_path / ".data" / "a.png")
    assert FolderSource(tmp_path / ".data").names == ("a.png",)


def test_subfolders_are_optional(tmp_path):
    save(tmp_path / "a.png")
    save(tmp_path / "sub" / "b.png")
    assert FolderSource(tmp_path, recursive=False).names == ("a.png",)


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder"):
        FolderSource(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match="holds no image; expected files ending in .png"):
        FolderSource(tmp_path)
    with pytest.raises(DataError, match=r"notes\.txt: no such folder"):
        FolderSource(tmp_path / "notes.txt")


def test_a_damaged_image_is_named_when_it_is_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    source = FolderSource(tmp_path)
    with pytest.raises(DataError, match=r"a\.png"):
        source[0]


def test_open_source(tmp_path):
    save(tmp_path / "with:colon" / "a.png")
    source = open_source(f"folder:{tmp_path / 'with:colon'}")
    assert source.names == ("a.png",)
    assert str(source) == f"folder:{tmp_path / 'with:colon'}"
    for spec in (str(tmp_path), "folder", "folder:", "zip:x", "", "tfds:", "prepared:", ":x"):
        with pytest.raises(UsageError, match=r"write folder:DIR, tfds:NAME\[:SPLIT\] or prepared:"):
            open_source(spec)
    with pytest.raises(DataError, match="with:colon: holds no prepared photos"):
        open_source(f"prepared:{tmp_path / 'with:colon'}")


def test_open_prepared(tmp_path):
    pytest.importorskip("array_record")
    pixels = save(tmp_path / "photos" / "a.png", height=24, width=20)
    prepare(f"folder:{tmp_path / 'photos'}", tmp_path / "set:1", TileSettings(), workers=1)
    source = open_source(f"prepared:{tmp_path / 'set:1'}")
    assert isinstance(source, PreparedSource)
    assert source.names == ("a.png",)
    assert str(source) == f"prepared:{tmp_path / 'set:1'}"
    np.testing.assert_array_equal(source.cut(0, 1, 0, 5)[0], pixels[4:, :20])


def test_pairs_are_found_by_name(tmp_path):
    hr_names = ["a", "b_HR", "c_HR", "d", "e", "x4"]
    lr_names = ["a", "b_LR", "c", "dx4", "e_LR_x4", "x4"]
    for seed, (hr, lr) in enumerate(zip(hr_names, lr_names, strict=True)):
        save(tmp_path / "HR" / f"{hr}.png", seed, 16, 24)
        save(tmp_path / "LR_x4" / f"{lr}.bmp", 100 + seed, 4, 6)
    pairs = PairedFolder(tmp_path)
    assert pairs.names == ("a", "b", "c", "d", "e", "x4") and len(pairs) == 6
    for seed, (name, hr, lr) in enumerate(pairs):
        assert name == pairs.names[seed]
        np.testing.assert_array_equal(hr, FolderSource(tmp_path / "HR")[seed])
        np.testing.assert_array_equal(
            lr, np.random.default_rng(100 + seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
        )


def test_pairs_that_do_not_fit(tmp_path):
    save(tmp_path / "HR" / "a.png", 0, 16, 16)
    with pytest.raises(DataError, match="LR_x4: is missing"):
        PairedFolder(tmp_path)
    save(tmp_path / "LR_x4" / "b.png", 0, 4, 4)
    with pytest.raises(DataError, match=r"a\.png: has no partner"):
        PairedFolder(tmp_path)
    save(tmp_path / "LR_x4" / "a.png", 0, 4, 5)
    with pytest.raises(DataError, match="is 5x4, its HR image 16x16; HR must be 4 times"):
        PairedFolder(tmp_path)[0]


def test_a_flat_folder_is_cropped_and_degraded(tmp_path):
    pixels = save(tmp_path / "a.png", 0, 19, 22)
    save(tmp_path / "sub" / "ignored.png")
    pairs = PairedFolder(tmp_path)
    ((name, hr, lr),) = pairs
    assert name == "a"
    np.testing.assert_array_equal(hr, pixels[:16, :20])
    np.testing.assert_array_equal(lr, bicubic_downscale(pixels[:16, :20]))


def test_two_files_of_one_name(tmp_path):
    """Validation would take one of them in silence, or count a photo twice."""
    save(tmp_path / "flat" / "a.bmp", 0, 16, 16)
    save(tmp_path / "flat" / "a.png", 1, 16, 16)
    with pytest.raises(DataError, match=r"a\.png: is the same image as .*a\.bmp; remove one"):
        PairedFolder(tmp_path / "flat")
    save(tmp_path / "pairs" / "HR" / "a.png", 0, 16, 16)
    save(tmp_path / "pairs" / "LR_x4" / "a.bmp", 0, 4, 4)
    save(tmp_path / "pairs" / "LR_x4" / "a.png", 1, 4, 4)
    with pytest.raises(DataError, match=r"a\.bmp: a\.png has the same name; remove one of them"):
        PairedFolder(tmp_path / "pairs")


def test_a_flat_folder_with_a_tiny_image(tmp_path):
    save(tmp_path / "dot.png", 0, 3, 9)
    with pytest.raises(DataError, match=r"dot\.png: is smaller than 4x4"):
        PairedFolder(tmp_path)[0]


def test_gray_files_are_known(tmp_path):
    gray = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    write_rgb(tmp_path / "rgb.png", np.stack([gray] * 3, -1))
    pairs = PairedFolder(tmp_path)
    assert [pairs.is_gray(index) for index in range(2)] == [True, False]
    np.testing.assert_array_equal(pairs[0][1], np.stack([gray] * 3, -1))


def test_a_fingerprint_is_of_names_and_contents(tmp_path):
    def folder(place: str, seeds: dict[str, int], lr_seed: int | None = None) -> PairedFolder:
        (tmp_path / place / "HR").mkdir(parents=True)
        for name, seed in seeds.items():
            save(tmp_path / place / "HR" / name, seed, 16, 16)
        if lr_seed is None:
            return PairedFolder(tmp_path / place / "HR")
        (tmp_path / place / "LR_x4").mkdir()
        for name in seeds:
            save(tmp_path / place / "LR_x4" / name, lr_seed, 4, 4)
        return PairedFolder(tmp_path / place)

    known = folder("a", {"x.png": 1, "y.png": 2}).fingerprint()
    assert folder("b", {"x.png": 1, "y.png": 2}).fingerprint() == known
    others = [
        folder("c", {"x.png": 1, "y.png": 3}),
        folder("d", {"x.png": 1, "z.png": 2}),
        folder("e", {"x.png": 1}),
        folder("f", {"x.png": 2, "y.png": 1}),
        folder("g", {"x.png": 1, "y.png": 2}, lr_seed=4),
        folder("h", {"x.png": 1, "y.png": 2}, lr_seed=5),
    ]
    assert len({known, *(one.fingerprint() for one in others)}) == 7


def test_benchmark_folders(shared):
    pairs = PairedFolder(shared / "data" / "benchmarks" / "Set14")
    assert len(pairs) == 14
    assert [name for index, name in enumerate(pairs.names) if pairs.is_gray(index)] == ["bridge"]
    _, hr, lr = pairs[pairs.names.index("bridge")]
    assert hr.shape == (4 * lr.shape[0], 4 * lr.shape[1], 3)


def test_reading_images_needs_no_deep_learning_library(subprocess_environment):
    """TensorFlow takes seconds to import; only patches may."""
    code = (
        "import sys, sr_data.sources, sr_images.fidelity, sr_images.luma, sr_program.entry_point\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'jax', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=subprocess_environment).returncode == 0
