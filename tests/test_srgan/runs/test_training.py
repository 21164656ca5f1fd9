import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import srgan.runs.training
from sr_data.sources import PairedFolder
from sr_program.errors import DataError, UsageError
from srgan.config import RunConfig
from srgan.runs.building import open_data
from srgan.runs.run import Run
from srgan.runs.training import Interruption, calls, check_finite, stop_on_signal, train

RATES = {"learning_rate_g", "learning_rate_d"}
LOSSES = {"loss_g", "pixel", "adversarial", "loss_d", "d_real", "d_fake"}
LOGS = {"step", *LOSSES, "grad_norm_g", "grad_norm_d", *RATES}


@dataclasses.dataclass(frozen=True)
class Architecture:
    features: int = 2


def rows_of(folder: Path) -> dict[int, dict[str, float]]:
    with (folder / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {int(row["step"]): {key: float(row[key]) for key in row} for row in rows}
    assert len(found) == len(rows)
    return found


def assert_same_rows(folder: Path, expected: dict[int, dict[str, float]]) -> None:
    found = rows_of(folder)
    assert list(found) == list(expected)
    for step, row in expected.items():
        assert found[step] == pytest.approx(row, rel=1e-5, abs=1e-7), step


def checkpoints_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def weights_of(path: Path) -> list[np.ndarray]:
    """The arrays of a weights file in the order of their names."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item}))
        return [
            np.array(found[name]) for name in sorted(found) if isinstance(found[name], h5py.Dataset)
        ]


def sorted_weights(network) -> list[np.ndarray]:
    """In an order that `weights_of` can be compared in, whatever the names are."""
    return sorted((np.array(v) for v in network.variables), key=lambda a: a.tobytes())


def assert_file_holds(path: Path, expected: list[np.ndarray]) -> None:
    found = sorted(weights_of(path), key=lambda a: a.tobytes())
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.fixture(scope="module")
def fresh_model(tiny_model):
    """A model as just built; those of the same settings are the same, for TensorFlow's tracing."""
    made = {}

    def fresh_model(config):
        key = config.objective, config.optimizer, config.data.seed
        if key not in made:
            model = tiny_model(config)
            made[key] = model, [np.array(v) for v in variables(model)]
        model, initial = made[key]
        for variable, value in zip(variables(model), initial, strict=True):
            variable.assign(value)
        return model

    def variables(model):
        networks = [model.generator, model.discriminator, model.optimizer]
        return [v for network in networks if network is not None for v in network.variables]

    return fresh_model


def run(model, config, validation: Any = None, select_best: bool = False) -> int:
    dataset, _ = open_data(config, scale=4)
    return train(Run(model, dataset, validation, config, Architecture(), select_best))


@pytest.fixture
def start(fresh_model, training_config, tmp_path):
    """Trains a tiny GAN into tmp_path/run; returns the exit code, the folder and the model."""

    def start(
        validation: Any = None, select_best: bool = False, watch: Any = None, **settings: Any
    ) -> tuple[int, Path, Any]:
        config = training_config(**{"run_dir": str(tmp_path / "run"), **settings})
        model = fresh_model(config)
        with pytest.MonkeyPatch.context() as patch:
            if watch:
                patch.setattr(model, "train_on_batch", watch(model, model.train_on_batch))
            code = run(model, config, validation, select_best)
        return code, Path(config.run.run_dir), model

    return start


@pytest.fixture(scope="module")
def uninterrupted(fresh_model, training_config, tmp_path_factory):
    """The folder of a run of six steps in two epochs, and copies of its networks' weights."""
    config = training_config(run_dir=str(tmp_path_factory.mktemp("uninterrupted")))
    model = fresh_model(config)
    assert run(model, config) == 0
    networks = model.generator, model.discriminator
    return Path(config.run.run_dir), *(sorted_weights(network) for network in networks)


def test_what_a_run_leaves(uninterrupted, training_config):
    folder, generator, discriminator = uninterrupted
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".lock", "checkpoints", "config.json", "discriminator.weights.h5", "events"),
        *("generator.weights.h5", "losses.csv"),
    ]
    assert checkpoints_of(folder) == ["step-00000003.npz", "step-00000006.npz"]
    rows = rows_of(folder)
    assert list(rows) == [1, 2, 3, 4, 5, 6] and set(rows[1]) == LOGS
    assert (folder / "losses.csv").read_text().startswith("step,")
    settings = json.loads((folder / "config.json").read_text())
    assert settings["generator"] == {"features": 2}
    assert settings["data"] == dataclasses.asdict(training_config().data)
    assert_file_holds(folder / "generator.weights.h5", generator)
    assert_file_holds(folder / "discriminator.weights.h5", discriminator)


