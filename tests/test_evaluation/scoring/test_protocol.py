import math
from pathlib import Path

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from evaluation.scoring.protocol import MEASURES, Instruments, Scorer, Scores, set_means

WITHOUT_FILES = {"psnr", "ssim", "psnr_border4", "rmse", "lr_consistency"}


@pytest.fixture(scope="module")
def pair(draw_photo) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HR, LR and an enlargement."""
    hr = draw_photo(64, 72, 1)
    noise = np.random.default_rng(2).normal(0, 6, hr.shape)
    return hr, draw_photo(16, 18, 3), np.clip(hr + noise, 0, 255).astype(np.uint8)


def luma(image: np.ndarray) -> np.ndarray:
    """By scikit-image, in floating point, then rounded."""
    return np.floor(rgb2ycbcr(image)[..., 0] + 0.5).astype(np.uint8)


def shaved(image: np.ndarray, border: int) -> np.ndarray:
    return image[border:-border, border:-border]


def test_the_two_protocols(pair) -> None:
    hr, lr, sr = pair
    scores = Scorer(Instruments())(hr, lr, sr)
    six = [shaved(luma(image), 6) for image in (hr, sr)]
    four = [shaved(luma(image), 4) for image in (hr, sr)]
    assert scores.problems == {}
    assert set(scores.values) == WITHOUT_FILES
    psnr = peak_signal_noise_ratio(*six, data_range=255)
    assert scores.values["psnr"] == pytest.approx(psnr, abs=1e-9)
    ssim = structural_similarity(
        *six, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert scores.values["ssim"] == pytest.approx(ssim, abs=1e-6)
    psnr = peak_signal_noise_ratio(*four, data_range=255)
    assert scores.values["psnr_border4"] == pytest.approx(psnr, abs=1e-9)
    rmse = math.sqrt(np.mean((four[0].astype(float) - four[1]) ** 2))
    assert scores.values["rmse"] == pytest.approx(rmse, abs=1e-9)


def test_the_borders() -> None:
    hr, lr = np.full((40, 40, 3), 100, np.uint8), np.full((10, 10, 3), 100, np.uint8)
    scorer = Scorer(Instruments())
    outside = np.full_like(hr, 200)
    outside[4:-4, 4:-4] = 100
    values = scorer(hr, lr, outside).values
    assert (values["psnr_border4"], values["rmse"]) == (math.inf, 0)
    between = hr.copy()
    between[4:6] = 200
    values = scorer(hr, lr, between).values
    assert (values["psnr"], values["ssim"]) == (math.inf, 1)
    assert values["rmse"] == 21.5  # 188 against 102 in 2 of 32 rows
    assert values["psnr_border4"] == pytest.approx(20 * math.log10(255 / 21.5), abs=1e-9)


def test_lr_consistency_is_of_the_rgb_images() -> None:
    lr, sr = np.full((10, 10, 3), 100, np.uint8), np.full((40, 40, 3), 100, np.uint8)
    sr[..., 2] = 110
    # a difference of 10 in one channel of three
    expected = 10 * math.log10(255**2 / (100 / 3))
    found = Scorer(Instruments())(sr, lr, sr).values["lr_consistency"]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_gray_image_is_its_own_luma() -> None:
    hr, lr = np.full((40, 40, 3), 100, np.uint8), np.full((10, 10, 3), 100, np.uint8)
    tinted = np.broadcast_to(np.array([110, 100, 100], np.uint8), hr.shape)
    scorer = Scorer(Instruments())
    # 0.299 of 10 levels, rounded: 3 of 0..255; in the studio swing of RGB it would be 65.481/255
    assert scorer(hr, lr, tinted, is_gray=True).values["rmse"] == 3
    brighter = np.full_like(hr, 110)
    assert scorer(hr, lr, brighter, is_gray=True).values["rmse"] == 10
    assert scorer(hr, lr, brighter).values["rmse"] == 8  # 220/255 of 10: from 102 to 111, rounded
    expected = 10 * math.log10(255**2 / 100)
    assert scorer(hr, lr, brighter, is_gray=True).values["psnr"] == pytest.approx(expected)


class Fake:
    """A measure without a reference that keeps what it was given."""

    seen: list[np.ndarray] = []

    def __init__(self, path: Path) -> None:
        self.value = float(path.name)

    def __call__(self, luma: np.ndarray) -> float:
        self.seen.append(luma)
        return self.value


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    monkeypatch.setattr("evaluation.metrics.niqe.Niqe", Fake)
    monkeypatch.setattr("evaluation.metrics.ma.MaMetric", Fake)
    monkeypatch.setattr(Fake, "seen", [])
    return Fake.seen


def test_perceptual_index(pair, fakes) -> None:
    hr, lr, sr = pair
    scores = Scorer(Instruments(niqe=Path("4.5"), ma=Path("7")))(hr, lr, sr)
    assert scores.values["niqe"] == 4.5 and scores.values["ma"] == 7
    assert scores.values["perceptual_index"] == 3.75  # (10 - 7 + 4.5) / 2
    assert len(fakes) == 2
    for seen in fakes:
        np.testing.assert_array_equal(seen, shaved(luma(sr), 4))


@pytest.mark.parametrize("instruments", [Instruments(niqe=Path("4")), Instruments(ma=Path("7"))])
def test_no_index_without_both(pair, fakes, instruments: Instruments) -> None:
    scores = Scorer(instruments)(*pair)
    assert set(scores.values) == set(instruments.measures) and len(fakes) == 1
    assert scores.problems == {}


def test_an_image_that_is_too_small_for_niqe(draw_photo, niqe_file) -> None:
    """One block of 96x96 after shaving; two need 200x104 pixels."""
    scorer = Scorer(Instruments(niqe=niqe_file))
    hr, lr = draw_photo(104, 196), draw_photo(26, 49)
    scores = scorer(hr, lr, hr)
    assert set(scores.values) == WITHOUT_FILES
    assert set(scores.problems) == {"niqe"}
    assert "too small" in scores.problems["niqe"] and "\n" not in scores.problems["niqe"]
    hr, lr = draw_photo(104, 200), draw_photo(26, 50)
    scores = scorer(hr, lr, hr)
    assert set(scores.values) == {*WITHOUT_FILES, "niqe"}
    assert scores.problems == {}


def test_the_index_tells_why_it_is_missing(draw_photo, niqe_file, ma_file) -> None:
    scores = Scorer(Instruments(niqe=niqe_file, ma=ma_file))(
        draw_photo(104, 196), draw_photo(26, 49), draw_photo(104, 196)
    )
    assert set(scores.values) == {*WITHOUT_FILES, "ma"}
    assert set(scores.problems) == {"niqe", "perceptual_index"}
    assert scores.problems["perceptual_index"] == "it needs NIQE and Ma"


def test_a_tiny_image_has_problems_and_raises_nothing(niqe_file, draw_photo) -> None:
    hr, lr = draw_photo(8, 8), draw_photo(2, 2)
    scores = Scorer(Instruments(niqe=niqe_file))(hr, lr, hr)
    assert set(scores.values) == {"lr_consistency"}
    assert set(scores.problems) == {"psnr", "ssim", "psnr_border4", "rmse", "niqe"}


@pytest.mark.parametrize("size", [(64, 68), (60, 72), (16, 18)])
def test_a_result_of_another_size(pair, size) -> None:
    hr, lr, _ = pair
    scores = Scorer(Instruments())(hr, lr, np.zeros((*size, 3), np.uint8))
    assert scores.values == {}
    assert scores.problems == {"image": f"the result is {size[1]}x{size[0]} pixels, HR is 72x64"}


@pytest.mark.parametrize(
    ("name", "place", "instruments"),
    [
        ("lpips", "lpips_distance.LpipsDistance", Instruments(lpips=True)),
        ("stlpips", "stlpips_distance.StLpipsDistance", Instruments(stlpips=True)),
        (
            "structure_texture",
            "structure_texture.StructureTextureDistance",
            Instruments(vgg=Path("v")),
        ),
    ],
)
def test_distances_of_the_colours(pair, monkeypatch, name, place, instruments) -> None:
    hr, lr, sr = pair

    class Distance:
        def __init__(self, *files: Path) -> None:
            assert files in ((), (Path("v"),))

        def __call__(self, reference: np.ndarray, image: np.ndarray) -> float:
            np.testing.assert_array_equal(reference, hr)
            np.testing.assert_array_equal(image, sr)
            return 0.25

    monkeypatch.setattr(f"evaluation.metrics.{place}", Distance)
    scores = Scorer(instruments)(hr, lr, sr)
    assert set(scores.values) == set(instruments.measures)
    assert scores.values[name] == 0.25


@pytest.mark.parametrize(
    ("instruments", "more"),
    [
        (Instruments(), set()),
        (Instruments(niqe=Path("n")), {"niqe"}),
        (Instruments(ma=Path("m")), {"ma"}),
        (Instruments(niqe=Path("n"), ma=Path("m")), {"niqe", "ma", "perceptual_index"}),
        (Instruments(lpips=True), {"lpips"}),
        (Instruments(stlpips=True), {"stlpips"}),
        (Instruments(vgg=Path("v")), {"structure_texture"}),
    ],
)
def test_what_can_be_measured(instruments: Instruments, more: set[str]) -> None:
    assert set(instruments.measures) == WITHOUT_FILES | more
    assert list(instruments.measures) == [name for name in MEASURES if name in instruments.measures]


def test_fingerprints_are_of_the_content(tmp_path: Path) -> None:
    first, second, copy = (tmp_path / name for name in ("1", "2", "copy"))
    for path, content in ((first, b"one"), (second, b"two"), (copy, b"one")):
        path.write_bytes(content)
    assert Instruments().fingerprints() == {}
    one = Instruments(niqe=first, ma=second).fingerprints()
    assert set(one) == {"niqe", "ma"}
    assert one == Instruments(niqe=copy, ma=second).fingerprints()
    assert Instruments(vgg=first).fingerprints() == {"structure_texture": one["niqe"]}
    other = Instruments(niqe=second).fingerprints()
    assert other["niqe"] == one["ma"] != one["niqe"]


def test_means_of_a_set() -> None:
    scores = [
        Scores({"psnr": 20.0, "rmse": 3.0, "niqe": 4.0, "ma": 6.0, "perceptual_index": 4.0}),
        Scores({"psnr": 30.0, "rmse": 4.0, "niqe": 2.0, "ma": 9.0, "perceptual_index": 1.5}),
        Scores({"psnr": 40.0}, {"niqe": "too small"}),
    ]
    assert set_means(scores) == {
        "psnr": 30,
        "rmse": math.sqrt(12.5),  # root of the mean of 9 and 16, not 3.5
        "niqe": 3,
        "ma": 7.5,
        "perceptual_index": 2.75,  # ((10 - 7.5) + 3) / 2
    }
    assert set_means([]) == {}
