"""What lies in `weights/`: `manifest.json` names every file, its hash, network and recipe."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from sr_program.errors import DataError, reason
from sr_program.files.atomic_write import atomic_file
from sr_program.files.hashes import file_sha256

WEIGHTS_DIR = Path(__file__).parent / "weights"

# The shipped generators and the flagfiles that trained them.
RECIPES = {
    "mr_srgan": "configs/mr_srgan/22_taught.cfg",
    "wp_srgan_stage1": "configs/wp_srgan/21_pixel_60k.cfg",
    "wp_srgan_stage2": "configs/wp_srgan/14_vivid_long.cfg",
    "mr_srgan_photo": "configs/mr_srgan/32_photo_taught.cfg",
    "wp_srgan_photo": "configs/wp_srgan/32_photo_vivid.cfg",
}

_FILE_NAME = "manifest.json"
_REMEDY = "install the program again"


@dataclasses.dataclass(frozen=True)
class PretrainedGenerator:
    """One shipped generator.

    Attributes:
        file: Name of the `.weights.h5` file inside the weights folder.
        sha256: Of that file, in hexadecimal.
        config: The fields of the branch's GeneratorConfig.
        recipe: Path of the flagfile that trained it, inside the repository.
    """

    file: str
    sha256: str
    config: dict[str, Any]
    recipe: str


Manifest = dict[str, PretrainedGenerator]


def read_manifest(weights_dir: Path = WEIGHTS_DIR) -> Manifest:
    """Reads the description of the shipped weights.

    Returns:
        The generators by name; the names are the keys of `RECIPES`.

    Raises:
        DataError: There is no manifest, or it is damaged or incomplete.
    """
    path = weights_dir / _FILE_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        manifest = {name: PretrainedGenerator(**entries[name]) for name in RECIPES}
    except FileNotFoundError:
        raise DataError(f"{path}: the trained weights are missing; {_REMEDY}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is damaged ({error}); {_REMEDY}") from error
    return manifest


def write_manifest(manifest: Manifest, weights_dir: Path = WEIGHTS_DIR) -> None:
    """Writes `manifest.json`, whole or not at all."""
    entries = {name: dataclasses.asdict(generator) for name, generator in manifest.items()}
    with atomic_file(weights_dir / _FILE_NAME) as temporary:
        temporary.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def verified_weights(generator: PretrainedGenerator, weights_dir: Path = WEIGHTS_DIR) -> Path:
    """Returns the path of a generator's weights after comparing their hash.

    Raises:
        DataError: The file is missing or not the one of the manifest.
    """
    path = weights_dir / generator.file
    try:
        found = file_sha256(path)
    except OSError as error:
        raise DataError(f"{path}: {reason(error)}; {_REMEDY}") from error
    if found != generator.sha256:
        raise DataError(f"{path}: is not the file that was shipped (wrong sha256); {_REMEDY}")
    return path
