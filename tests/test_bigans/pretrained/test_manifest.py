import hashlib
import json
from pathlib import Path

import pytest

from bigans.pretrained.manifest import (
    RECIPES,
    WEIGHTS_DIR,
    read_manifest,
    verified_weights,
    write_manifest,
)
from sr_program.errors import DataError


def test_a_manifest_is_read_as_it_was_written(weights_dir: Path, tmp_path: Path) -> None:
    manifest = read_manifest(weights_dir)
    assert list(manifest) == list(RECIPES)
    write_manifest(manifest, tmp_path)
    assert read_manifest(tmp_path) == manifest


def test_the_manifest_is_json_with_the_promised_keys(weights_dir: Path) -> None:
    entries = json.loads((weights_dir / "manifest.json").read_text())
    assert entries["wp_srgan_stage2"] == {
        "file": "wp_srgan_stage2.weights.h5",
        "sha256": hashlib.sha256(b"wp_srgan_stage2" * 100).hexdigest(),
        "config": {"features": 8},
        "recipe": "configs/wp_srgan/14_vivid_long.cfg",
    }


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"{}", b'{"mr_srgan": {"file": "x"}}', b"null"]
)
def test_a_damaged_manifest_is_named(weights_dir: Path, content: bytes) -> None:
    (weights_dir / "manifest.json").write_bytes(content)
    with pytest.raises(DataError, match=r"manifest\.json: is damaged .*install"):
        read_manifest(weights_dir)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json: .* missing; install"):
        read_manifest(tmp_path)


def test_good_weights_are_verified(weights_dir: Path) -> None:
    for name, generator in read_manifest(weights_dir).items():
        assert verified_weights(generator, weights_dir) == weights_dir / f"{name}.weights.h5"


def test_one_changed_byte_is_found(weights_dir: Path) -> None:
    path = weights_dir / "mr_srgan.weights.h5"
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mr_srgan\.weights\.h5: .*sha256.*; install"):
        verified_weights(read_manifest(weights_dir)["mr_srgan"], weights_dir)


def test_missing_weights_are_named(weights_dir: Path) -> None:
    (weights_dir / "mr_srgan.weights.h5").unlink()
    with pytest.raises(DataError, match=r"mr_srgan\.weights\.h5: No such file.*install"):
        verified_weights(read_manifest(weights_dir)["mr_srgan"], weights_dir)


def test_the_shipped_weights_are_whole(repository: Path) -> None:
    if not (WEIGHTS_DIR / "manifest.json").exists():
        pytest.skip("no weights are shipped yet; python -m bigans.pretrained adds them")
    manifest = read_manifest()
    paths = [verified_weights(generator) for generator in manifest.values()]
    assert sum(path.stat().st_size for path in paths) < 25e6
    assert {path.name for path in WEIGHTS_DIR.glob("*.h5")} == {path.name for path in paths}
    for generator in manifest.values():
        assert (repository / generator.recipe).is_file()
