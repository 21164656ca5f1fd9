"""Which variants are timed, and from what they are loaded, without the shipped networks."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.timing import inference_variants
from benchmarks.timing.inference_targets import INT8, OURS, OURS_16, PLAIN, Variant
from benchmarks.timing.inference_variants import Exported, is_wanted, load, variants_of
from bigans import Tiling

OPENVINO = Variant("OpenVINO", "plain", "float32")
EXPORTED = Exported(
    {"float32": Path("ours"), "bfloat16": Path("ours16")}, Path("plain"), None, None, False
)


@pytest.mark.parametrize(
    ("variants", "wanted"),
    [
        ("", [OURS, PLAIN, OPENVINO]),
        ("openvino plain", [OURS, OPENVINO]),
        ("TensorFlow", [OURS, PLAIN]),
        ("openvino plain float32, tensorflow plain", [OURS, PLAIN, OPENVINO]),
        ("openvino ours", [OURS]),
    ],
)
def test_the_forms_that_are_asked_for(variants, wanted):
    assert [
        variant for variant in (OURS, PLAIN, OPENVINO) if is_wanted(variant, variants)
    ] == wanted


@pytest.mark.parametrize("installed", [True, False])
def test_the_forms_of_what_is_installed(monkeypatch, installed):
    monkeypatch.setattr(inference_variants, "is_installed", lambda name: installed)
    monkeypatch.setattr(inference_variants, "torch_is_installed", lambda: installed)
    more = dataclasses.replace(EXPORTED, onnx=Path("onnx"), int8=Path("int8"))
    variants = variants_of(more if installed else EXPORTED, "")
    assert len(set(variants)) == len(variants) == (11 if installed else 3)
    assert {variant.runtime for variant in variants} == (
        {"TensorFlow", "OpenVINO", "ONNX Runtime", "PyTorch"} if installed else {"TensorFlow"}
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ["export_plain", "export_onnx"]),
        ("tensorflow ours, openvino ours", []),
        ("openvino plain bfloat16", ["export_plain"]),
        ("onnx", ["export_plain", "export_onnx"]),
    ],
)
def test_the_plain_graph_is_exported_for_who_wants_it(monkeypatch, tmp_path, wanted, expected):
    called = []
    for name in ("export_plain", "export_onnx"):
        monkeypatch.setattr(
            inference_variants.peers, name, lambda *_, name=name: called.append(name) or Path(name)
        )
    monkeypatch.setattr(inference_variants, "is_installed", lambda name: True)
    monkeypatch.setattr(
        inference_variants, "saved_models", lambda one: SimpleNamespace(fused=Path(one.precision))
    )
    monkeypatch.setattr(inference_variants, "resolve", lambda precision: precision)
    exported = inference_variants.export(tmp_path, "", shared_slopes=False, wanted=wanted)
    assert called == expected
    assert [exported.plain, exported.onnx] == [
        Path(name) if name in expected else None for name in ("export_plain", "export_onnx")
    ]


@pytest.fixture
def loaded(monkeypatch):
    """How models are loaded, and models that tell it."""

    def loader(name):
        def load(*arguments, **more):
            return SimpleNamespace(loaded=(name, *arguments, *more.values()), footprint=None)

        return load

    monkeypatch.setattr(inference_variants, "TensorFlowModel", loader("TensorFlow"))
    computing = loader("model")
    monkeypatch.setattr(
        inference_variants,
        "Computing",
        lambda *how: SimpleNamespace(load=lambda path: computing(path, *how)),
    )
    for name in ("onnx_generators", "torch_generators"):
        monkeypatch.setattr(inference_variants.peers, name, loader(name))
    monkeypatch.setattr(inference_variants, "resolve", lambda precision: precision)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (OURS, ("TensorFlow", Path("ours"))),
        (OURS_16, ("TensorFlow", Path("ours16"))),
        (PLAIN, ("TensorFlow", Path("plain"))),
        (OPENVINO, ("model", Path("plain"), "openvino", "float32")),
        (Variant("OpenVINO", "ours", "bfloat16"), ("model", Path("ours"), "openvino", "bfloat16")),
        (Variant("OpenVINO", "ours", INT8), ("model", Path("int8"), "openvino", "bfloat16")),
        (Variant("ONNX Runtime", "plain", "float32"), ("onnx_generators", Path("onnx"))),
        (Variant("PyTorch", "plain", "bfloat16"), ("torch_generators", "bfloat16", False)),
    ],
)
def test_what_a_form_is_loaded_from(loaded, variant, expected):
    more = dataclasses.replace(EXPORTED, onnx=Path("onnx"), int8=Path("int8"))
    assert load(variant, more, Tiling()).model.loaded == expected  # pyright: ignore[reportAttributeAccessIssue]


def test_all_of_a_precision_have_the_same_tiles(loaded):
    image = np.zeros((720, 1280, 3), np.uint8)
    variants = (OURS, PLAIN, OPENVINO, Variant("OpenVINO", "plain", "bfloat16"))
    tiles = []
    for variant in variants:
        upscaler = load(variant, EXPORTED, Tiling(memory_mb=2000))
        upscaler.model.radius = 60  # type: ignore[misc]
        tiles.append(len(upscaler.plan(image).tiles))
    first, *others, half = tiles
    assert [first] * 2 == others and 1 < half < first
