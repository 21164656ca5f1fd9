"""The hash of a model's weights, told without loading it."""

from __future__ import annotations

import os
from pathlib import Path

from bigans.models.loaded_model import hash_of_files
from bigans.models.names import PRETRAINED, SERVER, parse
from bigans.pretrained.manifest import WEIGHTS_DIR, read_manifest
from bigans.pretrained.pairs import generators_of
from sr_program.errors import DataError
from sr_program.model_facts import hash_of_parts, read_facts

_DIGITS = 16


def fingerprint(name: str | os.PathLike[str], weights_dir: Path = WEIGHTS_DIR) -> str:
    """Identifies the weights of a model.

    Args:
        name: A name of `bigans.models.names` that stands for a model.
        weights_dir: Of the shipped weights.

    Returns:
        16 hexadecimal digits.

    Raises:
        UsageError: An unknown name.
        DataError: There is no such model.
    """
    found = parse(name)
    if found.kind == PRETRAINED:
        manifest = read_manifest(weights_dir)
        names = generators_of(found.rest, found.weights)
        return hash_of_parts(*(manifest[name].sha256 for name in names))[:_DIGITS]
    if found.kind == SERVER:
        from bigans.models.served_model import ServedModel
        from bigans.models.server.calls import Server

        model = ServedModel(Server(found.rest))
        model.close()
        return model.facts.weights[:_DIGITS]
    return _of_directory(Path(found.rest))


def _of_directory(root: Path) -> str:
    """By the facts that its export wrote; of a model without them, by its files."""
    folder = _version(root)
    facts = read_facts(folder)
    if facts is not None and facts.weights:
        return facts.weights[:_DIGITS]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise DataError(f"{root}: no such directory, or an empty one")
    return hash_of_files(files)[:_DIGITS]


def _version(root: Path) -> Path:
    versions = [path for path in root.glob("*") if path.name.isdecimal() and path.is_dir()]
    return max(versions, key=lambda path: int(path.name), default=root)
