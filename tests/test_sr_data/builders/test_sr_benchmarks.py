import csv
import hashlib
import importlib.util
import itertools
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from sr_data.benchmarks import BENCHMARKS, open_benchmark
from sr_images.bicubic import bicubic_downscale
from sr_program.errors import DataError

tfds = pytest.importorskip("tensorflow_datasets")

from sr_data.builders import sr_benchmarks  # noqa: E402  (it imports TFDS)
from sr_data.builders.sr_benchmarks import sr_benchmarks_dataset_builder as module  # noqa: E402

# HR and LR of one set in each layout; the second place is that of the image's name
LAYOUTS = {
    "Set5": ("Set5/HR/{}.png", "Set5/LR_x4/{}.png"),
    "Set14": ("Set14/{}.png", None),
    "BSD100": ("benchmark/B100/HR/{}.png", "benchmark/B100/LR_bicubic/X4/{}x4.png"),
    "Urban100": ("Urban100/image_SRF_4/{}_HR.png", "Urban100/image_SRF_4/{}_LR.png"),
    "Manga109": ("Manga109/GTmod12/{}.png", "Manga109/LRbicx4/{}.png"),
    "PIRM_val": ("PIRM_valset_10_100/Original/{}.png", "PIRM_valset_10_100/4x_downsampled/{}.png"),
}


def draw(path, seed, height, width, gray=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width) if gray else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return np.stack([pixels] * 3, -1) if gray else pixels


def draw_set(folder, benchmark):
    """Two images, the first of them gray."""
    hr, lr = LAYOUTS[benchmark]
    for seed, name in enumerate(("1", "2")):
        draw(folder / hr.format(name), seed, 16 + 4 * seed, 24, gray=seed == 0)
        if lr:
            draw(folder / lr.format(name), 100 + seed, 4 + seed, 6, gray=seed == 0)


def build(benchmark, manual_dir, data_dir):
    builder = sr_benchmarks.Builder(data_dir=data_dir, config=benchmark.lower())
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    builder.download_and_prepare(download_config=config)
    return list(tfds.as_numpy(builder.as_dataset(split="test")))


def check_examples(examples, benchmark):
    assert len(examples) == len(benchmark) > 0
    for example, image in zip(examples, benchmark, strict=True):
        assert example["name"].decode() == image.name
        assert example["gray"] == image.is_gray
        np.testing.assert_array_equal(example["hr"], image.hr)
        np.testing.assert_array_equal(example["lr"], image.lr)


def test_there_is_a_config_for_each_benchmark():
    configs = {config.name: config.benchmark for config in sr_benchmarks.Builder.BUILDER_CONFIGS}
    assert configs == {name.lower(): name for name in BENCHMARKS}
    assert set(LAYOUTS) == set(BENCHMARKS)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_examples_are_the_images_in_order(tmp_path, benchmark):
    draw_set(tmp_path / "manual", benchmark)
    examples = build(benchmark, tmp_path / "manual", tmp_path / "data")
    check_examples(examples, open_benchmark(benchmark, tmp_path / "manual"))
    assert [example["gray"] for example in examples] == [True, False]


def test_description_citations_and_tags(tmp_path):
    info = sr_benchmarks.Builder(data_dir=tmp_path, config="set5").info
    assert info.description.startswith("The usual benchmarks of 4x super-resolution")
    assert info.citation.count("@") == 6
    tags = set(sr_benchmarks.Builder.get_metadata().tags)
    assert tags and tags <= set(tfds.core.dataset_metadata.valid_tags())


def test_the_published_set14(shared, tmp_path):
    published = shared / "data" / "benchmarks"
    check_examples(build("Set14", published, tmp_path), open_benchmark("Set14", published))


def test_a_missing_set_is_told(tmp_path):
    with pytest.raises(AssertionError, match="(?s)does not exist or is empty.*http://www.manga109"):
        build("Manga109", tmp_path / "manual", tmp_path / "data")
    draw_set(tmp_path / "manual", "Set5")
    with pytest.raises(DataError, match="Manga109: no such folder; put the images"):
        build("Manga109", tmp_path / "manual", tmp_path / "data")


