"""What an exported model is, in words: `facts.json` beside it, in every format.

    {"scale": 4, "radius": 60, "precision": "float32", "weights": "5f0c…", "version": "0.1.0",
     "generator": null, "threshold": "joint", "delta": "as_read"}

Every export writes it and whoever loads the model reads it, so that nothing has to be guessed from
a graph. Keys that this program does not know are left alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Literal, get_args

from sr_program.errors import DataError
from sr_program.version import VERSION

FACTS_FILE = "facts.json"

# How two images are merged; see `fusion.fuse.fuse`.
Threshold = Literal["joint", "per_channel", "luma"]
Delta = Literal["as_read", "as_printed"]
THRESHOLDS: tuple[Threshold, ...] = get_args(Threshold)
DELTAS: tuple[Delta, ...] = get_args(Delta)

# What the networks compute in.
Arithmetic = Literal["float32", "bfloat16", "int8"]
ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """What has to be known of a model beside its inputs and outputs.

    Attributes:
        scale: How many times larger the result is in each direction.
        radius: LR pixels around its own that a pixel of the result depends on, which is the
            overlap that tiles of a large image need; None if nobody has told.
        precision: What the networks compute in.
        weights: SHA-256 of the weights, in hexadecimal; the same in every format.
        version: Of the project that exported the model; None: before facts were written.
        generator: "mr_srgan" or "wp_srgan"; None for a fused model, and where nobody has told.
        threshold: How the two images of a fused model are merged; None for a single generator.
        delta: Likewise.
    """

    scale: int
    radius: int | None = None
    precision: Arithmetic = "float32"
    weights: str = ""
    version: str | None = VERSION
    generator: str | None = None
    threshold: Threshold | None = None
    delta: Delta = "as_read"

    def __post_init__(self) -> None:
        """Rejects what no export of this program writes."""
        for name, known in _KNOWN.items():
            if getattr(self, name) not in known:
                raise ValueError(f"unknown {name} {getattr(self, name)!r}")
        for name, least in (("scale", 1), ("radius", 0)):
            value = getattr(self, name)
            if value is None and name == "radius":
                continue
            if type(value) is not int or value < least:
                raise ValueError(f"{name} is {value!r}")

    @property
    def is_fused(self) -> bool:
        """Whether the model merges the images of two generators."""
        return self.threshold is not None


_KNOWN: dict[str, tuple[Any, ...]] = {
    "precision": ARITHMETICS,
    "threshold": (None, *THRESHOLDS),
    "delta": DELTAS,
}


def write_facts(directory: Path, facts: ModelFacts) -> None:
    """Writes `facts.json` into the directory of a model, which is not public yet."""
    text = json.dumps(dataclasses.asdict(facts), indent=2)
    (directory / FACTS_FILE).write_text(text + "\n", encoding="utf-8")


def read_facts(directory: Path) -> ModelFacts | None:
    """Reads the facts of an exported model.

    Args:
        directory: The version directory, which holds the model's files.

    Returns:
        None if there are none: the model is of another program, or older than they are.

    Raises:
        DataError: The file is damaged.
    """
    path = directory / FACTS_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        names = {field.name for field in dataclasses.fields(ModelFacts)}
        return ModelFacts(**{key: value for key, value in found.items() if key in names})
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: is damaged ({error}); export the model again") from error


def hash_of_parts(*weights: str) -> str:
    """The weights' hash of a model that is made of others, from theirs."""
    return hashlib.sha256(" ".join(weights).encode()).hexdigest()
