"""The checks of the inference benchmark, without the shipped networks."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.timing import inference, interleaved
from benchmarks.timing.inference import DEFAULTS, distances, photo
from benchmarks.timing.inference_targets import OURS, PLAIN, PRECISIONS, Variant
from benchmarks.timing.own_process import ProcessEndedError
from sr_program.errors import DataError, UsageError

OPENVINO = Variant("OpenVINO", "plain", "float32")


def test_another_network_is_not_timed():
    image = np.full((4, 5, 3), 100, np.uint8)
    models = {OURS: lambda i: i, PLAIN: lambda i: i + np.uint8(0), OPENVINO: lambda i: i}
    assert distances(models, image) == dict.fromkeys(models, float("inf"))  # type: ignore[arg-type]
    models[OPENVINO] = lambda i: i + np.uint8(1)
    with pytest.raises(DataError, match="OpenVINO, plain float32: 48.1 dB from TensorFlow, ours"):
        distances(models, image)  # type: ignore[arg-type]


def test_the_photo_is_continued_by_its_mirror_image():
    image = photo(DEFAULTS, "500x310")
    assert image.shape == (310, 500, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image[:, 451:], image[:, 450:401:-1])


def test_a_form_and_the_products_have_their_turn_alone():
    """In another process each; the ceilings are rates, the variants' times are seconds."""
    apart, image = {OURS: float("inf"), PLAIN: 90.0}, photo(DEFAULTS, "20x10")
    prepared = inference.Prepared("exported", apart, 10)  # type: ignore[arg-type]
    values = {"float32": iter([7.0, 9.0, 8.0]), "bfloat16": iter([1.0, 3.0, 2.0])}
    values |= {variant.graph: iter([4.0, 6.0, 5.0]) for variant in apart}
    called = []

    def alone(function, first, *others):
        called.append((function, first, *others))
        return next(values[first.graph if isinstance(first, Variant) else first])

    config = dataclasses.replace(DEFAULTS, repetitions=3)
    seconds, ceilings = inference.timed(config, prepared, image, alone)
    assert seconds == {OURS: 5.0, PLAIN: 5.0}
    assert ceilings == {"float32": 8.0, "bfloat16": 2.0}
    of_forms = [(inference.turn, variant, "exported", config, image) for variant in apart]
    of_products = [(inference.product_turn, precision, 4096) for precision in PRECISIONS]
    assert called == (of_forms + of_products) * 3


def test_a_form_that_takes_too_much_memory_is_not_tried_again():
    called = []

    def alone(function, first, *others):
        called.append(first)
        if first == PLAIN:
            raise ProcessEndedError("killed")
        return 5.0

    prepared = inference.Prepared("exported", {OURS: 99.0, PLAIN: 90.0}, 10)  # type: ignore[arg-type]
    config = dataclasses.replace(DEFAULTS, repetitions=3)
    seconds, _ = inference.timed(config, prepared, photo(DEFAULTS, "8x8"), alone)
    assert seconds == {OURS: 5.0, PLAIN: float("inf")}
    assert (called.count(OURS), called.count(PLAIN)) == (3, 1)


@pytest.mark.parametrize(
    ("lasts", "counted"), [([90.0, 40.0, 5.0], 5.0), ([90.0, 40.0, 1.0, 0.5, 0.6, 1.0, 90.0], 0.8)]
)
def test_the_first_two_calls_do_not_count(monkeypatch, lasts, counted):
    """Then one does, or as many as take three seconds."""
    clock, values = [0.0], iter(lasts)
    monkeypatch.setattr(interleaved.time, "perf_counter", lambda: clock[0])

    def call():
        clock[0] += next(values)

    assert inference.settled(call) == pytest.approx(counted)


def test_photos_are_wholes_unless_memory_is_given():
    tilings = [
        inference.tiling_of(dataclasses.replace(DEFAULTS, memory_mb=megabytes))
        for megabytes in (0, 2000)
    ]
    whole, tiles = (len(tiling.plan(2160, 3840, 60).tiles) for tiling in tilings)
    assert whole == 1 < tiles


@pytest.mark.slow
def test_the_whole_command(repository, subprocess_environment):
    """The smallest photo, ours alone."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.timing.inference",
        "--sizes=8x8",
        "--repetitions=1",
        "--product_side=256",
    ]
    printed = subprocess.run(
        [*command, "--variants=tensorflow ours"],
        cwd=repository,
        env=subprocess_environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    ).stdout
    assert "Both generators: 10.40 MFLOP an LR pixel." in printed
    assert "### 8x8" in printed and "Ceiling, products of 256x256 matrices" in printed
    rows = [line.split("|")[1].strip() for line in printed.splitlines() if line.startswith("| T")]
    assert rows == ["TensorFlow, ours float32", "TensorFlow, ours bfloat16"]


def test_memory_below_0():
    with pytest.raises(UsageError, match="--memory_mb=-1 is below 0"):
        dataclasses.replace(DEFAULTS, memory_mb=-1).check()


def test_products_of_nothing():
    with pytest.raises(UsageError, match="--product_side=0 is below 1"):
        dataclasses.replace(DEFAULTS, product_side=0).check()


@pytest.mark.parametrize("sizes", ["256", "256x", "x9", "4x256", "256x256x3", "a x b", "64x64,"])
def test_wrong_sizes(sizes):
    with pytest.raises(UsageError, match="--sizes: "):
        dataclasses.replace(DEFAULTS, sizes=sizes).check()


def test_wrong_flags_end_before_anything_is_loaded(call_program, capsys):
    assert call_program(inference.cli_main, "--repetitions=0") == 2
    assert "--repetitions must be at least 1" in capsys.readouterr().err
    assert call_program(inference.cli_main, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
