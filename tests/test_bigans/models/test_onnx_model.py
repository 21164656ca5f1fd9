"""The same model in TensorFlow and in ONNX Runtime."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigans import Tiling, Upscaler
from bigans.models import memory
from bigans.models.runtime import Computing
from bigans.upscaler.enlarging import Enlarging
from fusion.exporting import build
from sr_images.image_io import read_rgb
from sr_program.errors import DataError, UsageError
from sr_program.machine import optional_packages as extras

pytestmark = pytest.mark.skipif(
    not extras.is_installed("onnx"),
    reason="needs the extra onnx: pip install 'bi-gans-st[onnx]'",
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(toy_generators: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(*toy_generators, tmp_path_factory.mktemp("onnx"), format="onnx")


@pytest.mark.parametrize(
    "arguments", [{}, {"xi": 0}, {"xi": 0.3}, {"xi": 1}, {"max_deviation": 2.5}]
)
def test_enlarges_the_same(exported: Path, toy_fused: Path, arguments: dict[str, Any]) -> None:
    ours = Upscaler(toy_fused)
    for place, runtime in ((exported, "onnx"), (exported.parent, "auto")):
        upscale: Any = Upscaler(place, runtime=runtime)  # pyright: ignore[reportArgumentType]
        assert upscale.inputs == ours.inputs and upscale.facts == ours.facts
        for shape in ((13, 17, 3), (2, 5, 8, 3)):
            expected = ours(noise(*shape), **arguments)
            np.testing.assert_array_equal(upscale(noise(*shape), **arguments), expected)


def test_tiles(exported: Path, toy_fused: Path, tmp_path: Path) -> None:
    taken = memory.ONNX_RUNTIME
    total = taken.program_bytes + 40.5 * 40 * taken.bytes_per_lr_pixel
    tiling = Tiling(memory_mb=total / 1e6, overlap=0)
    upscale = Upscaler(exported, tiling=tiling, runtime="onnx")
    image = noise(97, 131, 3)
    assert not upscale.fits(image)
    upscale.to_file(image, tmp_path / "a.png", enlarging=Enlarging(xi=0.4))
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), Upscaler(toy_fused)(image, xi=0.4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "is a model for ONNX Runtime; choose runtime=onnx"),
        ({"runtime": "openvino"}, "is a model for ONNX Runtime; choose runtime=onnx"),
        ({"runtime": "onnx", "precision": "bfloat16"}, "precision=bfloat16 has no effect: .*ONNX"),
        ({"runtime": "onnx", "cache_dir": "x"}, "cache_dir has no effect"),
    ],
)
def test_what_does_not_go_together(exported: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Computing(**arguments).load(exported)


@pytest.mark.parametrize("damage", ["half", "no facts", "damaged facts"])
def test_a_damaged_model(exported: Path, tmp_path: Path, damage: str) -> None:
    copy = Path(shutil.copytree(exported, tmp_path / "copy"))
    file = copy / "generators.onnx"
    if damage == "half":
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    elif damage == "no facts":
        (copy / "facts.json").unlink()
    else:
        (copy / "facts.json").write_text("{")
    with pytest.raises(DataError, match=str(copy)) as caught:
        Computing(runtime="onnx").load(copy)
    assert "\n" not in str(caught.value)
