import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sr_images.bicubic import bicubic_downscale
from sr_program.errors import DataError

tfds = pytest.importorskip("tensorflow_datasets")

from sr_data.builders import raise_sr  # noqa: E402  (it imports TFDS)

# Ids as RAISE has them, and where a photo lies below the manual folder.
PHOTOS = {
    "r01d7aae0t": "TIFF/r01d7aae0t.TIF",
    "r000da54ft": "r000da54ft.tif",
    "r1ceba29dt": "made from NEF/R1CEBA29DT.png",
}


def draw(path, seed, height=16, width=24):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def write_list(path, ids, column="File", mark="\ufeff"):
    """Shaped like the lists of RAISE's site."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(mark)
        rows = csv.writer(file)
        rows.writerow([column, "NEF", "TIFF", "Device", "Keywords"])
        for one in ids:
            url = f"http://193.205.194.113/RAISE/TIFF/{one}.TIF"
            rows.writerow([one, url.replace("TIF", "NEF"), url, "Nikon D90", "outdoor;nature"])


@pytest.fixture
def manual_dir(tmp_path):
    """Three photos, and a fourth that no list names."""
    folder = tmp_path / "manual"
    for seed, place in enumerate(PHOTOS.values()):
        draw(folder / place, seed, 16 + 4 * seed, 26)
    draw(folder / "TIFF" / "r0other.TIF", 9)
    write_list(folder / "RAISE_1k.csv", PHOTOS)
    return folder


def build(manual_dir, data_dir, config="raise_1k", **options):
    builder = raise_sr.Builder(data_dir=data_dir, config=config, **options)
    settings = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=settings)
    return builder


def check(examples, manual_dir):
    """In the order of the list, cut to a multiple of 4."""
    assert [example["name"].decode() for example in examples] == list(PHOTOS)
    for example, place in zip(examples, PHOTOS.values(), strict=True):
        with Image.open(manual_dir / place) as image:
            hr = np.array(image)[:, :24]
        np.testing.assert_array_equal(example["hr"], hr)
        np.testing.assert_array_equal(example["lr"], bicubic_downscale(hr))


def test_there_is_a_config_for_each_list():
    configs = {config.name: config.list_name for config in raise_sr.Builder.BUILDER_CONFIGS}
    assert configs == {
        "raise_1k": "RAISE_1k.csv",
        "raise_2k": "RAISE_2k.csv",
        "raise_4k": "RAISE_4k.csv",
        "raise_6k": "RAISE_6k.csv",
        "raise_all": "RAISE_all.csv",
    }


def test_examples_are_the_listed_photos(manual_dir, tmp_path):
    builder = build(manual_dir, tmp_path / "data")
    check(list(tfds.as_numpy(builder.as_dataset(split="train"))), manual_dir)


def test_random_access(manual_dir, tmp_path):
    builder = build(manual_dir, tmp_path / "data", file_format="array_record")
    examples = builder.as_data_source("train")
    assert len(examples) == 3 and examples[2]["name"] == b"r1ceba29dt"
    check([examples[index] for index in range(3)], manual_dir)


def test_lists_in_other_places_and_letters(manual_dir, tmp_path):
    (manual_dir / "RAISE_1k.csv").unlink()
    write_list(manual_dir / "lists" / "raise_ALL.CSV", ["r000da54ft"], mark="")
    builder = build(manual_dir, tmp_path / "data", "raise_all")
    (example,) = tfds.as_numpy(builder.as_dataset(split="train"))
    assert example["name"] == b"r000da54ft"


def test_description_citation_and_tags(tmp_path):
    info = raise_sr.Builder(data_dir=tmp_path, config="raise_1k").info
    assert info.description.startswith("RAISE: 8156 high-resolution photos")
    assert info.citation.count("@") == 1 and "Dang-Nguyen" in info.citation
    tags = set(raise_sr.Builder.get_metadata().tags)
    assert tags and tags <= set(tfds.core.dataset_metadata.valid_tags())


def spoil(manual_dir, problem):
    path = manual_dir / "RAISE_1k.csv"
    if problem == "no list":
        path.unlink()
    elif problem == "another column":
        write_list(path, PHOTOS, column="Name")
    elif problem == "no text":
        path.write_bytes(b"File\n\xff\xfe\n")
    elif problem == "a line twice":
        write_list(path, [*PHOTOS, "r000da54ft"])
    elif problem == "a photo missing":
        (manual_dir / "r000da54ft.tif").rename(manual_dir / "r000da54ft.NEF")
    elif problem == "a photo twice":
        draw(manual_dir / "r000da54ft.png", 5)
    elif problem == "a photo damaged":
        content = (manual_dir / "r000da54ft.tif").read_bytes()
        (manual_dir / "r000da54ft.tif").write_bytes(content[:200])


@pytest.mark.parametrize(
    ("problem", "complaint"),
    [
        ("no list", r"RAISE_1k\.csv: is missing; get it from http"),
        ("another column", r"RAISE_1k\.csv: names no photo in a column 'File'"),
        ("no text", r"RAISE_1k\.csv: is no CSV file"),
        ("a line twice", r"RAISE_1k\.csv: names r000da54ft 2 times"),
        ("a photo missing", r"RAISE_1k\.csv: 1 of its 3 photos are missing in .*, r000da54ft for"),
        ("a photo twice", r"r000da54ft\.tif: is the same photo as .*r000da54ft\.png"),
        ("a photo damaged", r"r000da54ft\.tif: "),
    ],
)
def test_what_is_wrong_is_told_and_nothing_built(manual_dir, tmp_path, problem, complaint):
    spoil(manual_dir, problem)
    with pytest.raises(DataError, match=complaint):
        build(manual_dir, tmp_path / "data")
    assert not raise_sr.Builder(data_dir=tmp_path / "data", config="raise_1k").is_prepared()


def test_an_empty_manual_folder_is_told(tmp_path):
    with pytest.raises(AssertionError, match="(?s)does not exist or is empty.*RAISE_all.csv"):
        build(tmp_path / "manual", tmp_path / "data")


@pytest.mark.slow
def test_of_another_list_that_is_there_its_config_is_named(manual_dir, tmp_path):
    """As `tfds build` without --config asks for all lists."""
    with pytest.raises(DataError, match=r"RAISE_2k\.csv: is missing; .* by --config=raise_1k$"):
        build(manual_dir, tmp_path / "data", config="raise_2k")


def test_tfds_build(repository, subprocess_environment, manual_dir, tmp_path):
    """From the builder's folder, as array_record; the program `tfds` itself would need Beam."""
    code = (
        "import sys\n"
        "from tensorflow_datasets.scripts.cli import build, cli_utils\n"
        "cli_utils.make_flags_parser(build.Args, description='build')(sys.argv).execute()\n"
    )
    folder = "sr_data/builders/raise_sr"
    arguments = ["--config", "raise_1k", "--file_format", "array_record"]
    arguments += ["--manual_dir", str(manual_dir), "--data_dir", str(tmp_path / "data")]
    subprocess.run(
        [sys.executable, "-c", code, folder, *arguments],
        cwd=repository,
        env=subprocess_environment,
        check=True,
        capture_output=True,
    )
    examples = raise_sr.Builder(data_dir=tmp_path / "data", config="raise_1k").as_data_source(
        "train"
    )
    check([examples[index] for index in range(3)], manual_dir)
