import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.formats.openvino_model import OpenVinoModel, import_openvino, openvino_core
from sr_program.errors import DataError, UsageError
from sr_program.machine.optional_packages import is_installed

if not is_installed("openvino"):
    pytest.skip(
        "needs the extra openvino: pip install 'bi-gans-st[openvino]'", allow_module_level=True
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """image -> twice and half, float32."""
    openvino = import_openvino()
    from openvino import opset13 as ops  # pyright: ignore[reportMissingImports]

    image = ops.parameter([-1, -1, -1, 3], np.uint8, name="image")
    image.output(0).get_tensor().set_names({"image"})
    values = ops.convert(image, "f32")
    results = []
    for name, factor in (("twice", 2.0), ("half", 0.5)):
        result = ops.multiply(values, ops.constant(np.float32(factor)))
        result.output(0).get_tensor().set_names({name})
        results.append(ops.result(result))
    model = openvino.Model(results, [image], "model")
    for name, value in (("threshold", "joint"), ("receptive_field", "7")):
        model.set_rt_info(value, ["bi_gans_st", name])
    path = tmp_path_factory.mktemp("openvino") / "model.xml"
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return path


def test_arrays_by_name(path: Path) -> None:
    model = OpenVinoModel(path)
    assert model.inputs == {"image": np.dtype(np.uint8)}
    assert model.outputs == {"twice", "half"}
    image = np.random.default_rng(0).integers(0, 256, (2, 5, 8, 3), np.uint8)
    first = model({"image": image[:, ::-1, 1::2]})
    second = model({"image": image})
    assert set(second) == {"twice", "half"}
    np.testing.assert_array_equal(second["half"], image / 2)
    # The first result is still what it was: the caller owns it.
    np.testing.assert_array_equal(first["twice"], image[:, ::-1, 1::2] * 2.0)


def test_facts(path: Path) -> None:
    assert OpenVinoModel(path).old_facts == {"threshold": "joint", "receptive_field": "7"}


@pytest.mark.skipif(sys.platform != "linux", reason="needs the stacks for signals of Linux")
def test_signals_are_handled_after_models_are_gone(
    path: Path, subprocess_environment: dict[str, str]
) -> None:
    """In the order in which they came: with a Core each, the process would end by signal 11."""
    program = """
import gc, os, signal, sys
from fusion.formats.openvino_model import OpenVinoModel
signal.signal(signal.SIGTERM, lambda number, frame: print("handled"))
first, second = OpenVinoModel(sys.argv[1]), OpenVinoModel(sys.argv[1])
del first
gc.collect()
del second
gc.collect()
os.kill(os.getpid(), signal.SIGTERM)
"""
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(
        command, env=subprocess_environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


@pytest.mark.parametrize(("precision", "hint"), [("float32", "f32"), ("bfloat16", "bf16")])
def test_precision_is_not_left_to_openvino(path: Path, precision: Any, hint: str) -> None:
    if hint.upper() not in {
        "F32",
        *openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    }:
        pytest.skip(f"needs a processor on which OpenVINO computes in {precision}: AVX512")
    compiled = OpenVinoModel(path, precision)._request.get_compiled_model()
    found = compiled.get_property("INFERENCE_PRECISION_HINT")
    assert found.to_string() == hint


def test_unknown_precision(path: Path) -> None:
    precision: Any = "float8"
    with pytest.raises(UsageError, match="choose one of float32, bfloat16"):
        OpenVinoModel(path, precision)


@pytest.mark.parametrize("content", [None, "", "<net/>"])
def test_no_model(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "model.xml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(
        DataError, match=f"{path}: not an OpenVINO model.*export it again"
    ) as caught:
        OpenVinoModel(path)
    assert "\n" not in str(caught.value)


def test_memory_that_runs_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def infer(self, inputs: Any) -> Any:
            raise RuntimeError("Exception from src/core.cpp: std::bad_alloc")

    model = OpenVinoModel(path)
    monkeypatch.setattr(model, "_request", Exhausted())
    with pytest.raises(DataError, match="memory ran out on 7x5 pixels.*smaller memory_mb"):
        model({"image": np.zeros((1, 5, 7, 3), np.uint8)})


def test_its_maker_is_not_told(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    program = (
        "import sys; from fusion.formats.openvino_model import import_openvino; import_openvino();"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]"
    )
    environment = {**subprocess_environment, "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
