import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sr_data.benchmarks import BENCHMARKS, Benchmark, benchmark_folders, open_benchmark
from sr_data.pairs import ImagePair
from sr_images.bicubic import bicubic_downscale
from sr_program.errors import DataError, UsageError


def draw(path, seed=0, height=16, width=24, gray=False):
    """Writes noise; returns it as RGB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width) if gray else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return np.stack([pixels] * 3, -1) if gray else pixels


def draw_pairs(folder, hr, lr, names=("a", "b")):
    """Writes pairs whose LR is unlike HR; `hr` and `lr` are paths with a place for the name."""
    return [
        (
            draw(folder / hr.format(name), seed),
            draw(folder / lr.format(name), 100 + seed, 4, 6),
        )
        for seed, name in enumerate(names)
    ]


def check_pairs(benchmark, drawn):
    assert len(benchmark) == len(drawn)
    for image, (hr, lr) in zip(benchmark, drawn, strict=True):
        np.testing.assert_array_equal(image.hr, hr)
        np.testing.assert_array_equal(image.lr, lr)
        assert image.hr.dtype == image.lr.dtype == np.uint8


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("Set5/HR/{}.png", "Set5/LR_x4/{}.png"),
        ("Set5/HR/{}.png", "Set5/LRx4/{}x4.png"),
        ("Set5/HR/{}.png", "Set5/LR/{}.png"),
        ("Set5/HR/{}.png", "Set5/LR/x4/{}.png"),
        ("Set5/HR/{}.png", "Set5/LR_bicubic/X4/{}x4.png"),
        ("benchmark/Set5/HR/{}.png", "benchmark/Set5/LR_bicubic/X4/{}x4.png"),
        ("benchmarks/set5/hr/{}.png", "benchmarks/set5/lr_x4/{}.png"),
        ("Set5/GTmod12/{}.png", "Set5/LRbicx4/{}.png"),
        ("Set5/Original/{}.png", "Set5/4x_downsampled/{}.png"),
        ("SET_5/original/{}.bmp", "SET_5/4x_downsampled/{}.png"),
        ("Set5/image_SRF_4/{}_HR.png", "Set5/image_SRF_4/{}_LR.png"),
        ("Set5/{}_HR.png", "Set5/{}_LR.png"),
        ("Set5/{}.png", "Set5/{}_LR.png"),
    ],
)
def test_layouts(tmp_path, hr, lr):
    drawn = draw_pairs(tmp_path, hr, lr)
    # what else may lie there
    draw(tmp_path / "Set5" / ".HR" / "hidden.png")
    (tmp_path / "Set5" / "LR_bicubic" / "X2").mkdir(parents=True, exist_ok=True)
    (tmp_path / "Set14").mkdir()
    benchmark = open_benchmark("Set5", tmp_path)
    assert benchmark.name == "Set5" and benchmark.names == ("a", "b")
    check_pairs(benchmark, drawn)
    assert not any(image.is_gray for image in benchmark)


def test_results_beside_selfexsr_pairs_are_no_images_of_the_set(tmp_path):
    folder = "Urban100/image_SRF_4/img_{}_SRF_4_"
    drawn = draw_pairs(tmp_path, folder + "HR.png", folder + "LR.png", ("001", "002"))
    draw(tmp_path / (folder + "bicubic.png").format("001"))
    benchmark = open_benchmark("urban100", str(tmp_path))
    assert benchmark.names == ("img_001_SRF_4", "img_002_SRF_4")
    check_pairs(benchmark, drawn)


@pytest.mark.parametrize("place", ["Manga109", "Manga109/HR", "Manga109/Original"])
def test_hr_alone_is_cropped_and_degraded(tmp_path, place):
    pixels = draw(tmp_path / place / "a.png", 0, 19, 22)
    (image,) = open_benchmark("Manga109", tmp_path)
    np.testing.assert_array_equal(image.hr, pixels[:16, :20])
    np.testing.assert_array_equal(image.lr, bicubic_downscale(pixels[:16, :20]))


def test_selfexsr_without_lr_is_degraded(tmp_path):
    pixels = draw(tmp_path / "Set5" / "image_SRF_4" / "a_HR.png")
    (image,) = open_benchmark("Set5", tmp_path)
    assert image.name == "a"
    np.testing.assert_array_equal(image.lr, bicubic_downscale(pixels))


def test_hr_with_a_layout_before_loose_images(tmp_path):
    drawn = draw_pairs(tmp_path / "Set5", "HR/{}.png", "LR_x4/{}.png")
    draw(tmp_path / "Set5" / "preview.png")
    check_pairs(open_benchmark("Set5", tmp_path), drawn)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("bsd100", "B100"),
        ("B100", "BSD100"),
        ("BSDS100", "b100"),
        ("Bsd-100", "BSDS100"),
        ("PIRM_val", "PIRM_valset_10_100"),
        ("PIRM_val", "PIRM"),
        ("pirm", "PIRM_val"),
        ("PIRM", "PIRM/PIRM_Self-Val_set"),
        ("PIRM_val", "self_validation_HR"),
    ],
)
def test_other_names(tmp_path, name, folder):
    draw(tmp_path / folder / "1.png")
    benchmark = open_benchmark(name, tmp_path)
    assert benchmark.name == ("BSD100" if "b" in name.lower() else "PIRM_val")
    assert benchmark.names == ("1",)


def test_the_name_as_given_comes_first(tmp_path):
    for folder in ("benchmark/B100", "B100", "BSD100", "BSDS100"):
        draw(tmp_path / folder / (folder.replace("/", "_") + ".png"))
    assert open_benchmark("B100", tmp_path).names == ("B100",)
    assert open_benchmark("bsd100", tmp_path).names == ("BSD100",)
    assert [folder.name for folder in benchmark_folders("BSDS100", tmp_path)][0] == "BSDS100"


def test_a_folder_without_images_is_passed_over_for_another(tmp_path):
    (tmp_path / "Set5" / "LR").mkdir(parents=True)
    draw(tmp_path / "benchmark" / "Set5" / "a.png")
    assert open_benchmark("Set5", tmp_path).names == ("a",)


@pytest.mark.parametrize(
    ("name", "wanted"), [("My photos", "My photos"), ("sub/photos", "photos"), ("画像", "画像")]
)
def test_a_set_of_ones_own(tmp_path, name, wanted):
    drawn = draw_pairs(tmp_path / name, "HR/{}.png", "LR_x4/{}.png")
    draw(tmp_path / "写真" / "other.png")
    for spelling in (name, str(tmp_path / name)):
        benchmark = open_benchmark(spelling, tmp_path)
        assert benchmark.name == wanted
        check_pairs(benchmark, drawn)
    with pytest.raises(DataError, match="no such folder"):
        open_benchmark("絵", tmp_path)


def test_gray_images_are_repeated(tmp_path):
    bridge = draw(tmp_path / "Set14" / "HR" / "bridge.png", 0, gray=True)
    small = draw(tmp_path / "Set14" / "LR_x4" / "bridge.png", 1, 4, 6, gray=True)
    draw(tmp_path / "Set14" / "HR" / "zebra.png")
    draw(tmp_path / "Set14" / "LR_x4" / "zebra.png", 1, 4, 6)
    benchmark = open_benchmark("Set14", tmp_path)
    check_pairs([benchmark[0]], [(bridge, small)])
    assert [image.is_gray for image in benchmark] == [True, False]


def test_hr_with_lr_files_is_cropped_at_the_right_and_bottom(tmp_path):
    whole = draw(tmp_path / "Set5" / "HR" / "a.png", 0, 19, 26)
    draw(tmp_path / "Set5" / "LR_x4" / "a.png", 1, 4, 6)
    np.testing.assert_array_equal(open_benchmark("Set5", tmp_path)[0].hr, whole[:16, :24])


def broken_set(folder):
    """Seven images, of which `e` and `g` are good."""
    names = "abcdefg"
    drawn = draw_pairs(folder / "Set5", "HR/{}.png", "LR_x4/{}.png", names)
    hr, lr = folder / "Set5" / "HR", folder / "Set5" / "LR_x4"
    (lr / "a.png").unlink()
    whole = (hr / "b.png").read_bytes()
    (hr / "b.png").write_bytes(whole[: len(whole) // 2])
    draw(lr / "c.png", 0, 4, 5)
    draw(hr / "d.png", 0, 3, 24)
    (hr / "f.png").unlink()
    return dict(zip(names, drawn, strict=True))


def test_a_bad_image_leaves_the_others(tmp_path):
    drawn = broken_set(tmp_path)
    benchmark = open_benchmark("Set5", tmp_path)
    assert sorted(benchmark.names) == list("abcdefg")
    errors = {}
    for index, name in enumerate(benchmark.names):
        try:
            image = benchmark[index]
        except DataError as error:
            errors[name] = str(error)
        else:
            check_pairs([image], [drawn[name]])
    assert sorted(errors) == list("abcdf")
    assert all(message.count("\n") == 0 for message in errors.values())
    assert "HR/a.png: has no partner in" in errors["a"] and "LR_x4; add it" in errors["a"]
    assert "HR/b.png: is damaged" in errors["b"]
    assert "LR_x4/c.png: is 5x4, its HR image 24x16; HR must be 4 times LR" in errors["c"]
    assert "HR/d.png: is smaller than 4x4 pixels" in errors["d"]
    assert "LR_x4/f.png: has no HR image in" in errors["f"] and "HR; add it" in errors["f"]


def test_lr_of_the_uncropped_image_does_not_fit(tmp_path):
    draw(tmp_path / "Set5" / "HR" / "a.png", 0, 18, 24)
    draw(tmp_path / "Set5" / "LR_x4" / "a.png", 1, 5, 6)
    with pytest.raises(DataError, match=r"is 6x5, its HR image 24x18 \(cropped to 24x16\)"):
        open_benchmark("Set5", tmp_path)[0]


def test_selfexsr_with_missing_files(tmp_path):
    folder = tmp_path / "Set5" / "image_SRF_4"
    draw_pairs(folder, "{}_HR.png", "{}_LR.png", "abc")
    (folder / "a_LR.png").unlink()
    (folder / "b_HR.png").unlink()
    benchmark = open_benchmark("Set5", tmp_path)
    assert benchmark.names == ("a", "c", "b")
    with pytest.raises(DataError, match="a_HR.png: has no partner"):
        benchmark[0]
    with pytest.raises(DataError, match="b_LR.png: has no HR image"):
        benchmark[2]
    assert benchmark[1].name == "c"


def test_names_of_lr_files_without_hr_stay_different(tmp_path):
    draw(tmp_path / "Set5" / "HR" / "a.png")
    for name in ("a.png", "a_LR.png", "b.png", "b_LR.png"):
        draw(tmp_path / "Set5" / "LR_x4" / name, 1, 4, 6)
    benchmark = open_benchmark("Set5", tmp_path)
    assert benchmark.names == ("a", "a_LR.png", "b", "b_LR.png")
    assert benchmark[0].name == "a"


def test_two_files_for_one_image(tmp_path):
    draw(tmp_path / "Set5" / "a.bmp")
    draw(tmp_path / "Set5" / "a.png")
    with pytest.raises(DataError, match=r"a\.png: is the same image as .*a\.bmp"):
        open_benchmark("Set5", tmp_path)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], "Set5: no such folder; put the images of Set5 there"),
        (["Set14"], "Set5: no such folder"),
        (["Set5"], "Set5: holds no images; expected HR images or HR"),
        (["Set5/pictures"], "Set5: holds no images"),
        (["Set5/HR", "Set5/LR_x4"], "HR: holds no image"),
        (["Set5/HR"], "HR: holds no image"),
        (["Set5/image_SRF_4"], "image_SRF_4: holds no image"),
        (
            ["Set5/HR", "Set5/LR_bicubic/X2"],
            "HR: has no LR_x4 or LR_bicubic/X4 or LR/X4 or LR besi",
        ),
    ],
)
def test_folders_without_images(tmp_path, folders, message):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(DataError, match=message) as caught:
        open_benchmark("Set5", tmp_path)
    assert "\n" not in str(caught.value)


def test_an_empty_lr_folder(tmp_path):
    draw(tmp_path / "Set5" / "HR" / "a.png")
    (tmp_path / "Set5" / "LR_x4").mkdir()
    with pytest.raises(DataError, match="LR_x4: holds no image"):
        open_benchmark("Set5", tmp_path)


def test_a_missing_data_folder(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such folder; name the folder that holds Set5"):
        open_benchmark("Set5", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_empty_names(tmp_path, name):
    with pytest.raises(UsageError, match="names no benchmark; use Set5, Set14"):
        open_benchmark(name, tmp_path)


def test_indices():
    benchmark = Benchmark("mine", [ImagePair("a", None)])
    assert list(benchmark.names) == ["a"] and len(benchmark) == 1
    with pytest.raises(IndexError):
        benchmark[1]
    with pytest.raises(DataError, match="a: has no HR image"):
        benchmark[0]


@pytest.mark.parametrize(("name", "count"), [("Set5", 5), ("Set14", 14), ("BSD100", 100)])
def test_lr_made_from_the_published_hr_is_the_published_lr(shared, tmp_path, name, count):
    assert name in BENCHMARKS
    data_dir = shared / "data"  # with the sets in benchmarks/
    (tmp_path / name).symlink_to(data_dir / "benchmarks" / name / "HR")
    published, made = open_benchmark(name, data_dir), open_benchmark(name, tmp_path)
    assert published.names == made.names and len(made) == count
    for one, other in zip(published, made, strict=True):
        np.testing.assert_array_equal(one.hr, other.hr)
        np.testing.assert_array_equal(one.lr, other.lr, err_msg=one.name)
        assert one.is_gray == other.is_gray == (one.name == "bridge")


def test_benchmarks_need_no_deep_learning_library(subprocess_environment):
    code = (
        "import sys, sr_data.benchmarks\n"
        "heavy = ('tensorflow', 'tensorflow_datasets', 'keras', 'jax', 'torch')\n"
        "sys.exit(any(name in sys.modules for name in heavy))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=subprocess_environment).returncode == 0