def test_the_loss_is_the_weighted_sum_of_its_terms(uninterrupted):
    for row in rows_of(uninterrupted[0]).values():
        assert row["loss_g"] == pytest.approx(row["pixel"] + 0.1 * row["adversarial"], rel=1e-5)


def test_values_are_logged_at_full_precision(start):
    seen = []

    def watch(model, compute):
        def train_on_batch(lr, hr, return_dict):
            assert return_dict
            seen.append(np.float32(1) / np.float32(len(seen) + 3))
            return {"loss_g": seen[-1]}

        return train_on_batch

    _, folder, _ = start(watch=watch)
    assert [np.float32(row["loss_g"]) for row in rows_of(folder).values()] == seen


def test_without_discriminator(start):
    code, folder, _ = start(adversarial=False, steps=2, steps_per_epoch=2)
    assert code == 0
    names = {"step", "loss_g", "pixel", "grad_norm_g", "learning_rate_g"}
    assert set(rows_of(folder)[1]) == names
    assert not (folder / "discriminator.weights.h5").exists()


def test_more_steps_continue(start, uninterrupted):
    code, folder, _ = start(steps=3)
    assert code == 0 and list(rows_of(folder)) == [1, 2, 3]
    code, folder, model = start(steps=6)
    assert code == 0
    assert_same_rows(folder, rows_of(uninterrupted[0]))
    for expected, found in zip(
        weights_of(uninterrupted[0] / "generator.weights.h5"),
        weights_of(folder / "generator.weights.h5"),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    # The same command again, with nothing left to do.
    before = {path: path.read_bytes() for path in folder.glob("*.*")}
    assert start(steps=6)[0] == 0
    assert {path: path.read_bytes() for path in folder.glob("*.*")} == before


def signal_after(step: int, number: int):
    """Has the process get a signal while that step of the run is computed."""

    def watch(model, compute):
        count = iter(range(1, 100))

        def train_on_batch(*arguments, **options):
            if next(count) == step:
                os.kill(os.getpid(), number)
            return compute(*arguments, **options)

        return train_on_batch

    return watch


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_within_an_epoch(start, uninterrupted, number, code):
    before = signal.getsignal(number)
    found, folder, _ = start(watch=signal_after(2, number))
    assert found == code and signal.getsignal(number) == before
    assert checkpoints_of(folder) == ["step-00000002.npz"]
    assert list(rows_of(folder)) == [1, 2]
    assert not list(folder.rglob(".tmp*"))
    assert start()[0] == 0
    assert_same_rows(folder, rows_of(uninterrupted[0]))
    assert checkpoints_of(folder) == ["step-00000003.npz", "step-00000006.npz"]


def test_two_signals_and_the_last_step(start, uninterrupted):
    assert start(watch=signal_after(1, signal.SIGTERM))[0] == 143
    assert start(watch=signal_after(5, signal.SIGINT))[0] == 130  # all is done
    code, folder, _ = start()
    assert code == 0
    assert_same_rows(folder, rows_of(uninterrupted[0]))


def test_a_kill_between_checkpoints_replays_the_epoch(start, uninterrupted):
    def die_after_5(model, compute):
        count = iter(range(1, 100))

        def train_on_batch(*arguments, **options):
            if next(count) == 6:
                raise SystemExit("killed")
            return compute(*arguments, **options)

        return train_on_batch

    with pytest.raises(SystemExit):
        start(watch=die_after_5)
    code, folder, _ = start(steps=3)  # done already: the rows after its checkpoint go
    assert code == 0 and list(rows_of(folder)) == [1, 2, 3]
    assert start()[0] == 0
    assert_same_rows(folder, rows_of(uninterrupted[0]))


def test_other_settings_are_refused_before_anything_is_written(start):
    _, folder, _ = start(steps=1)
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    with pytest.raises(UsageError, match=r"--beta_1 was 0\.9, is 0\.5"):
        start(steps=2, beta_1=0.5)
    assert {path: path.read_bytes() for path in before} == before
    assert list(rows_of(folder)) == [1]


def test_a_damaged_checkpoint_is_named(start):
    _, folder, _ = start(steps=1)
    path = folder / "checkpoints" / "step-00000001.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"step-00000001\.npz: this checkpoint is damaged"):
        start(steps=2)


# Validation and what is kept of it.


@pytest.fixture
def scored(monkeypatch):
    """Replaces validation: gives these SSIMs in turn and keeps the weights that it was shown."""

    def scored(*ssims: float) -> list[Any]:
        shown, given = [], iter(ssims)

        def validate(enlarge, pairs, reach):
            assert isinstance(pairs, Pictures) and reach == 3  # 1 + 1 + 1/2 + 1/4
            generator = enlarge.__self__._model.generator
            shown.append([np.array(v) for v in generator.variables])
            return {"psnr": 20.0, "ssim": next(given)}, {}

        monkeypatch.setattr(srgan.runs.training, "validate", validate)
        return shown

    return scored


class Pictures(str):
    """Stands for a validation set; its name is its content."""

    @property
    def directory(self) -> str:
        return f"folder of {self}"

    def fingerprint(self) -> str:
        return f"hash of {self}"


PAIRS: Any = Pictures("pairs")


def by_bytes(weights: list[np.ndarray]) -> list[np.ndarray]:
    return sorted(weights, key=lambda array: array.tobytes())


@pytest.mark.parametrize(("select_best", "kept"), [(True, 1), (False, 2)])
def test_which_generator_is_kept(start, scored, select_best, kept):
    shown = scored(0.5, 0.9, 0.7)
    _, folder, model = start(PAIRS, select_best, steps=6, steps_per_epoch=2)
    assert len(shown) == 3
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[kept]))
    # The discriminator's are the latest in any case.
    assert_file_holds(folder / "discriminator.weights.h5", sorted_weights(model.discriminator))


