"""The metric of Ma et al. as a whole, against the numbers of the official code where they are."""

import csv
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.io
from PIL import Image

from evaluation.metrics import ma
from evaluation.metrics.ma import MaMetric, ma_features
from evaluation.metrics.ma_parts.block_dct import block_statistics
from evaluation.metrics.ma_parts.gaussian_levels import gaussian_kernel, gaussian_levels
from evaluation.metrics.ma_parts.scale_mixture import scale_mixture_features
from evaluation.metrics.model_files import MA_MODEL
from sr_images.luma import rgb_to_y
from sr_program.errors import DataError

NTSC = np.array([0.298936021293776, 0.587043074451121, 0.114020904255103])
PICTURES = 31


class Row(NamedTuple):
    """A picture of the reference: what `ma_predict.csv` says of it, and our features."""

    numbers: dict[str, str]
    features: np.ndarray


@pytest.fixture(scope="module")
def reference(shared: Path) -> Path:
    folder = shared / "reference" / "metrics"
    if not (folder / "ma_predict.csv").is_file():
        pytest.skip(f"needs the reference numbers of the metrics, {folder}")
    return folder


@pytest.fixture(scope="module")
def debug_crop(reference: Path) -> Any:
    return np.load(reference / "ma_debug_crop.npz")


@pytest.fixture(scope="module")
def rows(reference: Path, shared: Path) -> list[Row]:
    hashes = {row["image"]: row["source_sha256"] for row in read(reference / "niqe.csv")}
    return [
        Row(row, ma_features(prepared(row, hashes[row["image"]], reference, shared)))
        for row in read(reference / "ma_predict.csv")
    ]


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def prepared(row, sha256, reference, shared):
    """The 8-bit image that a row belongs to."""
    name, mode = row["image"], row["mode"]
    if mode == "y4":
        return np.asarray(Image.open(reference / "images_y" / f"{name.replace('/', '_')}_y4.png"))
    rgb = np.asarray(Image.open(source(name, sha256, reference, shared)))
    if mode == "rgb":
        return np.floor(rgb @ NTSC + 0.5).astype(np.uint8)
    if mode == "y4h" or row["luma_ties"] == "0":
        luma = rgb_to_y(rgb)
        return luma[4:-4, 4:-4] if mode == "y4h" else luma
    # in doubles as MATLAB: most exact halves go down
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    weights = np.array([65.481, 128.553, 24.966]) * (1 / 255)
    luma = weights[0] * red + weights[1] * green + weights[2] * blue + 16
    return np.floor(luma + 0.5).astype(np.uint8)


def source(name, sha256, reference, shared):
    folder, picture = name.split("/")
    if folder != "Set5":
        prefix = "pyiqa_" if folder == "pyiqa" else ""
        return reference / "images" / f"{prefix}{picture}.png"
    for path in (shared / "data" / "benchmarks" / "Set5" / "HR").glob("*.png"):
        if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
    pytest.skip(f"needs the HR image of {name} in data/benchmarks/Set5/HR")


# --- the official code ---


def test_features_of_the_official_code(rows, reference):
    expected = np.load(reference / "ma_features.npz")
    assert [(row.numbers["image"], row.numbers["mode"]) for row in rows] == list(
        zip(expected["image"], expected["mode"], strict=True)
    )
    assert len(rows) == PICTURES
    actual = np.stack([row.features for row in rows])
    assert actual.shape == (PICTURES, 138) and actual.dtype == np.float64
    np.testing.assert_allclose(actual[:, :18], expected["f1"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(actual[:, 18:63], expected["f2"], rtol=0, atol=1e-10)
    values = actual[:, 63:].reshape(PICTURES, 3, 25).swapaxes(1, 2)
    np.testing.assert_allclose(values, expected["f3"], rtol=1e-10)
    np.testing.assert_allclose(actual, expected["features"], rtol=1e-8, atol=1e-8)
    # the forests' splits lie on the grid: these must be the same doubles
    np.testing.assert_array_equal(actual[:, 18:36], expected["f2"][:, :18])


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("ma_synthetic_model.mat", ["s1", "s2", "s3", "score"]),
        ("ma_synthetic_model_gridties.mat", ["s1", "s2_gridties", "s3", "score_gridties"]),
    ],
)
def test_scores_of_the_official_code(rows, reference, file, columns):
    metric = MaMetric(reference / file)
    expected = [[float(row.numbers[column]) for column in columns] for row in rows]
    actual = [
        [*metric.model.predictions(row.features), metric.model.score(row.features)] for row in rows
    ]
    # another leaf of one of the 60 trees would move a prediction by some hundredths
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10)


