from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bigans.models.runtime import IN_TENSORFLOW, Computing
from evaluation.methods.fusion_points import FusionPoint
from evaluation.methods.method import (
    Bicubic,
    Fused,
    Generator,
    Original,
    ResultsFolder,
    Together,
)
from sr_data.benchmarks import BenchmarkImage, open_benchmark
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import write_rgb
from sr_program.errors import DataError

load = IN_TENSORFLOW.load

POINTS = [
    FusionPoint("faithful", "quantile", 0.0),
    FusionPoint("between", "quantile", 0.73),
    FusionPoint("bounded", "absolute", 8),
    FusionPoint("vivid", "quantile", 1.0),
]
EVERYTHING = [point.label for point in POINTS]


@pytest.fixture(scope="module")
def image(drawn_sets: Path) -> BenchmarkImage:
    return open_benchmark("Set5", drawn_sets)[0]


def rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(values + 0.5).astype(np.uint8)


def test_the_original_is_itself(image) -> None:
    np.testing.assert_array_equal(Original().enlarge("Set5", image, ["HR"])["HR"], image.hr)
    assert Original("best").variants == ("best",)
    assert Original().identity != Bicubic().identity


def test_bicubic(image) -> None:
    for method, label in ((Bicubic(), "bicubic"), (Bicubic("Bicubic x4"), "Bicubic x4")):
        assert method.variants == (label,)
        made = method.enlarge("Set5", image, [label])
        assert list(made) == [label]
        np.testing.assert_array_equal(made[label], bicubic_upscale(image.lr, 4))


# --- results of others ---


def write_result(path: Path, value: int) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    result = np.full((48, 64, 3), value, np.uint8)
    write_rgb(path, result)
    return result


@pytest.mark.parametrize("name", ["baby.png", "baby_x4.png", "babyx4.bmp", "baby_SR.png",
                                  "baby_SRx4.png", "baby_SR_x4.png", "baby_x4_SR.tif",
                                  "baby_HR.png", "baby_out.png", "baby_rlt.PNG"])  # fmt: skip
@pytest.mark.parametrize("folder", ["", "Set5"])
def test_results_by_their_names(image, tmp_path, folder, name) -> None:
    expected = write_result(tmp_path / "ours" / folder / name, 7)
    write_result(tmp_path / "ours" / folder / "baby2.png", 8)
    method = ResultsFolder(tmp_path / "ours")
    assert method.variants == ("ours",)
    np.testing.assert_array_equal(method.enlarge("Set5", image, ["ours"])["ours"], expected)


def test_each_set_has_its_own_folder(image, tmp_path) -> None:
    write_result(tmp_path / "baby.png", 1)
    write_result(tmp_path / "Set14" / "baby.png", 14)
    method = ResultsFolder(tmp_path, "method")
    assert method.enlarge("Set14", image, ["method"])["method"].max() == 14
    assert method.enlarge("Set5", image, ["method"])["method"].max() == 1


def test_the_name_alone_comes_first(image, tmp_path) -> None:
    write_result(tmp_path / "baby_x4.png", 4)
    write_result(tmp_path / "baby.png", 1)
    assert ResultsFolder(tmp_path, "x").enlarge("Set5", image, ["x"])["x"].max() == 1


def test_two_results_of_one_name(image, tmp_path) -> None:
    write_result(tmp_path / "baby.bmp", 4)
    write_result(tmp_path / "baby.png", 1)
    with pytest.raises(DataError, match="baby.bmp: baby.png has the same name; remove one"):
        ResultsFolder(tmp_path, "x").enlarge("Set5", image, ["x"])


def test_a_folder_is_named_by_its_place(tmp_path, monkeypatch) -> None:
    write_result(tmp_path / "ESRGAN" / "baby.png", 1)
    monkeypatch.chdir(tmp_path / "ESRGAN")
    assert ResultsFolder(".").variants == ("ESRGAN",)
    assert ResultsFolder(".").identity == ResultsFolder(tmp_path / "ESRGAN").identity
    assert ResultsFolder(".", "other").variants == ("other",)


