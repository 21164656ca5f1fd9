import csv
import json
import math
import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.methods.method import Bicubic, Method, ResultsFolder, Together
from evaluation.scoring import evaluate as module
from evaluation.scoring.evaluate import SetResult, evaluate
from evaluation.scoring.protocol import Instruments, Scorer
from evaluation.scoring.records import Records
from sr_data.benchmarks import BenchmarkImage, open_benchmark
from sr_images.bicubic import bicubic_upscale
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError, UsageError


class Shifted(Method):
    """Bicubic, some levels brighter a variant; notes what it is asked for."""

    def __init__(self, *levels: int, identity: str = "shifted") -> None:
        self.variants = tuple(f"+{level}" for level in levels)
        self.identity = identity
        self.asked: list[tuple[str, ...]] = []
        self.stop_after = math.inf

    def enlarge(
        self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]
    ) -> dict[str, np.ndarray]:
        if len(self.asked) >= self.stop_after:
            raise KeyboardInterrupt
        self.asked.append((benchmark, image.name, *wanted))
        sr = bicubic_upscale(image.lr) // 2
        return {name: sr + np.uint8(int(name)) for name in wanted}

    def images(self) -> list[str]:
        return [name for _, name, *_ in self.asked]


def run(
    method: Method, data_dir: Path, output: Path, *, sets=("Set5",), workers=0, **more
) -> list[SetResult]:
    instruments = more.pop("instruments", Instruments())
    benchmarks = [open_benchmark(name, data_dir) for name in sets]
    return evaluate(method, benchmarks, instruments, output, workers=workers, **more)


def content(output: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in output.glob("*.csv")}


def test_every_image_of_every_set_is_scored(drawn_sets, tmp_path) -> None:
    method = Shifted(0, 9)
    results = run(method, drawn_sets, tmp_path / "out", sets=("Set5", "Set14"))
    assert [(one.name, one.images) for one in results] == [
        ("Set5", ("baby", "bird", "woman")),
        ("Set14", ("bridge", "comic")),
    ]
    scorer = Scorer(Instruments())
    for result in results:
        assert result.variants == ("+0", "+9") and result.failures() == {}
        images = list(open_benchmark(result.name, drawn_sets))
        for variant in result.variants:
            expected = [
                scorer(
                    image.hr,
                    image.lr,
                    bicubic_upscale(image.lr) // 2 + np.uint8(int(variant)),
                    is_gray=image.name == "bridge",
                )
                for image in images
            ]
            assert result.scores(variant) == expected
            assert all(set(s.values) == set(Instruments().measures) for s in expected)
    assert method.images() == ["baby", "bird", "woman", "bridge", "comic"]
    assert set(content(tmp_path / "out")) == {"Set5.csv", "Set14.csv"}


def test_processes_give_the_same(drawn_sets, tmp_path) -> None:
    sets = ("Set5", "Set14")
    alone = run(Shifted(0, 9), drawn_sets, tmp_path / "0", sets=sets)
    others = run(Shifted(0, 9), drawn_sets, tmp_path / "n", sets=sets, workers=2)
    for one, other in zip(alone, others, strict=True):
        for variant in one.variants:
            assert one.scores(variant) == other.scores(variant)
    assert content(tmp_path / "0") == content(tmp_path / "n")


def test_images_wait_for_few_processes(drawn_sets, tmp_path, monkeypatch) -> None:
    """Images made ahead of their scores would fill the memory."""
    waiting, most = 0, []

    class Later(module.Future):
        def result(self, timeout=None):
            nonlocal waiting
            waiting -= 1
            return super().result(timeout)

    class Pool(module.Executor):
        def submit(self, fn, /, *args, **kwargs):
            nonlocal waiting
            waiting += 1
            most.append(waiting)
            future = Later()
            future.set_result(Scorer(Instruments())(*args[:3], is_gray=args[3]))
            return future

    import contextlib

    monkeypatch.setattr(module, "scoring_pool", lambda *_: contextlib.nullcontext(Pool()))
    folder = tmp_path / "Many" / "HR"
    folder.mkdir(parents=True)
    for number in range(12):
        shutil.copy(drawn_sets / "Set5" / "HR" / "baby.png", folder / f"{number}.png")
    run(Shifted(0), tmp_path, tmp_path / "out", sets=("Many",), workers=2)
    assert len(most) == 12
    assert 2 < max(most) <= 5


# --- taking up a run ---


def test_a_finished_run_is_not_repeated(drawn_sets, tmp_path) -> None:
    first = run(Shifted(0, 9), drawn_sets, tmp_path / "out")
    before = content(tmp_path / "out")
    again = Shifted(0, 9)
    second = run(again, drawn_sets, tmp_path / "out")
    assert again.asked == []
    assert content(tmp_path / "out") == before
    for one, other in zip(first, second, strict=True):
        assert [one.scores(v) for v in one.variants] == [other.scores(v) for v in other.variants]


