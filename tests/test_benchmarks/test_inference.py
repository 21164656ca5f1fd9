"""The checks of the inference benchmark, without the shipped networks."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference import DEFAULTS, distances, is_wanted, photo
from benchmarks.inference_bars import OURS, PLAIN, Form
from cli.errors import DataError, UsageError
from upscaler.memory import Footprint

OPENVINO = Form("OpenVINO", "plain", "float32")


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


@pytest.mark.parametrize(
    ("forms", "wanted"),
    [
        ("", [OURS, PLAIN, OPENVINO]),
        ("openvino plain", [OURS, OPENVINO]),
        ("TensorFlow", [OURS, PLAIN]),
        ("openvino plain float32, tensorflow plain", [OURS, PLAIN, OPENVINO]),
        ("openvino ours", [OURS]),
    ],
)
def test_the_forms_that_are_asked_for(forms, wanted):
    assert [form for form in (OURS, PLAIN, OPENVINO) if is_wanted(form, forms)] == wanted


def test_all_of_a_precision_have_the_same_tiles():
    forms = (OURS, PLAIN, OPENVINO, Form("OpenVINO", "plain", "bfloat16"))
    models: dict[Form, Any] = {
        form: SimpleNamespace(footprint=Footprint(size, size), stated_receptive_field=60)
        for size, form in enumerate(forms)
    }

    def tiles(**settings: float) -> list[int]:
        tiling = inference.tiling_of(dataclasses.replace(DEFAULTS, **settings))
        upscalers = inference.in_equal_tiles(models, tiling)
        return [len(upscalers[form]._plan(720, 1280)) for form in forms]

    first, *others, half = tiles(memory_mb=2000)
    assert [first] * 2 == others and 1 < half < first
    assert tiles() == [1] * 4


def test_memory_below_0():
    with pytest.raises(UsageError, match="--memory_mb=-1 is below 0"):
        dataclasses.replace(DEFAULTS, memory_mb=-1).check()


@pytest.mark.parametrize("sizes", ["256", "256x", "x9", "4x256", "256x256x3", "a x b", "64x64,"])
def test_wrong_sizes(sizes):
    with pytest.raises(UsageError, match="--sizes: "):
        dataclasses.replace(DEFAULTS, sizes=sizes).check()


def test_wrong_flags_end_before_anything_is_loaded(call_program, capsys):
    assert call_program(inference.cli_main, "--repetitions=0") == 2
    assert "--repetitions must be at least 1" in capsys.readouterr().err
    assert call_program(inference.cli_main, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err
