import itertools
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from sr_data.prepare.preparation import prepare
from sr_data.prepare.tile_manifest import TileSettings
from sr_data.prepared import PreparedSource
from sr_images.bicubic import bicubic_downscale
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError

array_record_module = pytest.importorskip("array_record.python.array_record_module")


@pytest.fixture(scope="module")
def prepared(noise_photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "set"
    settings = TileSettings(tile=16, shard_size=2)
    prepare(f"folder:{noise_photos}", folder, settings, workers=1)
    return folder


def photos(folder):
    """(HR, LR) of each photo, cut to a multiple of 4."""
    for path in sorted(folder.iterdir()):
        hr = read_rgb(path)
        hr = hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4]
        yield hr, bicubic_downscale(hr)


def test_every_crop_of_every_photo(noise_photos, prepared):
    """Of sizes below, at and above that of the tiles, which is 4 LR pixels."""
    source = PreparedSource(prepared)
    assert source.names == ("0.png", "1.png", "2.png", "3.png", "4.png") and len(source) == 5
    for number, (hr, lr) in enumerate(photos(noise_photos)):
        for side in (1, 3, 4, 5):
            rows, columns = (length - side + 1 for length in lr.shape[:2])
            for row, column in itertools.product(range(rows), range(columns)):
                crop_hr, crop_lr = source.cut(number, row, column, side)
                np.testing.assert_array_equal(crop_lr, lr[row : row + side, column : column + side])
                corner = hr[4 * row : 4 * (row + side), 4 * column : 4 * (column + side)]
                np.testing.assert_array_equal(crop_hr, corner)


def test_a_whole_photo_is_a_crop_too(noise_photos, prepared):
    hr, lr = list(photos(noise_photos))[0]
    crop_hr, crop_lr = PreparedSource(prepared).cut(0, 0, 0, 16)
    np.testing.assert_array_equal(crop_hr, hr[:64, :64])
    np.testing.assert_array_equal(crop_lr, lr[:16, :16])


def test_fields_are_all_positions(noise_photos, prepared):
    fields = PreparedSource(prepared).fields(6).tolist()
    expected = [
        [number, 0, 0, lr.shape[0] - 5, lr.shape[1] - 5]
        for number, (_, lr) in enumerate(photos(noise_photos))
        if min(lr.shape[:2]) >= 6
    ]
    assert fields == expected and len(fields) == 4
    assert PreparedSource(prepared).smaller_than(24) == ["3.png"]
    assert PreparedSource(prepared).smaller_than(20) == []


def test_the_files_hold_what_the_format_says(noise_photos, prepared):
    """Read without the code under test: the records of the last photo, 76x68, in the last file."""
    path = prepared / "shards" / "00002.array_record"
    records = array_record_module.ArrayRecordReader(str(path)).read_all()
    hr, lr = list(photos(noise_photos))[4]
    assert (hr.shape, lr.shape) == ((76, 68, 3), (19, 17, 3))
    corners = list(itertools.product(range(0, 19, 4), range(0, 17, 4)))
    assert len(records) == len(corners) == 25
    for tile, (record, (row, column)) in enumerate(zip(records, corners, strict=True)):
        small = lr[row : row + 4, column : column + 4]
        large = hr[4 * row : 4 * row + 16, 4 * column : 4 * column + 16]
        header = b"SRT1" + bytes([0, 0, 0, 0, tile, 0, 0, 0, small.shape[0], 0, small.shape[1], 0])
        assert record == header + large.tobytes() + small.tobytes()