def test_the_best_is_remembered_by_a_run_that_continues(start, scored):
    shown = scored(0.5, 0.9, 0.7, 0.95)
    for steps, best in ((2, 0), (4, 1), (6, 1), (8, 3)):
        _, folder, _ = start(PAIRS, True, steps=steps, steps_per_epoch=2)
        assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[best]))
    with np.load(folder / "checkpoints" / "step-00000008.npz") as archive:
        state = json.loads(str(archive["state"]))
    # The checkpoint is written before the validation.
    assert state == {"step": 8, "best_step": 4, "architecture": {"features": 2}}
    found = json.loads((folder / "best.json").read_text())
    assert found == {"images": "hash of pairs", "ssim": 0.95, "step": 8}


def test_other_validation_images_begin_anew(start, scored, caplog):
    """As a run that goes on with harder photos: none of its scores would reach the old ones."""
    shown = scored(0.99, 0.5, 0.6, 0.55)
    start(PAIRS, True, steps=2, steps_per_epoch=2)
    with caplog.at_level("INFO", "absl"):
        _, folder, _ = start(Pictures("harder"), True, steps=6, steps_per_epoch=2)
    assert "folder of harder: these validation images are new to the run; " in caplog.text
    assert "0.9900 of step 2" in caplog.text
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[2]))
    assert json.loads((folder / "best.json").read_text())["images"] == "hash of harder"
    # Equal images in another folder are the same set.
    caplog.clear()
    start(Pictures("harder"), True, steps=8, steps_per_epoch=2)
    assert "new to the run" not in caplog.text
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[2]))