def test_a_missing_result(image, tmp_path) -> None:
    write_result(tmp_path / "Set5" / "bird.png", 1)
    method = ResultsFolder(tmp_path)
    expected = r"Set5: holds no result named baby; add baby.png"
    with pytest.raises(DataError, match=expected):
        method.enlarge("Set5", image, method.variants)
    with pytest.raises(DataError, match=expected):
        method.fingerprint("Set5", image)


def test_a_damaged_result(image, tmp_path) -> None:
    write_result(tmp_path / "baby.png", 1)
    content = (tmp_path / "baby.png").read_bytes()
    (tmp_path / "baby.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="baby.png: is damaged"):
        ResultsFolder(tmp_path, "x").enlarge("Set5", image, ["x"])


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_no_folder_of_results(tmp_path, kind) -> None:
    place = tmp_path / "results"
    if kind == "empty":
        (place / "Set5").mkdir(parents=True)
    elif kind == "file":
        place.touch()
    with pytest.raises(DataError, match="results: (no such folder|holds no image)"):
        ResultsFolder(place)


def test_a_replaced_result_has_another_fingerprint(image, tmp_path) -> None:
    enlarger_of = lambda: ResultsFolder(tmp_path, "x")  # noqa: E731
    write_result(tmp_path / "baby.png", 1)
    first = enlarger_of().fingerprint("Set5", image)
    assert enlarger_of().fingerprint("Set5", image) == first
    write_result(tmp_path / "baby.png", 2)
    assert enlarger_of().fingerprint("Set5", image) != first
    write_result(tmp_path / "baby.png", 1)
    assert enlarger_of().fingerprint("Set5", image) == first


# --- models ---


def test_a_generator(image, faithful_dir, vivid_dir, expected_generators) -> None:
    faithful, vivid = expected_generators(image.lr)
    # a directory of versions, and a version itself
    for directory, expected in ((faithful_dir, faithful), (vivid_dir / "1", vivid)):
        generator = Generator(load(directory), "generator")
        assert generator.variants == ("generator",)
        sr = generator.enlarge("Set5", image, ["generator"])["generator"]
        assert sr.dtype == np.uint8
        np.testing.assert_array_equal(sr, rounded(expected))


def soft(faithful: np.ndarray, vivid: np.ndarray, threshold: float) -> np.ndarray:
    return faithful + np.clip(vivid - faithful, -threshold, threshold)


def test_a_fused_model(image, fused_dir, expected_generators) -> None:
    fused = Fused(load(fused_dir), POINTS)
    assert fused.variants == tuple(EVERYTHING)
    made = fused.enlarge("Set5", image, EVERYTHING)
    faithful, vivid = expected_generators(image.lr)
    np.testing.assert_array_equal(made["faithful"], rounded(faithful))
    np.testing.assert_array_equal(made["vivid"], rounded(vivid))
    np.testing.assert_array_equal(made["bounded"], rounded(soft(faithful, vivid, 8)))
    threshold = float(np.quantile(np.abs(vivid - faithful).astype(np.float64), 0.73))
    expected = rounded(soft(faithful, vivid, threshold))
    assert np.abs(made["between"].astype(int) - expected).max() <= 1
    assert (made["between"] != expected).mean() < 0.001


def test_variants_are_what_the_model_serves(image, fused_dir) -> None:
    """The generators' images merged here, and the same model's own merge."""
    import tensorflow as tf

    made = Fused(load(fused_dir), POINTS).enlarge("Set5", image, EVERYTHING)
    model: Any = tf.saved_model.load(str(fused_dir / "1"))
    serve = model.signatures["serving_default"]
    for point in POINTS:
        absolute = point.mode == "absolute"
        sr = serve(
            image=tf.constant(image.lr[None]),
            xi=tf.constant(0.0 if absolute else point.value),
            max_deviation=tf.constant(float(point.value) if absolute else -1.0),
        )["sr"]
        np.testing.assert_array_equal(made[point.label], sr.numpy()[0])


class Counted:
    """A loaded model that counts the runs of its signatures."""

    def __init__(self, model: Any) -> None:
        self.runs: list[tuple[int, ...]] = []
        self._model = model
        self.signatures = {name: self._count(f) for name, f in model.signatures.items()}

    def _count(self, function: Any) -> Any:
        def run(**inputs: Any) -> Any:
            self.runs.append(tuple(inputs["image"].shape))
            return function(**inputs)

        run.structured_input_signature = function.structured_input_signature
        run.structured_outputs = function.structured_outputs
        return run


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Counted]:
    """The models that are loaded from now on."""
    import fusion.generator_model

    models: list[Counted] = []
    load = fusion.generator_model.load_saved_model

    def load_and_count(directory: Path) -> Counted:
        models.append(Counted(load(directory)))
        return models[-1]

    monkeypatch.setattr(fusion.generator_model, "load_saved_model", load_and_count)
    return models