@pytest.mark.parametrize("done", [1, 2])
def test_an_interrupted_run_goes_on(drawn_sets, tmp_path, done) -> None:
    whole = run(Shifted(0, 9), drawn_sets, tmp_path / "whole")
    stopped = Shifted(0, 9)
    stopped.stop_after = done
    with pytest.raises(KeyboardInterrupt):
        run(stopped, drawn_sets, tmp_path / "out")
    assert stopped.images() == ["baby", "bird", "woman"][:done]
    again = Shifted(0, 9)
    results = run(again, drawn_sets, tmp_path / "out")
    assert again.images() == ["baby", "bird", "woman"][done:]
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    for variant in ("+0", "+9"):
        assert results[0].scores(variant) == whole[0].scores(variant)


def test_a_new_variant_alone_is_made(drawn_sets, tmp_path) -> None:
    run(Shifted(0), drawn_sets, tmp_path / "out")
    more = Shifted(0, 9)
    [result] = run(more, drawn_sets, tmp_path / "out")
    assert more.asked == [("Set5", name, "+9") for name in ("baby", "bird", "woman")]
    assert len(result.scores("+0")) == len(result.scores("+9")) == 3


def test_other_settings_are_refused(drawn_sets, tmp_path) -> None:
    run(Shifted(0), drawn_sets, tmp_path / "out")
    before = content(tmp_path / "out")
    other = Shifted(0, identity="another model")
    with pytest.raises(UsageError, match="out holds the results of another model .*--output"):
        run(other, drawn_sets, tmp_path / "out")
    assert other.asked == [] and content(tmp_path / "out") == before
    # nor are the first ones forgotten
    run(Shifted(0), drawn_sets, tmp_path / "out")


def test_scores_of_an_unknown_model_are_refused(drawn_sets, tmp_path) -> None:
    """The same images are no sign of the same model."""
    run(Shifted(1), drawn_sets, tmp_path)
    (tmp_path / "settings.json").unlink()
    before = content(tmp_path)
    with pytest.raises(UsageError, match="holds scores, but no settings.json"):
        run(Shifted(1), drawn_sets, tmp_path)
    assert content(tmp_path) == before
    run(Shifted(1), drawn_sets, tmp_path, sets=("Set14",))  # none of this set


class Writer(Shifted):
    """Leaves a file for each image."""

    def __init__(self, folder: Path) -> None:
        super().__init__(1)
        self._folder = folder

    def enlarge(self, benchmark: str, image: BenchmarkImage, wanted: Collection[str]) -> dict:
        (self._folder / image.name).touch()
        own = [name for name in wanted if name in self.variants]
        return super().enlarge(benchmark, image, own)

    def is_complete(self, benchmark: str, image: BenchmarkImage) -> bool:
        return (self._folder / image.name).exists()


def test_what_an_enlarger_writes_itself_is_made_again(drawn_sets, tmp_path) -> None:
    for together in (False, True):
        folder = tmp_path / f"{together}"
        folder.mkdir()
        writer = Writer(folder)
        method = Together([Bicubic(), writer]) if together else writer
        output = tmp_path / f"out {together}"
        run(method, drawn_sets, output)
        before = content(output)
        (folder / "bird").unlink()
        run(method, drawn_sets, output)
        run(method, drawn_sets, output)
        # once more for bird, and then never
        assert writer.images() == ["baby", "bird", "woman", "bird"]
        assert content(output) == before


@pytest.mark.parametrize("text", ["", "{}x", "[1]", "null", '{"enlarger": "other"}'])
def test_settings_that_cannot_be_read_are_refused(drawn_sets, tmp_path, text) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UsageError, match="holds the results of another model"):
        run(Shifted(0), drawn_sets, tmp_path)
    assert (tmp_path / "settings.json").read_text() == text


def test_scores_of_other_parameters_are_refused(
    drawn_sets, tmp_path, monkeypatch, niqe_file
) -> None:
    run(Shifted(0), drawn_sets, tmp_path / "out", instruments=Instruments(niqe=niqe_file))
    other = tmp_path / "other.mat"
    other.write_bytes(niqe_file.read_bytes() + b"\0")
    with pytest.raises(UsageError, match="other settings"):
        run(Shifted(0), drawn_sets, tmp_path / "out", instruments=Instruments(niqe=other))
    copy = Path(shutil.copy(niqe_file, tmp_path / "copy.mat"))
    same = Shifted(0)
    run(same, drawn_sets, tmp_path / "out", instruments=Instruments(niqe=copy))
    assert same.asked == []


