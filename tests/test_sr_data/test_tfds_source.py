import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sr_data.patches import PatchDataset
from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_data.sources import FolderSource, open_source
from sr_data.tfds_source import TfdsSource
from sr_program.errors import DataError, UsageError

tfds = pytest.importorskip("tensorflow_datasets")

IDS = [f"r{number:02d}" for number in range(4)]


class Various(tfds.core.GeneratorBasedBuilder):
    """Splits and features of several kinds, drawn here."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name=name, description=name)
        for name in ("image", "other", "two", "none", "broken")
    ]

    def _info(self):
        image = tfds.features.Image(shape=(None, None, 3), encoding_format="png")
        features = {
            "image": {"image": image, "thumbnail": image},
            "other": {"picture": image, "label": np.int64},
            "two": {"left": image, "right": image},
            "none": {"label": np.int64},
            "broken": {"image": image},
        }[self.builder_config.name]
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        if self.builder_config.name == "broken":
            raise RuntimeError("the site\nis gone")
        return {"a": self._generate_examples(0), "b": self._generate_examples(10)}

    def _generate_examples(self, first):
        for number in range(first, first + 3):
            values = {name: photo(number) for name in ("image", "picture", "left", "right")}
            values |= {"thumbnail": photo(99), "label": number}
            yield number, {name: values[name] for name in self.info.features}


def photo(seed, height=16, width=20):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """What TFDS_DATA_DIR names, with a RAISE list of four photos in its manual folder."""
    folder = tmp_path / "tfds"
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(folder))
    manual = folder / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "RAISE_1k.csv").write_text("\n".join(["File", *IDS]))
    for seed, one in enumerate(IDS):
        Image.fromarray(photo(seed, 24 + 4 * seed, 32)).save(manual / f"{one}.TIF")
    return folder


def test_a_data_set_is_made_and_read_in_any_order(data_dir):
    source = TfdsSource("raise_sr/raise_1k")
    assert len(source) == 4
    assert source.names == ("train/000000", "train/000001", "train/000002", "train/000003")
    for index in (3, 0, 2):
        np.testing.assert_array_equal(source[index], photo(index, 24 + 4 * index, 32))
    (made,) = (data_dir / "raise_sr" / "raise_1k" / "1.0.0").glob("*.array_record*")
    before = made.stat().st_mtime_ns
    assert len(open_source("tfds:raise_sr/raise_1k:1.0.0:train[50%:]")) == 2
    assert made.stat().st_mtime_ns == before
    assert str(source) == "tfds:raise_sr/raise_1k"


def test_batches_are_those_of_the_photos(data_dir):
    from_tfds, from_files = (
        PatchDataset(source, crop_size=16, batch_size=4, steps_per_epoch=3, seed=2)
        for source in (
            TfdsSource("raise_sr/raise_1k"),
            FolderSource(data_dir / "downloads" / "manual"),
        )
    )
    for index in range(3):
        for one, other in zip(from_tfds[index], from_files[index], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_data_set_can_be_prepared(data_dir, tmp_path):
    pytest.importorskip("array_record")
    settings = TileSettings(tile=16, shard_size=1)
    prepare("tfds:raise_sr/raise_1k", tmp_path / "set", settings, workers=1)
    source = PreparedSource(tmp_path / "set")
    assert source.names[3] == "train/000003"
    np.testing.assert_array_equal(source.cut(3, 1, 2, 6)[0], photo(3, 36, 32)[4:28, 8:32])


def test_features_and_splits(data_dir):
    np.testing.assert_array_equal(TfdsSource("various/image:b")[1], photo(11))
    np.testing.assert_array_equal(TfdsSource("various/other:a")[2], photo(2))
    assert len(TfdsSource("various/image:a+b")) == 6
    with pytest.raises(UsageError, match=r"tfds:various/image: name a split: a, b"):
        TfdsSource("various/image")
    with pytest.raises(DataError, match=r"no feature hr or image .* its images are: left, right"):
        TfdsSource("various/two:a")
    with pytest.raises(DataError, match=r"its images are: none"):
        TfdsSource("various/none:a")


@pytest.mark.parametrize(
    ("spec", "kind", "complaint"),
    [
        ("no name", UsageError, "unknown data set 'no name'; write tfds:NAME"),
        ("a/b/c", UsageError, "unknown data set 'a/b/c'"),
        ("no_such_data_set", UsageError, "tfds:no_such_data_set: .*not found"),
        ("raise_sr/raise_3k", UsageError, "tfds:raise_sr/raise_3k: .*raise_3k"),
        ("raise_sr/raise_2k", DataError, r"RAISE_2k\.csv: is missing"),
        ("raise_sr/raise_1k:test", UsageError, "tfds:raise_sr/raise_1k:test: .*'?test'?"),
        ("various/broken:a", DataError, "tfds:various/broken:a: cannot be made: the site is gone"),
    ],
)
def test_mistakes_are_told_in_one_line(data_dir, spec, kind, complaint):
    with pytest.raises(kind) as error:
        TfdsSource(spec)
    assert re.search(complaint, str(error.value)) and "\n" not in str(error.value)


def test_an_empty_manual_folder_is_told(data_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "empty"))
    with pytest.raises(
        DataError, match="cannot be made: Manual directory .* does not exist"
    ) as error:
        TfdsSource("raise_sr/raise_1k")
    assert "\n" not in str(error.value)


def test_another_format_is_told(data_dir):
    """Made before, in the usual format, which has no random access."""
    tfds.builder("various/image", data_dir=data_dir).download_and_prepare()
    with pytest.raises(DataError, match="random access, in .*1.0.0; build it with --file"):
        TfdsSource("various/image:a")


def test_a_damaged_file_is_named(data_dir):
    source = TfdsSource("various/image:a")
    (path,) = data_dir.glob("various/image/1.0.0/various-a.array_record*")
    content = bytearray(path.read_bytes())
    start = content.index(b"\x89PNG")
    content[start + 60] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^tfds:various/image:a: a/00000\d: "):
        for index in range(3):
            source[index]


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match=r"pip install 'bi-gans-st\[datasets\]'"):
        TfdsSource("div2k")


def test_reading_needs_no_tensorflow(data_dir, subprocess_environment):
    TfdsSource("raise_sr/raise_1k")
    code = (
        "import sys\n"
        "from sr_data.patches import PatchDataset\n"
        "from sr_data.sources import open_source\n"
        "source = open_source('tfds:raise_sr/raise_1k')\n"
        "data = PatchDataset(source, crop_size=16, batch_size=4, steps_per_epoch=2)\n"
        "assert data[1][1].shape == (4, 16, 16, 3)\n"
        "assert 'tensorflow' not in sys.modules, 'TensorFlow was imported'\n"
    )
    pytest.importorskip("jax")
    environment = {
        **subprocess_environment,
        "KERAS_BACKEND": "jax",
        "TFDS_DATA_DIR": str(data_dir),
    }
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