def test_the_generators_run_once_for_all_variants(image, fused_dir, counted) -> None:
    fused = Fused(load(fused_dir), POINTS)
    assert set(fused.enlarge("Set5", image, EVERYTHING)) == set(EVERYTHING)
    assert counted[0].runs == [(1, 12, 16, 3)]


def test_only_what_is_wanted_is_made(image, fused_dir) -> None:
    made = Fused(load(fused_dir), POINTS).enlarge("Set5", image, ["vivid", "between"])
    assert set(made) == {"vivid", "between"}


def test_self_ensemble_runs_the_generators_eight_times(image, fused_dir, counted) -> None:
    Fused(load(fused_dir), POINTS, ensemble=True).enlarge("Set5", image, EVERYTHING)
    assert sorted(counted[0].runs) == [(1, 12, 16, 3)] * 4 + [(1, 16, 12, 3)] * 4


def test_self_ensemble(image, fused_dir, vivid_dir, expected_generators) -> None:
    """Each generator's eight images are averaged before they are merged."""
    made = Fused(load(fused_dir), POINTS, ensemble=True).enlarge("Set5", image, EVERYTHING)
    mean = np.zeros((48, 64, 3))
    for turns in range(4):
        for step in (1, -1):
            vivid = expected_generators(np.rot90(image.lr[::step], turns))[1]
            mean += np.rot90(vivid, -turns)[::step] / 8
    np.testing.assert_array_equal(made["vivid"], rounded(mean))
    np.testing.assert_array_equal(made["faithful"], rounded(expected_generators(image.lr)[0]))
    generator = Generator(load(vivid_dir), "x", ensemble=True)
    np.testing.assert_array_equal(generator.enlarge("Set5", image, ["x"])["x"], rounded(mean))


def test_identities(fused_dir, faithful_dir, vivid_dir) -> None:
    """Whatever changes the images changes the identity, and nothing else does."""
    methods = {
        "faithful": Generator(load(faithful_dir), "x"),
        "vivid": Generator(load(vivid_dir), "x"),
        "vivid x8": Generator(load(vivid_dir), "x", ensemble=True),
        "fused": Fused(load(fused_dir), POINTS),
        "fused x8": Fused(load(fused_dir), POINTS, ensemble=True),
        "fewer": Fused(load(fused_dir), POINTS[:2]),
        "other": Fused(load(fused_dir), [FusionPoint("faithful", "quantile", 0.1)]),
        "other mode": Fused(load(fused_dir), [FusionPoint("faithful", "absolute", 0.1)]),
        "bicubic": Bicubic(),
        "together": Together([Bicubic(), Generator(load(vivid_dir), "x")]),
    }
    assert len({one.identity for one in methods.values()}) == len(methods)
    assert Generator(load(vivid_dir / "1"), "other name").identity == methods["vivid"].identity
    assert Fused(load(fused_dir), POINTS[::-1]).identity == methods["fused"].identity


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "empty: no SavedModel"),
        ("damaged", "damaged: not a SavedModel that can be loaded .*export it again"),
        ("other", "other/1: has no signature"),
        ("missing", "missing: no such directory"),
    ],
)
def test_what_is_no_model(not_models, kind, message) -> None:
    directory = not_models.get(kind, not_models["empty"].parent / "missing")
    for kind_of in (lambda model: Generator(model, "x"), lambda model: Fused(model, POINTS)):
        with pytest.raises(DataError, match=message) as caught:
            kind_of(load(directory))
        assert "\n" not in str(caught.value)


