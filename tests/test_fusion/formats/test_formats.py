"""The formats of other runtimes, each read by its own runtime and compared with the SavedModel."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from fusion.exporting import Format, build
from fusion.formats import runtime_check
from sr_program.errors import DataError, UsageError
from sr_program.machine.optional_packages import is_installed

Run = Callable[..., dict[str, np.ndarray]]
FORMATS: tuple[Format, ...] = ("onnx", "openvino", "litert")
SIZES = [(1, 13, 17), (1, 8, 3), (1, 1, 1), (3, 9, 14)]
NUMBERS = [(0.0, -1.0), (0.2, -1.0), (0.73, -1.0), (1.0, -1.0), (0.73, 0.0), (0.3, 4.5)]


def read_onnx(path: Path) -> Run:
    import onnxruntime  # pyright: ignore[reportMissingImports]

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda **inputs: dict(zip(names, session.run(None, inputs), strict=True))


def read_openvino(path: Path) -> Run:
    from fusion.formats.openvino_model import openvino_core

    core = openvino_core()
    model = core.read_model(path)
    names = [output.any_name for output in model.outputs]
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        results = compiled(inputs)
        return {name: results[name] for name in names}

    return run


def read_litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    return Interpreter(model_path=str(path)).get_signature_runner()


READERS = {
    "onnx": ("onnx", read_onnx),
    "openvino": ("xml", read_openvino),
    "litert": ("tflite", read_litert),
}


def require(format: str) -> None:
    if not is_installed(format):
        pytest.skip(f"needs the extra {format}: pip install 'bi-gans-st[{format}]'")


def read(format: str, directory: Path, name: str = "fused") -> Run:
    suffix, reader = READERS[format]
    return reader(directory / f"{name}.{suffix}")


@pytest.fixture(scope="module")
def saved(network_dirs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tf.saved_model.load(str(build(*network_dirs, tmp_path_factory.mktemp("fused"))))


@pytest.fixture(scope="module")
def saved_in_mode(
    network_dirs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """The SavedModel of a threshold and a delta, which all formats are compared with."""

    @functools.cache
    def make(threshold: Any, delta: Any) -> Any:
        modes = {"threshold": threshold, "delta": delta}
        return tf.saved_model.load(
            str(build(*network_dirs, tmp_path_factory.mktemp("mode"), **modes))
        )

    return make


@pytest.fixture(scope="module")
def saved_toys(
    faithful_dir: Path, vivid_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    return tf.saved_model.load(str(build(faithful_dir, vivid_dir, tmp_path_factory.mktemp("toys"))))


@pytest.fixture(scope="module", params=FORMATS)
def written(
    request: pytest.FixtureRequest,
    network_dirs: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Format, Path]]:
    require(request.param)
    output = tmp_path_factory.mktemp(request.param)
    yield request.param, build(*network_dirs, output, format=request.param)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape[1]).integers(0, 256, (*shape, 3), np.uint8)


def compare(run: Run, saved: Any, image: np.ndarray, xi: Any, max_deviation: Any) -> None:
    numbers = {"xi": np.atleast_1d(np.float32(xi))}
    if max_deviation is not None:
        numbers["max_deviation"] = np.atleast_1d(np.float32(max_deviation))
    inputs = {"image": image, **numbers}
    expected = saved.signatures["serving_default"](
        **{name: tf.constant(value) for name, value in inputs.items()}
    )["sr"].numpy()
    found = run(**inputs)["sr"]
    assert found.dtype == np.uint8 and found.shape == expected.shape
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1
    # Only a value on a half may be rounded to the other side.
    assert np.count_nonzero(difference) <= 2 + 0.001 * difference.size


def test_the_files(written: tuple[Format, Path]) -> None:
    format, directory = written
    names = {
        "onnx": {"fused.onnx", "generators.onnx"},
        "openvino": {"fused.xml", "fused.bin", "generators.xml", "generators.bin"},
        "litert": {"fused.tflite"},
    }
    assert {path.name for path in directory.iterdir()} == {*names[format], "facts.json"}
    assert [path.name for path in directory.parent.iterdir()] == ["1"]


@pytest.mark.parametrize("size", SIZES)
def test_gives_what_the_saved_model_gives(
    written: tuple[Format, Path], saved: Any, size: tuple[int, ...]
) -> None:
    run, image = read(*written), noise(*size)
    generators = saved.signatures["generators"](image=tf.constant(image))
    assert size == (1, 1, 1) or np.abs(generators["vivid"] - generators["faithful"]).max() > 10
    for xi, max_deviation in NUMBERS:
        compare(run, saved, image, xi, max_deviation)


def test_one_number_an_image(written: tuple[Format, Path], saved: Any) -> None:
    compare(read(*written), saved, noise(3, 9, 14), [0.1, 0.73, 1.0], [-1.0, 3.5, -1.0])


def test_sizes_may_change_from_call_to_call(written: tuple[Format, Path], saved: Any) -> None:
    run = read(*written)
    for size in ((1, 6, 9), (1, 20, 5), (2, 6, 9), (1, 6, 9)):
        compare(run, saved, noise(*size), 0.5, -1.0)


@pytest.mark.parametrize("written", ["onnx", "openvino"], indirect=True)
@pytest.mark.parametrize("size", SIZES)
def test_generators_before_the_rounding(
    written: tuple[Format, Path], saved: Any, size: tuple[int, ...]
) -> None:
    levels = np.random.default_rng(4).uniform(0, 255, (*size, 3)).astype(np.float32)
    found = read(*written, name="generators")(image=levels)
    expected = saved.signatures["from_levels"](levels=tf.constant(levels))
    assert set(found) == set(expected) == {"faithful", "vivid"}
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-3)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("threshold", "delta"),
    [("luma", "as_read"), ("per_channel", "as_printed")],
)
def test_the_other_modes(
    network_dirs: tuple[Path, Path],
    saved_in_mode: Callable[..., Any],
    tmp_path: Path,
    format: Format,
    threshold: Any,
    delta: Any,
) -> None:
    require(format)
    modes = {"threshold": threshold, "delta": delta}
    saved = saved_in_mode(**modes)
    run = read(format, build(*network_dirs, tmp_path / "other", **modes, format=format))
    for xi in (0.0, 0.6, 1.0):
        compare(run, saved, noise(1, 7, 10), xi, None if delta == "as_printed" else -1.0)
    if delta == "as_read":
        compare(run, saved, noise(1, 7, 10), 0.5, 2.5)


@pytest.mark.parametrize("format", FORMATS)
def test_toy_generators(
    faithful_dir: Path, vivid_dir: Path, saved_toys: Any, tmp_path: Path, format: Format
) -> None:
    """Operations that the real networks do not have: repetitions, a texture of integers."""
    require(format)
    run = read(format, build(faithful_dir, vivid_dir, tmp_path / "other", format=format))
    compare(run, saved_toys, noise(2, 7, 10), 0.6, -1.0)


@pytest.mark.parametrize("format", FORMATS)
def test_a_model_that_differs_is_not_kept(
    network_dirs: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format: Format,
) -> None:
    require(format)
    check = runtime_check.check_runs

    def of_another(model: Any, runs: Any, directory: Path) -> None:
        def wrong(inputs: Any) -> Any:
            results = runs["fused"](inputs)
            return {"sr": results["sr"] // 2}

        check(model, {**runs, "fused": wrong}, directory)

    monkeypatch.setattr(runtime_check, "check_runs", of_another)
    with pytest.raises(DataError, match="the written model's fused differs .* sr by"):
        build(*network_dirs, tmp_path / "out", format=format)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unknown_format(network_dirs: tuple[Path, Path], tmp_path: Path) -> None:
    format: Any = "odd"
    with pytest.raises(UsageError, match="choose one of saved_model, onnx, openvino, litert"):
        build(*network_dirs, tmp_path / "out", format=format)
    assert not (tmp_path / "out").exists()