def test_a_measure_that_was_absent_is_computed_later(data_dir, tmp_path, draw_set, niqe_file):
    draw_set(data_dir / "Large", {"wide": (112, 208)}, hr_alone=True)
    [before] = run(Shifted(0), data_dir, tmp_path / "out", sets=("Large",))
    assert "niqe" not in before.scores("+0")[0].values
    instruments = Instruments(niqe=niqe_file)
    [after] = run(Shifted(0), data_dir, tmp_path / "out", sets=("Large",), instruments=instruments)
    assert after.scores("+0")[0].values["niqe"] > 0
    # absent once more: what is known stays, and so does the file that it came from
    absent = Shifted(0)
    [without] = run(absent, data_dir, tmp_path / "out", sets=("Large",))
    assert absent.asked == [] and without.scores("+0") == after.scores("+0")
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings == {"enlarger": "shifted", **instruments.fingerprints()}


def test_a_changed_image_is_scored_anew(data_dir, tmp_path) -> None:
    [before] = run(Shifted(0), data_dir, tmp_path / "out")
    path = data_dir / "Set5" / "HR" / "bird.png"
    write_rgb(path, read_rgb(path)[::-1])
    again = Shifted(0)
    [after] = run(again, data_dir, tmp_path / "out")
    assert again.images() == ["bird"]
    same = [a == b for a, b in zip(before.scores("+0"), after.scores("+0"), strict=True)]
    assert same == [True, False, True]


def test_an_image_that_became_gray_is_scored_anew(data_dir, tmp_path) -> None:
    """The pixels are the same, the luma is not."""
    path = data_dir / "Set14" / "HR" / "bridge.png"
    write_rgb(path, read_rgb(path))
    run(Shifted(0), data_dir, tmp_path / "out", sets=("Set14",))
    Image.open(path).convert("L").save(path)
    again = Shifted(0)
    run(again, data_dir, tmp_path / "out", sets=("Set14",))
    assert again.images() == ["bridge"]