def test_a_generator_is_not_fused(vivid_dir, fused_dir) -> None:
    with pytest.raises(DataError, match="is not a fused model; make one with fusion.export"):
        Fused(load(vivid_dir), POINTS)
    with pytest.raises(DataError, match="has no signature 'unrounded'"):
        Generator(load(fused_dir), "x")


# --- in the model's own way, and in other runtimes ---


@pytest.fixture(scope="module")
def per_channel_dir(faithful_dir, vivid_dir, tmp_path_factory) -> Path:
    from fusion.exporting import build

    output = tmp_path_factory.mktemp("per_channel")
    return build(faithful_dir, vivid_dir, output, threshold="per_channel", delta="as_printed")


def test_points_are_merged_as_the_model_merges(image, per_channel_dir) -> None:
    """Each channel has its own quantile, and Δ has the sign that the paper prints."""
    model = load(per_channel_dir)
    points = [point for point in POINTS if point.mode == "quantile"]
    made = Fused(model, points).enlarge("Set5", image, EVERYTHING)
    for point in points:
        served = model.serve(image.lr[None], {"xi": np.array(point.value, np.float32)})[0]
        np.testing.assert_array_equal(made[point.label], served)
    with pytest.raises(DataError, match="knows no threshold in grey levels"):
        Fused(model, POINTS)
    joint = Fused(load(per_channel_dir), points[:1]).identity
    assert "per_channel as_printed" in joint


@pytest.mark.parametrize("format", ["openvino", "onnx"])
def test_what_other_runtimes_compute(
    image, faithful_dir, vivid_dir, fused_dir, tmp_path, format
) -> None:
    from fusion.exporting import build
    from sr_program.machine.optional_packages import is_installed

    if not is_installed(format):
        pytest.skip(f"needs the extra {format}: pip install 'bi-gans-st[{format}]'")
    directory = build(faithful_dir, vivid_dir, tmp_path / format, format=format)
    other = Fused(Computing(runtime=format).load(directory), POINTS)
    ours = Fused(load(fused_dir), POINTS)
    found, expected = (one.enlarge("Set5", image, EVERYTHING) for one in (other, ours))
    for name in EVERYTHING:  # rounding errors move a value on a half by a whole level
        assert np.abs(found[name].astype(int) - expected[name]).max() <= 1
        assert (found[name] != expected[name]).mean() < 0.001
    assert other.identity != ours.identity


# --- several at once ---


def test_together(image, tmp_path, faithful_dir) -> None:
    write_result(tmp_path / "baby.png", 3)
    results = ResultsFolder(tmp_path, "theirs")
    both = Together([Bicubic("bicubic"), results, Generator(load(faithful_dir), "ours")])
    assert both.variants == ("bicubic", "theirs", "ours")
    made = both.enlarge("Set5", image, both.variants)
    assert set(made) == set(both.variants)
    np.testing.assert_array_equal(made["bicubic"], bicubic_upscale(image.lr))
    assert made["theirs"].max() == 3
    assert results.fingerprint("Set5", image) in both.fingerprint("Set5", image)


def test_together_runs_what_is_wanted_alone(image, fused_dir, counted) -> None:
    both = Together([Bicubic("bicubic"), Fused(load(fused_dir), POINTS)])
    assert set(both.enlarge("Set5", image, ["bicubic"])) == {"bicubic"}
    assert counted[0].runs == []
    assert "vivid" in both.enlarge("Set5", image, ["vivid"])
    assert len(counted[0].runs) == 1


def test_a_gray_result_of_a_colour_image(image, tmp_path) -> None:
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(tmp_path / "baby.png")
    assert ResultsFolder(tmp_path, "x").enlarge("Set5", image, ["x"])["x"].shape == (48, 64, 3)