def test_a_best_that_cannot_be_read_is_one_line(start, scored, tmp_path):
    scored(0.9, 0.5)
    (tmp_path / "run").mkdir()
    for text in ("{", "[]", '{"images": "x"}', '{"images": "x", "ssim": null, "step": 1}'):
        (tmp_path / "run" / "best.json").write_text(text)
        with pytest.raises(DataError, match=r"best\.json: cannot be read .*; remove this file"):
            start(PAIRS, True, steps=2, steps_per_epoch=2)
    (tmp_path / "run" / "best.json").unlink()
    assert start(PAIRS, True, steps=2, steps_per_epoch=2)[0] == 0


@pytest.mark.parametrize(("elsewhere", "kept"), [(False, 0), (True, 1)])
def test_the_best_of_a_run_of_an_older_program(start, scored, photo_dir, elsewhere, kept):
    """Its checkpoints hold the score, and nothing tells of which images but the folder's name."""
    shown = scored(0.9, 0.5)
    _, folder, _ = start(PAIRS, True, steps=2, steps_per_epoch=2)
    (folder / "best.json").unlink()
    path = folder / "checkpoints" / "step-00000002.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["state"] = np.array(json.dumps({"step": 2, "best_ssim": 0.9, "best_step": 2}))
    np.savez(path, **arrays)
    val_dir = str(photo_dir) if elsewhere else ""
    start(PAIRS, True, steps=4, steps_per_epoch=2, val_dir=val_dir)
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[kept]))


def test_a_kill_within_a_validation_repeats_the_validation_alone(start, scored, monkeypatch):
    def killed(*_):
        raise SystemExit("killed")

    counted = []

    def count(model, compute):
        def train_on_batch(*arguments, **options):
            counted.append(1)
            return compute(*arguments, **options)

        return train_on_batch

    with monkeypatch.context() as patch:
        patch.setattr(srgan.runs.training, "validate", killed)
        with pytest.raises(SystemExit):
            start(PAIRS, True, watch=count)
    assert len(counted) == 3
    shown = scored(0.5, 0.4)
    _, folder, _ = start(PAIRS, True, watch=count)
    assert len(counted) == 6 and len(shown) == 2
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[0]))
    with (folder / "scores.csv").open(newline="") as file:
        assert [(row["step"], row["ssim"]) for row in csv.DictReader(file)] == [
            *(("3", "0.5"), ("6", "0.4"))
        ]
    # Nothing is left to do, and nothing is done.
    assert start(PAIRS, True, watch=count)[0] == 0
    assert len(counted) == 6 and len(shown) == 2


def test_without_validation_the_latest_is_kept(start):
    _, folder, model = start(None, True, steps=4, steps_per_epoch=2)
    assert_file_holds(folder / "generator.weights.h5", sorted_weights(model.generator))


def test_validation_runs_at_the_end_of_every_epoch_and_of_the_run(start, scored):
    shown = scored(*[0.1] * 9)
    start(PAIRS, steps=5, steps_per_epoch=2)
    assert len(shown) == 3
    shown = scored(*[0.1] * 9)
    start(PAIRS, steps=7, steps_per_epoch=2)
    assert len(shown) == 2  # after steps 6 and 7