def test_flat_tiles_begin_no_crop(tmp_path):
    """A photo whose tile 1 of 2 x 3 is nearly flat: its standard deviation is 2."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    pixels[:16, 16:32] = 100
    pixels[:16, 16:32:2] = 104
    (tmp_path / "photos").mkdir()
    write_rgb(tmp_path / "photos" / "a.png", pixels)
    write_rgb(tmp_path / "photos" / "b.png", 255 - pixels[16:])
    places = {}
    for min_std in (2.0, 2.01):
        folder = tmp_path / str(min_std)
        settings = TileSettings(tile=16, min_std=min_std)
        prepare(f"folder:{tmp_path / 'photos'}", folder, settings, workers=1)
        fields = PreparedSource(folder).fields(2).tolist()
        places[min_std] = [
            (number, top + row, left + column)
            for number, top, left, rows, columns in fields
            for row, column in itertools.product(range(rows), range(columns))
        ]
    everywhere = [(0, *place) for place in itertools.product(range(7), range(11))]
    everywhere += [(1, *place) for place in itertools.product(range(3), range(11))]
    assert places[2.0] == everywhere
    left_out = {(0, *place) for place in itertools.product(range(4), range(4, 8))}
    assert len(places[2.01]) == len(set(places[2.01]))
    assert set(places[2.01]) == set(everywhere) - left_out
    # a crop may end in the flat tile: its pixels are there
    hr, _ = PreparedSource(tmp_path / "2.01").cut(0, 0, 3, 4)
    np.testing.assert_array_equal(hr, pixels[:16, 12:28])


def test_incomplete_missing_and_foreign_folders(tmp_path, prepared):
    with pytest.raises(DataError, match="nowhere: holds no prepared photos; make them: python"):
        PreparedSource(tmp_path / "nowhere")
    copy = shutil.copytree(prepared, tmp_path / "copy")
    (copy / "manifest.json").unlink()
    with pytest.raises(DataError, match="copy: is not complete; run its preparation again"):
        PreparedSource(copy)
    for content, complaint in [
        ("[]", "is not of the kind"),
        ('{"format": "another"}', "is not of the kind"),
        ('{"shards": []}', r"is damaged \(KeyError: 'settings'\)"),
        ('{"shards": [', r"is damaged \(JSONDecodeError"),
    ]:
        (copy / "manifest.json").write_text(content)
        with pytest.raises(DataError, match=rf"manifest\.json: {complaint}"):
            PreparedSource(copy)


def test_missing_and_cut_off_files_are_named_at_once(tmp_path, prepared):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    path = copy / "shards" / "00001.array_record"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"00001\.array_record: has not the \d+ bytes .* anew"):
        PreparedSource(copy)
    path.unlink()
    with pytest.raises(DataError, match=r"00001\.array_record: is missing; run the preparation"):
        PreparedSource(copy)


def test_damaged_tiles_are_named_when_they_are_read(tmp_path, prepared):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    source = PreparedSource(copy)
    path = copy / "shards" / "00000.array_record"
    content = bytearray(path.read_bytes())
    tile = content.index(b"SRT1" + bytes([1, 0, 0, 0, 2, 0, 0, 0]))
    content[tile + 100] ^= 1
    path.write_bytes(content)
    source.cut(1, 0, 0, 4)
    with pytest.raises(DataError, match=r"00000\.array_record: is damaged .*; run the preparation"):
        source.cut(1, 0, 8, 4)


def test_files_of_another_set_are_noticed(tmp_path, prepared):
    """Of the same size, and undamaged in themselves."""
    copy = shutil.copytree(prepared, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["shards"][0]["photos"].reverse()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"00000\.array_record: holds another record where tile"):
        PreparedSource(copy).cut(1, 0, 0, 4)


@pytest.mark.parametrize("backend", ["jax"])
def test_training_data_without_tensorflow(subprocess_environment, prepared, backend):
    pytest.importorskip(backend)
    code = (
        "import sys\n"
        "from sr_data.patches import PatchDataset\n"
        "from sr_data.sources import open_source\n"
        f"source = open_source('prepared:' + {str(prepared)!r})\n"
        "data = PatchDataset(source, crop_size=16, batch_size=4, steps_per_epoch=2)\n"
        "assert data[1][1].shape == (4, 16, 16, 3)\n"
        "assert 'tensorflow' not in sys.modules, 'TensorFlow was imported'\n"
    )
    environment = {**subprocess_environment, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