def test_a_broken_set_is_neither_built_nor_downloaded_instead(tmp_path):
    draw_set(tmp_path / "manual", "Set5")
    (tmp_path / "manual" / "Set5" / "LR_x4" / "2.png").unlink()
    with pytest.raises(DataError, match=r"2\.png: has no partner"):
        build("Set5", tmp_path / "manual", tmp_path / "data")
    builder = sr_benchmarks.Builder(data_dir=tmp_path / "data", config="set5")
    assert not builder.is_prepared()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002  (the name of the base class)
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A local copy of SelfExSR with a drawn Set5; the builder's URLs and checksums are its own."""
    data, checksums = tmp_path / "mirror" / "data", {}
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_QuietHandler, directory=str(tmp_path / "mirror"))
    )
    monkeypatch.setattr(module, "_SELFEXSR", f"http://127.0.0.1:{server.server_port}/data")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    for number in range(1, 6):
        file = f"Set5/image_SRF_4/img_{number:03d}_SRF_4_HR.png"
        draw(data / file, number, 16, 4 * number, gray=number == 2)
        content = (data / file).read_bytes()
        info = tfds.download.checksums.UrlInfo(
            size=len(content),
            checksum=hashlib.sha256(content).hexdigest(),
            filename=f"Set5_img_{number:03d}_SRF_4_HR.png",
        )
        checksums[f"{module._SELFEXSR}/{file}"] = info
    monkeypatch.setattr(sr_benchmarks.Builder, "url_infos", checksums)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield data / "Set5" / "image_SRF_4"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("manual", ["missing", "of another set"])
def test_set5_is_downloaded(mirror, tmp_path, manual):
    if manual == "of another set":
        draw_set(tmp_path / "manual", "Urban100")
    examples = build("Set5", tmp_path / "manual", tmp_path / "built")
    assert [example["name"].decode() for example in examples] == [
        f"img_{number:03d}_SRF_4" for number in range(1, 6)
    ]
    for example, path in zip(examples, sorted(mirror.iterdir()), strict=True):
        with Image.open(path) as image:
            hr = np.array(image.convert("RGB"))
            assert example["gray"] == (image.mode == "L")
        np.testing.assert_array_equal(example["hr"], hr)
        np.testing.assert_array_equal(example["lr"], bicubic_downscale(hr))


def test_a_set_in_the_manual_folder_is_not_downloaded(mirror, tmp_path):
    draw_set(tmp_path / "manual", "Set5")
    assert len(build("Set5", tmp_path / "manual", tmp_path / "built")) == 2


def test_a_changed_download_is_refused(mirror, tmp_path):
    draw(mirror / "img_003_SRF_4_HR.png", 99, 16, 12)
    with pytest.raises(tfds.download.download_manager.NonMatchingChecksumError):
        build("Set5", tmp_path / "manual", tmp_path / "built")


def test_checksums_are_those_of_the_published_files(shared):
    with (shared / "data" / "MANIFEST.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if "/HR/" in row["relative_path"]]
    rows = [row for row in rows if row["source_repo"] == "jbhuang0604/SelfExSR"]
    infos = dict(sr_benchmarks.Builder.url_infos)
    assert len(rows) == len(infos) == 119
    for row in rows:
        info = infos.pop(f"{module._SELFEXSR.removesuffix('/data')}/{row['original_file']}")
        content = (shared / "data" / row["relative_path"]).read_bytes()
        assert (info.size, info.checksum) == (len(content), hashlib.sha256(content).hexdigest())


def test_every_url_has_a_checksum():
    urls = [url for config in sr_benchmarks.Builder.BUILDER_CONFIGS for url in config.urls.values()]
    assert len(urls) == 5 + 14 + 100
    assert set(urls) == set(sr_benchmarks.Builder.url_infos)
    filenames = {info.filename for info in sr_benchmarks.Builder.url_infos.values()}
    assert len(filenames) == len(urls)  # TFDS takes a file of this name from the manual folder


# The program `tfds` cannot start without Beam and mlcroissant; this is its command `build` alone.
BUILD_ALONE = """
import sys
from tensorflow_datasets.scripts.cli import build, cli_utils
sys.argv[1:2] = []
cli_utils.make_flags_parser(build.Args, description="tfds build")(sys.argv).execute()
"""


@pytest.mark.slow
@pytest.mark.parametrize("program", ["build alone", "tfds"])
def test_tfds_build_and_load(repository, subprocess_environment, tmp_path, program):
    """The command builds from the folder of the builder; after the import, TFDS finds the set."""
    draw_set(tmp_path / "manual", "Urban100")
    start = ["-c", BUILD_ALONE]
    if program == "tfds":
        for needed in ("apache_beam", "mlcroissant"):  # the extra `datasets` has them
            if importlib.util.find_spec(needed) is None:
                pytest.skip(f"the program tfds needs {needed}")
        start = ["-m", "tensorflow_datasets.scripts.cli.main"]
    command = [sys.executable, *start, "build", "sr_data/builders/sr_benchmarks"]
    options = {
        "--config": "urban100",
        "--manual_dir": str(tmp_path / "manual"),
        "--data_dir": str(tmp_path / "data"),
    }
    subprocess.run(
        [*command, *itertools.chain(*options.items())],
        cwd=repository,
        env=subprocess_environment,
        check=True,
        capture_output=True,
    )
    examples = tfds.load(
        "sr_benchmarks/urban100", split="test", data_dir=tmp_path / "data", download=False
    )
    check_examples(list(tfds.as_numpy(examples)), open_benchmark("Urban100", tmp_path / "manual"))