def test_a_real_validation(start, photo_dir):
    _, folder, model = start(PairedFolder(photo_dir), steps=1)
    scores, _ = srgan.runs.training.validate(model.generator, PairedFolder(photo_dir))
    import tensorflow as tf

    found = {}
    for path in (folder / "events").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            found.update({value.tag: value.simple_value for value in event.summary.value})
    assert found["validation/psnr"] == pytest.approx(scores["psnr"], rel=1e-6)
    assert found["validation/ssim"] == pytest.approx(scores["ssim"], rel=1e-6)
    assert {f"train/{name}" for name in LOGS - {"step"}} <= set(found)
    assert {f"validation/{number}" for number in range(3)} <= set(found)  # strips


def test_the_moving_average_is_what_is_validated_and_kept(start, scored):
    shown, raw = scored(0.5, 0.6), []

    def watch(model, compute):
        def train_on_batch(*arguments, **options):
            logs = compute(*arguments, **options)
            raw.append([np.array(v) for v in model.generator.trainable_variables])
            return logs

        return train_on_batch

    _, folder, model = start(PAIRS, watch=watch, ema_decay=0.75, steps=4, steps_per_epoch=2)
    expected = raw[0]
    averages = [expected]
    for weights in raw[1:]:
        expected = [0.75 * a + 0.25 * w for a, w in zip(expected, weights, strict=True)]
        averages.append(expected)
    names = [v.path for v in model.generator.variables]
    places = [names.index(v.path) for v in model.generator.trainable_variables]
    for epoch, average in enumerate([averages[1], averages[3]]):
        for place, value in zip(places, average, strict=True):
            np.testing.assert_allclose(shown[epoch][place], value, rtol=1e-5, atol=1e-7)
    assert_file_holds(folder / "generator.weights.h5", by_bytes(shown[1]))
    # Training itself goes on from the raw weights.
    for variable, value in zip(model.generator.trainable_variables, raw[-1], strict=True):
        np.testing.assert_array_equal(variable, value)
    assert any(np.any(a != r) for a, r in zip(averages[-1], raw[-1], strict=True))


# The learning rate.


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0.01] * 4),
        ({"schedule": "step"}, [0.01, 0.01, 0.001, 0.001]),
        ({"schedule": "cosine"}, [0.01 * (1 + np.cos(np.pi * n / 4)) / 2 for n in range(4)]),
        ({"warmup_steps": 4}, [0.0025, 0.005, 0.0075, 0.01]),
    ],
)
def test_the_rate_of_each_step_is_logged(start, settings, expected):
    _, folder, _ = start(steps=4, steps_per_epoch=4, **settings)
    rows = rows_of(folder).values()
    for name in RATES:
        assert [row[name] for row in rows] == pytest.approx(expected, rel=1e-5)


def test_another_rate_counts_from_the_step_on_at_which_it_is_given(start):
    start(steps=3)
    _, folder, model = start(steps=6, learning_rate=1e-12, clip_norm=0.5)
    rates = [row["learning_rate_g"] for row in rows_of(folder).values()]
    assert rates == pytest.approx([0.01] * 3 + [1e-12] * 3, rel=1e-5)
    assert float(model.optimizer.generator.learning_rate) == pytest.approx(1e-12)
    at_3, at_6 = (np.load(folder / "checkpoints" / f"step-0000000{n}.npz") for n in (3, 6))
    for key in at_3.files:
        if key.startswith("generator/") and "moving" not in key:
            np.testing.assert_allclose(at_6[key], at_3[key], atol=1e-9)
    assert (folder / "changes.csv").read_text().splitlines() == [
        *("after_step,setting,old,new", "3,clip_norm,0.0,0.5", "3,learning_rate,0.01,1e-12"),
        "3,steps,3,6",
    ]