def test_a_replaced_result_is_scored_anew(drawn_sets, tmp_path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    images = list(open_benchmark("Set5", drawn_sets))
    for image in images:
        write_rgb(theirs / f"{image.name}_x4.png", image.hr // 2)
    [before] = run(ResultsFolder(theirs), drawn_sets, tmp_path / "out")
    write_rgb(theirs / "woman_x4.png", images[2].hr)
    [after] = run(ResultsFolder(theirs), drawn_sets, tmp_path / "out")
    assert after.scores("theirs")[:2] == before.scores("theirs")[:2]
    assert before.scores("theirs")[2].values["rmse"] > 10
    assert after.scores("theirs")[2].values["rmse"] == 0


# --- bad input ---


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def test_bad_images_among_good_ones(data_dir, tmp_path, draw_photo) -> None:
    hr, lr = (data_dir / "Set5" / name for name in ("HR", "LR_x4"))
    damage(hr / "baby.png")
    (lr / "bird.png").unlink()
    write_rgb(hr / "butterfly.png", draw_photo(48, 48))
    write_rgb(lr / "butterfly.png", draw_photo(12, 13))
    write_rgb(lr / "head.png", draw_photo(12, 13))
    [result] = run(Shifted(0), data_dir, tmp_path / "out")
    assert [scores.values["psnr"] > 0 for scores in result.scores("+0")] == [True]  # woman
    failures = result.failures()
    assert {name: text.startswith(f"{data_dir}/Set5/") for name, text in failures.items()} == {
        "baby": True, "bird": True, "butterfly": True, "head": True
    }  # fmt: skip
    assert "HR/baby.png: is damaged" in failures["baby"]
    assert "HR/bird.png: has no partner in" in failures["bird"]
    assert "LR_x4/butterfly.png: is 13x12, its HR image 48x48" in failures["butterfly"]
    assert "LR_x4/head.png: has no HR image" in failures["head"]
    with (tmp_path / "out" / "Set5.csv").open(newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    assert "is damaged" in rows["baby"]["problems"] and rows["baby"]["psnr"] == ""
    assert rows["woman"]["problems"] == ""


def test_bad_results_among_good_ones(drawn_sets, tmp_path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    images = {image.name: image.hr for image in open_benchmark("Set5", drawn_sets)}
    write_rgb(theirs / "baby.png", images["baby"])
    damage(theirs / "baby.png")
    write_rgb(theirs / "bird.png", images["bird"][:-4])
    [result] = run(ResultsFolder(theirs), drawn_sets, tmp_path / "out")
    failures = result.failures()
    assert list(failures) == ["baby", "bird", "woman"] and result.scores("theirs") == []
    assert "baby.png: is damaged" in failures["baby"]
    assert failures["bird"] == "the result is 48x60 pixels, HR is 48x64"
    assert failures["woman"].endswith("theirs: holds no result named woman; add woman.png")
    # mended: tried again, and the rest is scored
    for name, hr in images.items():
        write_rgb(theirs / f"{name}.png", hr)
    [result] = run(ResultsFolder(theirs), drawn_sets, tmp_path / "out")
    assert result.failures() == {}
    assert [scores.values["rmse"] for scores in result.scores("theirs")] == [0, 0, 0]


def test_an_image_that_broke_loses_its_scores(data_dir, tmp_path) -> None:
    run(Shifted(0), data_dir, tmp_path / "out")
    damage(data_dir / "Set5" / "HR" / "baby.png")
    [result] = run(Shifted(0), data_dir, tmp_path / "out")
    assert list(result.failures()) == ["baby"] and len(result.scores("+0")) == 2


def test_an_enlarger_that_fails_for_one_image(drawn_sets, tmp_path) -> None:
    class NotBird(Shifted):
        def enlarge(self, benchmark, image, wanted):
            if image.name == "bird":
                raise DataError("no bird")
            return super().enlarge(benchmark, image, wanted)

    [result] = run(NotBird(0, 9), drawn_sets, tmp_path / "out")
    assert result.failures() == {"bird": "no bird"}
    assert len(result.scores("+0")) == len(result.scores("+9")) == 2


def test_a_program_error_is_not_taken_for_bad_data(drawn_sets, tmp_path) -> None:
    class Broken(Shifted):
        def enlarge(self, benchmark, image, wanted):
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        run(Broken(0), drawn_sets, tmp_path / "out")


def test_too_small_for_niqe_is_no_failure(data_dir, tmp_path, draw_set, niqe_file) -> None:
    draw_set(data_dir / "Large", {"wide": (112, 208), "small": (104, 196)}, hr_alone=True)
    method = Shifted(0)
    instruments = Instruments(niqe=niqe_file)
    [result] = run(method, data_dir, tmp_path / "out", sets=("Large",), instruments=instruments)
    small, wide = result.scores("+0")
    assert result.failures() == {}
    assert "niqe" in wide.values and wide.problems == {}
    assert "niqe" not in small.values and small.values["psnr"] > 0
    assert "too small" in small.problems["niqe"]
    # known to be impossible: not tried again
    again = Shifted(0)
    run(again, data_dir, tmp_path / "out", sets=("Large",), instruments=instruments)
    assert again.asked == []


def test_a_foreign_file_of_scores(drawn_sets, tmp_path) -> None:
    (tmp_path / "Set5.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="Set5.csv: is not a file of scores"):
        run(Shifted(0), drawn_sets, tmp_path)


# --- images ---


def test_images_are_kept_if_wished(drawn_sets, tmp_path) -> None:
    output = tmp_path / "out"
    run(Bicubic("cubic"), drawn_sets, output)
    assert not (output / "images").exists()
    before = content(output)
    # also of images that are scored already
    run(Bicubic("cubic"), drawn_sets, output, save_images=True)
    folder = output / "images" / "cubic" / "Set5"
    assert sorted(path.name for path in folder.iterdir()) == ["baby.png", "bird.png", "woman.png"]
    for image in open_benchmark("Set5", drawn_sets):
        saved = read_rgb(folder / f"{image.name}.png")
        np.testing.assert_array_equal(saved, bicubic_upscale(image.lr))
    assert content(output) == before


def test_kept_images_score_the_same_as_results_of_others(drawn_sets, tmp_path) -> None:
    sets = ("Set5", "Set14")
    run(Bicubic(), drawn_sets, tmp_path / "a", sets=sets, save_images=True)
    results = ResultsFolder(tmp_path / "a" / "images" / "bicubic", "bicubic")
    first = run(Bicubic(), drawn_sets, tmp_path / "a", sets=sets)
    second = run(results, drawn_sets, tmp_path / "b", sets=sets)
    for one, other in zip(first, second, strict=True):
        assert one.scores("bicubic") == other.scores("bicubic")


def test_the_rows_are_complete_after_each_image(drawn_sets, tmp_path, monkeypatch) -> None:
    """What a killed run leaves: a whole file, of the images that were scored."""
    states = []
    add = Records.add

    def add_and_look(self: Records, records) -> None:
        add(self, records)
        states.append(len(self.path.read_text().splitlines()) - 1)

    monkeypatch.setattr(Records, "add", add_and_look)
    run(Shifted(0, 9), drawn_sets, tmp_path / "out")
    assert states == [2, 4, 6]
