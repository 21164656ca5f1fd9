"""Which forms are timed, and from what they are loaded, without the shipped networks."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.timing import inference_variants as inference_forms
from benchmarks.timing.inference_targets import INT8, OURS, OURS_16, PLAIN, Form
from benchmarks.timing.inference_variants import Exported, forms_of, is_wanted, load
from bigans import Tiling

OPENVINO = Form("OpenVINO", "plain", "float32")
EXPORTED = Exported(
    {"float32": Path("ours"), "bfloat16": Path("ours16")}, Path("plain"), None, None, False
)


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


@pytest.mark.parametrize("installed", [True, False])
def test_the_forms_of_what_is_installed(monkeypatch, installed):
    monkeypatch.setattr(inference_forms, "is_installed", lambda name: installed)
    monkeypatch.setattr(inference_forms, "torch_is_installed", lambda: installed)
    more = dataclasses.replace(EXPORTED, onnx=Path("onnx"), int8=Path("int8"))
    forms = forms_of(more if installed else EXPORTED, "")
    assert len(set(forms)) == len(forms) == (11 if installed else 3)
    assert {form.runtime for form in forms} == (
        {"TensorFlow", "OpenVINO", "ONNX Runtime", "PyTorch"} if installed else {"TensorFlow"}
    )


@pytest.fixture
def loaded(monkeypatch):
    """How models are loaded, and models that tell it."""

    def loader(name):
        def load(*arguments, **more):
            return SimpleNamespace(loaded=(name, *arguments, *more.values()), footprint=None)

        return load

    monkeypatch.setattr(inference_forms, "TensorFlowModel", loader("TensorFlow"))
    monkeypatch.setattr(inference_forms, "load_model", loader("model"))
    for name in ("onnx_towers", "torch_towers"):
        monkeypatch.setattr(inference_forms.peers, name, loader(name))
    monkeypatch.setattr(inference_forms, "resolve", lambda precision: precision)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (OURS, ("TensorFlow", Path("ours"))),
        (OURS_16, ("TensorFlow", Path("ours16"))),
        (PLAIN, ("TensorFlow", Path("plain"))),
        (OPENVINO, ("model", Path("plain"), "openvino", "float32")),
        (Form("OpenVINO", "ours", "bfloat16"), ("model", Path("ours"), "openvino", "bfloat16")),
        (Form("OpenVINO", "ours", INT8), ("model", Path("int8"), "openvino", "bfloat16")),
        (Form("ONNX Runtime", "plain", "float32"), ("onnx_towers", Path("onnx"))),
        (Form("PyTorch", "plain", "bfloat16"), ("torch_towers", "bfloat16", False)),
    ],
)
def test_what_a_form_is_loaded_from(loaded, form, expected):
    more = dataclasses.replace(EXPORTED, onnx=Path("onnx"), int8=Path("int8"))
    assert load(form, more, Tiling())._model.loaded == expected  # type: ignore[union-attr]


def test_all_of_a_precision_have_the_same_tiles(loaded):
    image = np.zeros((720, 1280, 3), np.uint8)
    forms = (OURS, PLAIN, OPENVINO, Form("OpenVINO", "plain", "bfloat16"))
    tiles = []
    for form in forms:
        upscaler = load(form, EXPORTED, Tiling(memory_mb=2000))
        upscaler._model.radius = 60  # type: ignore[misc]
        tiles.append(len(upscaler.plan(image).tiles))
    first, *others, half = tiles
    assert [first] * 2 == others and 1 < half < first