def test_more_steps_change_the_schedule_and_say_so(start, caplog):
    start(steps=4, schedule="cosine")
    with caplog.at_level("INFO", "absl"):
        start(steps=8, schedule="cosine")
    # Half of the way: half of the rate.
    assert "the rate of update 5 is 0.005 in place of " in caplog.text
    caplog.clear()
    with caplog.at_level("INFO", "absl"):
        start(steps=9, schedule="cosine", keep_checkpoints=3)
        start(steps=9, schedule="cosine")
    assert caplog.text.count("in place of") == 1


# Two at once.


def test_a_second_training_in_the_folder_is_refused(start, tmp_path):
    """The lock is that of a process which is killed, and gone with it."""
    run_dir = tmp_path / "run"
    code = (
        "import time\nfrom pathlib import Path\nfrom srgan.runs.run_lock import locked\n"
        f"with locked(Path({str(run_dir)!r})):\n    print('locked', flush=True)\n"
        "    time.sleep(600)\n"
    )
    run_dir.mkdir()
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        with pytest.raises(DataError, match="run: another training is at work in this folder"):
            start(steps=1)
        assert [path.name for path in run_dir.iterdir()] == [".lock"]
        other.kill()
    assert start(steps=1)[0] == 0


# Values that are not finite.


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), np.float32("nan")])
def test_check_finite(value, tmp_path):
    check_finite({"loss_g": 1e30, "pixel": float(np.float32(-2))}, 1, tmp_path)
    with pytest.raises(DataError) as caught:
        check_finite({"loss_g": 1.0, "pixel": value, "loss_d": float("nan")}, 7, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: pixel is {float(value)} at step 7; ")
    assert "; there is no checkpoint, " in message and "--learning_rate" in message
    (tmp_path / "checkpoints").mkdir()
    for step in (3, 5):
        (tmp_path / "checkpoints" / f"step-{step:08d}.npz").touch()
    with pytest.raises(DataError, match=r"; the last checkpoint is step-00000005\.npz, "):
        check_finite({"pixel": value}, 7, tmp_path)


def test_a_run_that_diverges_stops_and_keeps_its_checkpoint(start, uninterrupted):
    def poison(model, compute):
        count = iter(range(1, 100))

        def train_on_batch(lr, hr, **options):
            return compute(lr, hr * np.nan if next(count) == 5 else hr, **options)

        return train_on_batch

    with pytest.raises(DataError, match=r"run: \w+ is nan at step 5"):
        start(watch=poison)
    # What the message advises is possible: from the checkpoint of step 3.
    code, folder, _ = start(learning_rate=5e-3, clip_norm=1.0)
    assert code == 0 and list(rows_of(folder)) == [1, 2, 3, 4, 5, 6]
    for step in (1, 2, 3):
        assert rows_of(folder)[step] == pytest.approx(rows_of(uninterrupted[0])[step], rel=1e-5)


def test_a_learning_rate_far_too_high(start):
    with pytest.raises(DataError, match=r"is (nan|inf|-inf) at step [23]"):
        start(learning_rate=1e30, adversarial=False)


# The engine's calls.


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"steps_per_epoch": 4}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"steps_per_epoch": 10, "steps_per_call": 4}, [4, 8, 10]),
        # cut at the end of an epoch and at a checkpoint
        ({"steps_per_epoch": 5, "steps_per_call": 4}, [4, 5, 8, 10]),
        ({"steps_per_epoch": 10, "steps_per_call": 4, "checkpoint_every": 3}, [3, 4, 6, 8, 9, 10]),
    ],
)
def test_calls_end_where_they_must_wherever_a_run_continues(settings, expected):
    run_config = RunConfig(steps=10, **settings)
    assert list(calls(0, run_config)) == list(zip([0, *expected], expected, strict=False))
    for first in expected:
        later = [stop for stop in expected if stop > first]
        assert [stop for _, stop in calls(first, run_config)] == later


def test_stop_on_signal():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stop_on_signal() as interruption:
        assert interruption == Interruption(0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.signal == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.signal == signal.SIGINT
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(RuntimeError), stop_on_signal():
        raise RuntimeError
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
