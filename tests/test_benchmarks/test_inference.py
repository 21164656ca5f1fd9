"""The arithmetic and the checks of the inference benchmark, without the shipped networks."""

import dataclasses

import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference import (
    DEFAULTS,
    OURS,
    OURS_16,
    PLAIN,
    Form,
    bars_table,
    distances,
    photo,
    times_table,
)
from cli.errors import DataError, UsageError

CEILINGS = {"float32": 200e9, "bfloat16": 400e9}
OPENVINO = Form("OpenVINO", "plain", "float32")


def test_times_by_hand():
    table = times_table(
        {OURS: 1.0, OURS_16: 0.5, PLAIN: 2.0},
        dict.fromkeys((OURS, OURS_16, PLAIN), 70.0),
        100e9,
        CEILINGS,
    )
    assert table[2:] == [
        "| TensorFlow, ours float32 | 1.000 | 0.50 | 100 | 0.50 | 70.0 |",
        "| TensorFlow, ours bfloat16 | 0.500 | 0.25 | 200 | 0.50 | 70.0 |",
        "| TensorFlow, plain float32 | 2.000 | 1.00 | 50 | 0.25 | 70.0 |",
    ]


def test_int8_has_no_ceiling_and_no_bar():
    int8 = Form("OpenVINO", "ours", "int8")
    table = times_table({int8: 0.25, PLAIN: 2.0}, {int8: 55.0, PLAIN: 70.0}, 100e9, CEILINGS)
    assert table[2] == "| OpenVINO, ours int8 | 0.250 | 0.12 | 400 |  | 55.0 |"
    bars = bars_table({int8: 0.1, OURS: 0.9, PLAIN: 1.2}, 190e9, CEILINGS)
    assert bars[2] == "| TensorFlow: ours float32 / plain float32 | 0.75 | ≤ 0.80 | met |"


def test_bars_by_hand():
    seconds = {OURS: 0.9, PLAIN: 1.2, OPENVINO: 1.0, OURS_16: 0.5}
    assert bars_table(seconds, 190e9, CEILINGS)[2:] == [
        "| TensorFlow: ours float32 / plain float32 | 0.75 | ≤ 0.80 | met |",
        "| TensorFlow: ours bfloat16 / plain float32 | 0.42 | ≤ 0.42 | met |",
        "| best runtime: ours / fastest peer, float32 | 0.90 | ≤ 0.85 | missed |",
        "| best runtime: share of the ceiling, float32 | 1.06 | ≥ 0.90 | met |",
        "| best runtime: share of the ceiling, bfloat16 | 0.95 | ≥ 1.00 | missed |",
    ]


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


@pytest.mark.parametrize("sizes", ["256", "256x", "x9", "4x256", "256x256x3", "a x b", "64x64,"])
def test_wrong_sizes(sizes):
    with pytest.raises(UsageError, match="--sizes: "):
        dataclasses.replace(DEFAULTS, sizes=sizes).check()


def test_wrong_flags_end_before_anything_is_loaded(call_program, capsys):
    assert call_program(inference.cli_main, "--repetitions=0") == 2
    assert "--repetitions must be at least 1" in capsys.readouterr().err
    assert call_program(inference.cli_main, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
