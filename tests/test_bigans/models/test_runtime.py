"""The same model in TensorFlow and in OpenVINO."""

import platform
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigans import Tiling, Upscaler
from bigans.models import memory, runtime
from bigans.models.openvino_model import OpenVinoGenerators
from bigans.models.runtime import Computing, chosen_runtime
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.openvino_models import openvino_model
from bigans.upscaler.enlarging import Enlarging
from fusion.exporting import build
from sr_images.image_io import read_rgb, write_rgb
from sr_program.errors import DataError, UsageError
from sr_program.machine import optional_packages as extras

needs_openvino = pytest.mark.skipif(
    not extras.is_installed("openvino"),
    reason="needs the extra openvino: pip install 'bi-gans-st[openvino]'",
)
NUMBERS = [(0.0, -1.0), (0.4, -1.0), (0.73, -1.0), (1.0, -1.0), (0.73, 0.0), (0.3, 4.5)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pair(toy_fused: Path, cache: Path) -> tuple[TensorFlowModel, OpenVinoGenerators]:
    """The toy model, in TensorFlow and in OpenVINO; every value is exact in both."""
    other = Computing(runtime="openvino", cache_dir=cache).load(toy_fused)
    assert isinstance(other, OpenVinoGenerators)
    return TensorFlowModel(toy_fused), other


@needs_openvino
def test_what_the_upscaler_asks(pair: tuple[TensorFlowModel, OpenVinoGenerators]) -> None:
    for model in pair:
        assert model.inputs == {"image", "xi", "max_deviation"}
        assert model.scale == 4
        assert model.radius is None
        model.require_parts()
    assert pair[1].directory == pair[0].directory


@needs_openvino
@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("shape", [(1, 13, 17, 3), (3, 1, 5, 3)])
def test_serves_the_same(
    pair: tuple[TensorFlowModel, OpenVinoGenerators],
    shape: tuple[int, ...],
    numbers: tuple[float, float],
) -> None:
    xi, max_deviation = (np.array(number, np.float32) for number in numbers)
    inputs = {"xi": xi, "max_deviation": max_deviation}
    first, second = (model.serve(noise(*shape), inputs) for model in pair)
    assert second.dtype == np.uint8
    np.testing.assert_array_equal(second, first)


@needs_openvino
def test_serves_one_number_an_image(pair: tuple[TensorFlowModel, OpenVinoGenerators]) -> None:
    xi, bound = np.array([0.1, 0.9, 1.0], "f4"), np.array([-1, 3.5, -1], "f4")
    inputs = {"xi": xi, "max_deviation": bound}
    first, second = (model.serve(noise(3, 6, 7, 3), inputs) for model in pair)
    np.testing.assert_array_equal(second, first)


@needs_openvino
def test_parts_are_the_same(pair: tuple[TensorFlowModel, OpenVinoGenerators]) -> None:
    results = []
    for model in pair:
        faithful, vivid = model.generators(noise(5, 7, 3))
        limits = np.array([2.5], np.float32)
        values = np.sort(model.deviations(faithful, vivid), axis=0)
        merged = model.merge(faithful, vivid, limits)
        results.append([faithful, vivid, values, merged, model.unrounded(noise(5, 7, 3))])
    for expected, found in zip(*results, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@needs_openvino
@pytest.mark.parametrize(
    ("threshold", "delta"), [("per_channel", "as_read"), ("luma", "as_printed")]
)
def test_finds_out_how_a_model_merges(
    toy_generators: tuple[Path, Path], tmp_path: Path, threshold: Any, delta: Any
) -> None:
    directory = build(*toy_generators, tmp_path / "model", threshold=threshold, delta=delta)
    for xi in (0.0, 0.35, 1.0):
        ours = Upscaler(directory)
        theirs = Upscaler(directory, runtime="openvino", cache_dir=tmp_path)
        first, second = (one(noise(9, 11, 3), xi=xi) for one in (ours, theirs))
        assert np.abs(first.astype(int) - second).max() <= 1
        assert np.count_nonzero(first != second) <= 2
    assert Upscaler(directory, runtime="openvino", cache_dir=tmp_path).inputs == (
        {"image", "xi", "max_deviation"} if delta == "as_read" else {"image", "xi"}
    )


@needs_openvino
def test_bfloat16_gets_larger_tiles(
    pair: tuple[TensorFlowModel, OpenVinoGenerators], cache: Path
) -> None:
    half = Computing(runtime="openvino", precision="bfloat16", cache_dir=cache).load(
        pair[0].directory
    )
    assert half.footprint.bytes_per_lr_pixel < pair[1].footprint.bytes_per_lr_pixel


@needs_openvino
@pytest.mark.parametrize("arguments", [{"xi": 0.2}, {"xi": 1}, {"max_deviation": 2.5}])
def test_tiles(toy_fused: Path, cache: Path, tmp_path: Path, arguments: dict[str, Any]) -> None:
    taken = memory.OPENVINO
    total = taken.program_bytes + 40.5 * 40 * taken.bytes_per_lr_pixel
    tiling = Tiling(memory_mb=total / 1e6, overlap=0)
    image = noise(97, 131, 3)
    expected = Upscaler(toy_fused)(image, **arguments)
    upscale = Upscaler(toy_fused, tiling=tiling, runtime="openvino", cache_dir=cache)
    assert upscale.fits(noise(40, 40, 3)) and not upscale.fits(noise(80, 80, 3))
    np.testing.assert_array_equal(upscale(image, **arguments), expected)
    upscale.to_file(image, tmp_path / "a.png", enlarging=Enlarging(**arguments))
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), expected)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@needs_openvino
def test_a_single_generator(toy_generators: tuple[Path, Path], tmp_path: Path) -> None:
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(toy_generators[0] / "1"))

    def serve(image: Any) -> Any:
        levels = loaded.signatures["unrounded"](image=image)["sr"]
        return {"sr": tf.cast(tf.floor(levels + 0.5), tf.uint8)}

    spec = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
    loaded.serve = tf.function(serve, input_signature=[spec])
    signatures = {"serving_default": loaded.serve, "unrounded": loaded.signatures["unrounded"]}
    tf.saved_model.save(loaded, str(tmp_path / "generator"), signatures=signatures)
    upscale = Upscaler(tmp_path / "generator", runtime="openvino", cache_dir=tmp_path)
    assert upscale.inputs == {"image"}
    expected = Upscaler(tmp_path / "generator")(noise(2, 5, 7, 3))
    np.testing.assert_array_equal(upscale(noise(2, 5, 7, 3)), expected)
    with pytest.raises(ValueError, match="no input xi"):
        upscale(noise(5, 7, 3), xi=0.5)