def test_a_call_scores_the_features(reference):
    metric = MaMetric(str(reference / "ma_synthetic_model.mat"))
    luma = np.asarray(Image.open(next((reference / "images_y").glob("*.png"))))[:99, :80]
    features = metric.features(luma)
    np.testing.assert_array_equal(features, ma_features(luma))
    assert metric(luma) == metric.model.score(features)


def test_intermediates_of_the_official_code(debug_crop):
    levels = gaussian_levels(debug_crop["crop"])
    kernel = gaussian_kernel()
    np.testing.assert_allclose(np.outer(kernel, kernel), debug_crop["gauss3"], atol=1e-15)
    for number, level in enumerate(levels, start=1):
        if number > 1:
            np.testing.assert_allclose(level, debug_crop[f"im{number}"], rtol=0, atol=1e-14)
        statistics = block_statistics(level)
        np.testing.assert_array_equal(statistics.shape, debug_crop[f"gama_map_{number}"])
        maps = [("cv_map", statistics.variation)]
        maps += [(f"ori{i + 1}_map", plane) for i, plane in enumerate(statistics.directions)]
        for name, plane in maps:
            expected = debug_crop[f"{name}_{number}"]
            np.testing.assert_allclose(plane, expected, rtol=0, atol=1e-8, err_msg=name)
    features = ma_features(debug_crop["crop"])
    np.testing.assert_allclose(features[:18], debug_crop["f1"][0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(features[18:63], debug_crop["f2"][0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(features[63:], debug_crop["f3"].T.ravel(), rtol=1e-10)


# --- without the official numbers ---


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def test_the_order_of_the_features():
    luma = noise(135, 141)
    features = ma_features(luma)
    np.testing.assert_array_equal(features[18:63], scale_mixture_features(luma))
    # the singular values of the patches, by NumPy; the sum of their squares is the image's
    first, second, third = gaussian_levels(luma)
    patches = (luma[:, :140] / 255).reshape(27, 5, 28, 5).swapaxes(1, 2).reshape(-1, 25)
    assert features[63:88].size == 25
    assert np.sum(features[63:88] ** 2) == pytest.approx(np.sum(first**2))
    assert features[63] >= np.linalg.svd(patches, compute_uv=False)[0]
    assert np.sum(features[88:113] ** 2) == pytest.approx(np.sum(second**2))
    assert np.sum(features[113:] ** 2) == pytest.approx(np.sum(third**2))
    # white noise has Gaussian coefficients, of shape 2
    assert features[1] == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("size", [(44, 100), (100, 44), (1, 1)])
def test_an_image_that_is_too_small(size):
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} pixels is too small.*45x45"):
        ma_features(noise(*size))


def test_the_smallest_image():
    features = ma_features(noise(45, 45))
    assert np.all(np.isfinite(features))
    assert np.all(features[113:122] > 0)
    # its last level has only nine patches
    np.testing.assert_allclose(features[122:], 0, atol=1e-12)


def test_other_arrays_than_8_bit_luma():
    luma = noise(64, 64)
    wrong: Any
    for wrong in (luma / 255, luma.astype(np.int32), np.dstack([luma] * 3), luma[0]):
        with pytest.raises(ValueError, match="uint8"):
            ma_features(wrong)


@pytest.mark.parametrize("size", [(64, 64), (101, 97)])
def test_a_flat_image(size):
    with pytest.raises(ValueError, match="flat"):
        ma_features(np.full(size, 77, np.uint8))


def test_views_are_scored_like_copies():
    whole = noise(60, 130)
    part = whole[4:-4, 3:-3:2]
    np.testing.assert_array_equal(ma_features(part), ma_features(part.copy()))


def test_without_a_path_the_official_file_is_fetched(tmp_path, monkeypatch):
    asked = []

    def fetch(model_file):
        asked.append(model_file)
        raise DataError("not on this machine")

    monkeypatch.setattr(ma, "fetch", fetch)
    with pytest.raises(DataError, match="not on this machine"):
        MaMetric()
    assert asked == [MA_MODEL]
    assert len(ma_features(noise(50, 50))) == 138  # goes without


def test_another_file(tmp_path):
    path = tmp_path / "model.mat"
    scipy.io.savemat(path, {"mu_prisparam": np.zeros(36)})
    with pytest.raises(DataError, match="no variable 'model'"):
        MaMetric(path)
