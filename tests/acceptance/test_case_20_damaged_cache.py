"""What lies damaged in the cache is made again, once, with one warning; pictures stay right."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import write_rgb

pytestmark = pytest.mark.slow  # the shipped models are built and converted again


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 4000):
        content[place] ^= 0x55
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1_000_000])


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A cache of its own that holds the shipped models, as the first photo leaves it."""
    from bigans.pretrained.saved_models import saved_models

    fused = saved_models().fused
    shutil.copytree(fused.parents[1], tmp_path / "cache" / fused.parents[1].name)
    (copy,) = tmp_path.glob("cache/*/fused/1")
    return copy


@pytest.fixture
def enlarge(tmp_path: Path, subprocess_environment) -> Callable[..., tuple[str, bytes]]:
    """Enlarges a photo; returns what stands on stderr, and the result's file."""
    random = np.random.default_rng(0)
    write_rgb(tmp_path / "photo.png", random.integers(0, 256, (40, 50, 3), np.uint8))

    def enlarge(*flags: str) -> tuple[str, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "bigans", "photo.png", "--output=out.png", *flags],
            cwd=tmp_path,
            env={**subprocess_environment, "BIGANS_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr
        # A slow machine tells each minute that it is at work; that is no complaint.
        said = re.sub(r"^photo 0 of 1, \d+ min\n", "", done.stderr, flags=re.MULTILINE)
        return said, (tmp_path / "out.png").read_bytes()

    return enlarge


def test_saved_models(enlarge, built: Path) -> None:
    errors, right = enlarge()
    assert errors == ""
    _truncate(built / "variables" / "variables.data-00000-of-00001")
    errors, picture = enlarge()
    assert errors.count("\n") == 1 and f"{built.parent.parent} is damaged" in errors
    assert picture == right
    assert enlarge() == ("", right)


def test_openvino(enlarge, tmp_path: Path) -> None:
    pytest.importorskip(
        "openvino", reason="needs the extra openvino: pip install 'bi-gans-st[openvino]'"
    )
    errors, right = enlarge("--runtime=openvino")
    assert errors == ""
    (weights,) = tmp_path.glob("cache/openvino/*/generators.bin")
    _flip(weights)
    errors, picture = enlarge("--runtime=openvino")
    assert errors.count("\n") == 1 and f"{weights.parent} is damaged" in errors
    assert picture == right
    assert enlarge("--runtime=openvino") == ("", right)


def test_an_export_is_not_ours_to_make_again(built: Path, tmp_path: Path) -> None:
    """One line, whatever of it is damaged: TensorFlow raises nearly anything."""
    from fusion.generator_model import load_saved_model
    from sr_program.errors import DataError

    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001"):
        for damage in (_flip, _truncate, Path.unlink):
            export = tmp_path / "export"
            shutil.copytree(built, export)
            if name == "saved_model.pb" and damage is _truncate:
                (export / name).write_bytes((export / name).read_bytes()[:1000])
            else:
                damage(export / name)
            with pytest.raises(DataError, match="not a SavedModel that can be loaded"):
                load_saved_model(export)
            shutil.rmtree(export)
