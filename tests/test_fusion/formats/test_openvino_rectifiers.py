from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.formats.openvino_model import import_openvino, openvino_core
from sr_program.machine.optional_packages import is_installed

if not is_installed("openvino"):
    pytest.skip(
        "needs the extra openvino: pip install 'bi-gans-st[openvino]'", allow_module_level=True
    )

from fusion.formats.openvino_rectifiers import fuse_rectifiers

SLOPES = np.array([0.25, -0.5, 1.75], np.float32)


def model_of(rectify: Any) -> Any:
    openvino = import_openvino()
    from openvino import opset13  # pyright: ignore[reportMissingImports]

    x = opset13.parameter([-1, 3, -1, -1], np.float32, name="x")
    return openvino.Model([opset13.result(rectify(opset13, x))], [x], "model")


def per_channel(ops: Any, values: np.ndarray = SLOPES) -> Any:
    return ops.constant(values.reshape(1, -1, 1, 1))


def sum_of(
    ops: Any, x: Any, *, swapped: bool = False, slope: Any = None, bounds: tuple = (0, 0)
) -> Any:
    first, second = (ops.constant(np.full((1, 1, 1, 1), bound, np.float32)) for bound in bounds)
    slope = per_channel(ops) if slope is None else slope
    upper, lower = ops.maximum(x, first), ops.minimum(second, x)
    if swapped:
        return ops.add(ops.multiply(slope, lower), upper)
    return ops.add(upper, ops.multiply(lower, slope))


def run(model: Any, x: np.ndarray) -> np.ndarray:
    return openvino_core().compile_model(model, "CPU")([x])[0]


@pytest.mark.parametrize("swapped", [False, True])
def test_becomes_one_operation(swapped: bool) -> None:
    model = model_of(lambda ops, x: sum_of(ops, sum_of(ops, x), swapped=swapped))
    assert fuse_rectifiers(model) == 2
    kinds = Counter(node.get_type_name() for node in model.get_ops())
    assert kinds["PRelu"] == 2 and not kinds["Maximum"] + kinds["Minimum"] + kinds["Add"]
    x = np.random.default_rng(0).normal(0, 2, (2, 3, 5, 4)).astype(np.float32)
    expected = x
    for _ in range(2):
        slopes = SLOPES[:, None, None]
        expected = np.maximum(expected, 0) + slopes * np.minimum(expected, 0)
    np.testing.assert_allclose(run(model, x), expected, rtol=1e-6)


@pytest.mark.parametrize("swapped", [False, True])
def test_so_does_the_larger_of_two(swapped: bool) -> None:
    slopes = np.array([0.25, -0.5, 1.0], np.float32)

    def larger(ops: Any, x: Any) -> Any:
        scaled = ops.multiply(per_channel(ops, slopes), x)
        return ops.maximum(scaled, x) if swapped else ops.maximum(x, scaled)

    model = model_of(larger)
    assert fuse_rectifiers(model) == 1
    kinds = Counter(node.get_type_name() for node in model.get_ops())
    assert kinds["PRelu"] == 1 and not kinds["Maximum"] + kinds["Multiply"]
    x = np.random.default_rng(0).normal(0, 2, (2, 3, 5, 4)).astype(np.float32)
    expected = np.where(x > 0, x, slopes[:, None, None] * x)
    np.testing.assert_allclose(run(model, x), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        # With a slope above 1 the larger of both is another function.
        lambda ops, x: ops.maximum(x, ops.multiply(x, per_channel(ops))),
        lambda ops, x: ops.maximum(x, ops.multiply(ops.abs(x), per_channel(ops, SLOPES / 2))),
        lambda ops, x: sum_of(ops, x, bounds=(1, 0)),
        lambda ops, x: sum_of(ops, x, bounds=(0, 1)),
        lambda ops, x: sum_of(ops, x, slope=ops.constant(np.ones((1, 1, 5, 1), np.float32))),
        lambda ops, x: sum_of(ops, x, slope=ops.constant(np.ones((1, 3, 5, 1), np.float32))),
        lambda ops, x: ops.add(
            ops.maximum(x, ops.constant(np.float32(0))),
            ops.multiply(ops.minimum(ops.abs(x), ops.constant(np.float32(0))), per_channel(ops)),
        ),
        lambda ops, x: ops.add(x, ops.multiply(x, per_channel(ops))),
    ],
)
def test_what_is_no_rectifier_stays(other: Any) -> None:
    model = model_of(other)
    before = Counter(node.get_type_name() for node in model.get_ops())
    assert fuse_rectifiers(model) == 0
    assert Counter(node.get_type_name() for node in model.get_ops()) == before


def test_all_of_a_network_are_found(network_dirs: tuple[Path, Path], tmp_path: Path) -> None:
    from fusion.exporting import build

    directory = build(*network_dirs, tmp_path, format="openvino")
    model = openvino_core().read_model(str(directory / "generators.xml"))
    kinds = Counter(node.get_type_name() for node in model.get_ops())
    assert kinds["PRelu"] == 4
    assert kinds["Maximum"] == kinds["Minimum"] == 2  # the results are clipped
