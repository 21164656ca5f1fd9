"""Small drawn benchmark sets, and generators whose results are plain to see."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from sr_images.bicubic import bicubic_downscale

Generators = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

_OFFSET = 0.25  # of the faithful generator
_CONTRAST = 1 / 16  # of the vivid generator's texture; a fraction of two: exact in any order


@pytest.fixture(scope="session")
def draw_photo() -> Callable[..., np.ndarray]:
    """Makes an image with gradients and texture, no flat areas: uint8 [H, W, 3] or [H, W]."""

    def draw(height: int, width: int, seed: int = 0, *, gray: bool = False) -> np.ndarray:
        random = np.random.default_rng(seed)
        rows, columns = np.mgrid[:height, :width] / max(height, width)
        shape = (height, width) if gray else (height, width, 3)
        texture = ndimage.gaussian_filter(random.normal(size=shape), (1.5, 1.5, 0)[: len(shape)])
        base = 70 + 60 * rows + 50 * columns
        image = (base if gray else base[..., None]) + 120 * texture + random.normal(0, 3, shape)
        return np.clip(image, 0, 255).astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def draw_set(draw_photo) -> Callable[..., Path]:
    """Writes HR images of the sizes (height, width), and their LR unless `hr_alone`."""

    def draw(folder: Path, sizes: dict[str, tuple[int, int]], *, hr_alone: bool = False) -> Path:
        for seed, (name, (height, width)) in enumerate(sizes.items()):
            hr = draw_photo(height, width, seed + len(sizes))
            write_png(folder / "HR" / f"{name}.png", hr)
            if not hr_alone:
                cropped = hr[: height // 4 * 4, : width // 4 * 4]
                write_png(folder / "LR_x4" / f"{name}.png", bicubic_downscale(cropped))
        return folder

    return draw


def write_png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def drawn_sets(tmp_path_factory: pytest.TempPathFactory, draw_set, draw_photo) -> Path:
    """Set5 with three pairs, one of which is cropped; Set14 with a gray image, HR alone."""
    folder = tmp_path_factory.mktemp("benchmarks")
    draw_set(folder / "Set5", {"baby": (48, 64), "bird": (64, 48), "woman": (51, 66)})
    draw_set(folder / "Set14", {"comic": (48, 52)}, hr_alone=True)
    write_png(folder / "Set14" / "HR" / "bridge.png", draw_photo(52, 48, 7, gray=True))
    return folder


@pytest.fixture
def data_dir(drawn_sets: Path, tmp_path: Path) -> Path:
    """A copy of `drawn_sets` that a test may damage."""
    return Path(shutil.copytree(drawn_sets, tmp_path / "data"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing can be downloaded, and nothing was; gives the names of what was asked for."""
    from evaluation.scoring import instruments
    from sr_program.errors import DataError

    asked_for: list[str] = []

    def fetch(model_file: Any) -> Path:
        asked_for.append(model_file.name)
        raise DataError(f"{model_file.name}: cannot be downloaded")

    monkeypatch.setattr(instruments, "fetch", fetch)
    return asked_for


class FakeMa:
    """Stands for the metric of Ma et al.: a tenth of the mean grey level."""

    def __init__(self, model_path: Path) -> None:
        assert Path(model_path).is_file()

    def __call__(self, luma: np.ndarray) -> float:
        return float(luma.mean()) / 10


@pytest.fixture
def ma_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that a fake of the metric takes for its model."""
    monkeypatch.setattr("evaluation.metrics.ma.MaMetric", FakeMa)
    path = tmp_path / "model.mat"
    path.write_bytes(b"forests")
    return path


@pytest.fixture(scope="session")
def expected_generators() -> Generators:
    """What the generators below make of an image: I_g and I_G, float32 [4h, 4w, 3]."""

    def generators(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        large = np.kron(image, np.ones((4, 4, 1))).astype(np.float32)
        rows, columns, channels = np.indices(large.shape)
        pattern = (rows * rows * 5 + columns * 11 + rows * columns + channels * 7) % 1021 - 510
        faithful = np.clip(large + np.float32(_OFFSET), 0, 255)
        return faithful, np.clip(large + np.float32(_CONTRAST) * pattern, 0, 255)

    return generators


def _save(directory: Path, signatures: dict[str, Callable[[Any], dict[str, Any]]]) -> Path:
    import tensorflow as tf

    module = tf.Module()
    spec = [tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")]
    functions = {name: tf.function(f, input_signature=spec) for name, f in signatures.items()}
    tf.saved_model.save(module, str(directory / "1"), signatures=functions)
    return directory


def _nearest(image: Any, scale: int = 4) -> Any:
    import tensorflow as tf

    large = tf.cast(image, tf.float32)
    return tf.repeat(tf.repeat(large, scale, axis=1), scale, axis=2)


def _faithful(image: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {"sr": tf.clip_by_value(_nearest(image) + _OFFSET, 0.0, 255.0)}


def _vivid(image: Any) -> dict[str, Any]:
    import tensorflow as tf

    large = _nearest(image)
    rows = tf.range(tf.shape(large)[1])[:, None, None]
    columns = tf.range(tf.shape(large)[2])[None, :, None]
    pattern = (rows * rows * 5 + columns * 11 + rows * columns + tf.range(3) * 7) % 1021 - 510
    return {"sr": tf.clip_by_value(large + _CONTRAST * tf.cast(pattern, tf.float32), 0.0, 255.0)}


@pytest.fixture(scope="session")
def faithful_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every pixel repeated 4x4, a quarter of a level brighter."""
    return _save(tmp_path_factory.mktemp("faithful") / "mr", {"unrounded": _faithful})


@pytest.fixture(scope="session")
def vivid_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every pixel repeated 4x4, with a texture on top."""
    return _save(tmp_path_factory.mktemp("vivid") / "wp", {"unrounded": _vivid})


@pytest.fixture(scope="session")
def fused_dir(
    tmp_path_factory: pytest.TempPathFactory, faithful_dir: Path, vivid_dir: Path
) -> Path:
    """The two generators fused, as `fusion.export` makes it."""
    from fusion.exporting import build

    return build(faithful_dir, vivid_dir, tmp_path_factory.mktemp("fused") / "fused").parent


@pytest.fixture(scope="session")
def doubling_dirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A generator, and a fused model, that enlarge 2x."""

    def double(image: Any) -> dict[str, Any]:
        return {"sr": _nearest(image, 2)}

    def generators(image: Any) -> dict[str, Any]:
        return {"faithful": _nearest(image, 2), "vivid": _nearest(image, 2) + 1.0}

    folder = tmp_path_factory.mktemp("doubling")
    return {
        "generator": _save(folder / "generator", {"unrounded": double}),
        "fused": _save(folder / "fused", {"generators": generators}),
    }


@pytest.fixture(scope="session")
def not_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders that hold no model, a damaged one, and one without a signature of ours."""
    folder = tmp_path_factory.mktemp("not_models")
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "saved_model.pb").write_bytes(b"no protocol buffer")
    other = _save(folder / "other", {"serving_default": lambda image: {"sr": image}})
    return {"empty": folder / "empty", "damaged": folder / "damaged", "other": other}
