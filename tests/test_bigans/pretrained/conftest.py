"""A weights folder whose files are no real weights: the builders are faked."""

from pathlib import Path

import pytest

from bigans.pretrained.manifest import RECIPES, PretrainedGenerator, write_manifest
from sr_program.files.hashes import file_sha256


@pytest.fixture
def weights_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    manifest = {}
    for name, recipe in RECIPES.items():
        path = folder / f"{name}.weights.h5"
        path.write_bytes(name.encode() * 100)
        manifest[name] = PretrainedGenerator(path.name, file_sha256(path), {"features": 8}, recipe)
    write_manifest(manifest, folder)
    return folder