@needs_openvino
def test_calls_from_several_threads(toy_fused: Path, cache: Path) -> None:
    upscale = Upscaler(toy_fused, runtime="openvino", cache_dir=cache)
    images = [noise(8 + i, 40, 3) for i in range(6)]
    found: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        for _ in range(5):
            found[number] = upscale(images[number])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, image in enumerate(images):
        np.testing.assert_array_equal(found[number], Upscaler(toy_fused)(image))


@needs_openvino
def test_is_converted_once(toy_fused: Path, tmp_path: Path) -> None:
    first = openvino_model(toy_fused, tmp_path)
    written = (first / "generators.xml").stat().st_mtime_ns
    copy = shutil.copytree(toy_fused, tmp_path / "copy")
    assert openvino_model(copy, tmp_path) == first
    assert (first / "generators.xml").stat().st_mtime_ns == written
    with (copy / "saved_model.pb").open("ab") as file:  # an unknown field of no content
        file.write(b"\xfa\x7f\x00")
    assert openvino_model(copy, tmp_path) != first
    assert len(list((tmp_path / "openvino").iterdir())) == 3  # with the lock


@needs_openvino
def test_a_model_that_merges_in_its_own_way(toy_fused: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(toy_fused))
    signatures = dict(loaded.signatures)
    specs = signatures["serving_default"].structured_input_signature[1]

    def serve(image: Any, xi: Any, max_deviation: Any) -> Any:
        sr = loaded.signatures["serving_default"](image=image, xi=xi, max_deviation=max_deviation)
        return {"sr": sr["sr"] // 2}

    order = [specs[name] for name in ("image", "xi", "max_deviation")]
    loaded.serve = tf.function(serve, input_signature=order)
    signatures["serving_default"] = loaded.serve
    other = tmp_path / "other"
    tf.saved_model.save(loaded, str(other), signatures=signatures)
    with pytest.raises(DataError, match=f"{other}: OpenVINO gives other results"):
        Computing(runtime="openvino", cache_dir=tmp_path).load(other)
    assert [path.name for path in (tmp_path / "openvino").iterdir()] == [".lock"]
    assert isinstance(Computing(runtime="auto", cache_dir=tmp_path).load(other), TensorFlowModel)


@needs_openvino
def test_a_model_without_parts(fused: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither the signature 'generators' nor 'unrounded'"):
        Computing(runtime="openvino", cache_dir=tmp_path).load(fused)


@needs_openvino
def test_an_exported_model(
    toy_generators: tuple[Path, Path],
    toy_fused: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIGANS_CACHE", str(tmp_path / "cache"))
    directory = build(*toy_generators, tmp_path / "model", format="openvino")
    expected = Upscaler(toy_fused)(noise(9, 7, 3), xi=0.3)
    for place in (directory, directory.parent):
        for name in ("openvino", "auto"):
            upscale = Upscaler(place, runtime=name)
            np.testing.assert_array_equal(upscale(noise(9, 7, 3), xi=0.3), expected)
            with pytest.raises(UsageError, match="cache_dir has no effect"):
                Upscaler(place, runtime=name, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    with pytest.raises(UsageError, match="is a model for OpenVINO; choose runtime=openvino"):
        Upscaler(directory)


@needs_openvino
def test_an_export_of_before_there_were_facts(
    toy_generators: tuple[Path, Path], toy_fused: Path, tmp_path: Path
) -> None:
    """Its `.xml` tells how it merges."""
    from fusion.formats.openvino_model import import_openvino, openvino_core

    directory = build(*toy_generators, tmp_path / "model", format="openvino")
    old = tmp_path / "old"
    old.mkdir()
    model = openvino_core().read_model(directory / "generators.xml")
    for name, value in {"threshold": "joint", "delta": "as_read", "receptive_field": "7"}.items():
        model.set_rt_info(value, ["bi_gans_st", name])
    import_openvino().save_model(model, str(old / "generators.xml"), compress_to_fp16=False)
    upscale = Upscaler(old, runtime="openvino")
    assert (upscale.radius, upscale.facts.scale, upscale.facts.version) == (7, 4, None)
    expected = Upscaler(toy_fused)(noise(9, 7, 3), xi=0.3)
    np.testing.assert_array_equal(upscale(noise(9, 7, 3), xi=0.3), expected)


@needs_openvino
def test_computes_in_float32_unless_asked_otherwise(
    toy_fused: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself OpenVINO takes bfloat16 where the processor has it."""
    from fusion.formats import openvino_model as format

    hints, core = [], format.openvino_core()

    class Core:
        read_model = staticmethod(core.read_model)

        @staticmethod
        def compile_model(model: Any, device: str, settings: dict[str, str]) -> Any:
            compiled = core.compile_model(model, device, settings)
            hints.append(str(compiled.get_property("INFERENCE_PRECISION_HINT")))
            return compiled

    monkeypatch.setattr(format, "openvino_core", lambda: Core)
    Upscaler(toy_fused, runtime="openvino", cache_dir=cache)
    Upscaler(toy_fused, runtime="auto", precision="float32", cache_dir=cache)
    assert ["float32" in hint or "f32" in hint for hint in hints] == [True, True]


@needs_openvino
@pytest.mark.parametrize("damage", ["no weights", "half", "no facts"])
def test_a_damaged_exported_model(
    toy_generators: tuple[Path, Path], tmp_path: Path, damage: str
) -> None:
    directory = build(*toy_generators, tmp_path, format="openvino")
    file = directory / "generators.xml"
    content = file.read_text()
    if damage == "no weights":
        (directory / "generators.bin").unlink()
    elif damage == "half":
        file.write_text(content[: len(content) // 2])
    else:
        (directory / "facts.json").unlink()
    with pytest.raises(DataError, match="generators.xml") as caught:
        Upscaler(directory, runtime="openvino")
    assert "\n" not in str(caught.value)


def test_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    def auto(machine: str, installed: bool) -> str:
        monkeypatch.setattr(platform, "machine", lambda: machine)
        monkeypatch.setattr(runtime, "is_installed", lambda extra: installed)
        return chosen_runtime("auto")

    assert auto("x86_64", True) == auto("AMD64", True) == "openvino"
    assert auto("x86_64", False) == auto("aarch64", True) == "tensorflow"
    other: Any = "torch"
    with pytest.raises(ValueError, match="choose one of tensorflow, openvino, onnx, auto"):
        chosen_runtime(other)


def test_without_openvino(toy_fused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras._MODULES, "openvino", ("no_such",))
    with pytest.raises(UsageError, match=r"pip install 'bi-gans-st\[openvino\]'"):
        Upscaler(toy_fused, runtime="openvino")
    assert isinstance(Computing(runtime="auto").load(toy_fused), TensorFlowModel)


def command(
    arguments: list[str], folder: Path, environment: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "bigans", *arguments],
        cwd=folder,
        env={**environment, "BIGANS_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
    )


@needs_openvino
def test_command_without_tensorflow(
    toy_fused: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    write_rgb(tmp_path / "cat.png", noise(21, 34, 3))
    arguments = ["cat.png", "--output=big.png", "--xi=0.4", f"--model={toy_fused}"]
    arguments.append("--runtime=openvino")
    expected = Upscaler(toy_fused)(noise(21, 34, 3), xi=0.4)
    first = command(arguments, tmp_path, subprocess_environment)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    np.testing.assert_array_equal(read_rgb(tmp_path / "big.png"), expected)
    (tmp_path / "big.png").unlink()
    later = command(arguments, tmp_path, subprocess_environment, "-X", "importtime")
    assert later.returncode == 0, later.stderr
    np.testing.assert_array_equal(read_rgb(tmp_path / "big.png"), expected)
    lines = [line for line in later.stderr.splitlines() if not line.startswith("import time:")]
    assert lines == []
    imported = {line.split("|")[-1].strip() for line in later.stderr.splitlines()}
    assert "openvino" in imported
    # It would tell its maker.
    assert not {"tensorflow", "keras", "openvino_telemetry.main"} & imported


@needs_openvino
def test_wrong_commands(
    toy_fused: Path, fused: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    write_rgb(tmp_path / "cat.png", noise(5, 4, 3))
    cases = [
        ([f"--model={toy_fused}", "--runtime=torch"], 2, "--runtime=torch"),
        (["--model=./missing", "--runtime=openvino"], 1, "missing: no such directory"),
        ([f"--model={fused}", "--runtime=openvino"], 1, "export it again, or choose --runtime"),
    ]
    for arguments, code, message in cases:
        done = command(
            ["cat.png", "--output=big.png", *arguments], tmp_path, subprocess_environment
        )
        assert done.returncode == code, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "big.png").exists()


@pytest.mark.parametrize("runtime", ["tensorflow", "openvino", "onnx"])
def test_grey_levels_in_every_runtime(
    levels_generators: tuple[Path, Path], tmp_path: Path, runtime: Any
) -> None:
    """Values between whole levels are seen, and whole ones give what 8-bit pixels give."""
    if runtime != "tensorflow" and not extras.is_installed(runtime):
        pytest.skip(f"needs the extra {runtime}: pip install 'bi-gans-st[{runtime}]'")
    format: Any = "onnx" if runtime == "onnx" else "saved_model"
    cache: Any = {"cache_dir": tmp_path} if runtime == "openvino" else {}
    directory = build(*levels_generators, tmp_path / "model", format=format)
    model = Computing(runtime=runtime, **cache).load(directory)
    assert model.takes_levels
    levels = np.random.default_rng(0).uniform(0, 200, (5, 7, 3)).astype(np.float32)
    faithful, vivid = model.generators(levels)
    large = levels.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_allclose(faithful, large + 0.25, rtol=0, atol=1e-4)
    np.testing.assert_allclose(vivid, large * 1.125, rtol=0, atol=1e-4)
    whole = np.round(levels)
    for found, expected in zip(
        model.generators(whole), model.generators(whole.astype(np.uint8)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@needs_openvino
def test_a_model_of_8_bits_takes_no_others(
    pair: tuple[TensorFlowModel, OpenVinoGenerators],
) -> None:
    for model in pair:
        assert not model.takes_levels
        with pytest.raises(DataError, match="takes photos of 8 bits a channel only"):
            model.serve_unrounded(np.zeros((3, 4, 3), np.float32), {})
