"""What a model is called, on every command line and in Python.

    pretrained             the shipped fused model; also pretrained:fused
    pretrained:faithful    MR-SRGAN alone
    pretrained:vivid       WP-SRGAN alone
    pretrained:clean       of the pair that was trained on clean photos, reduced (the paper's
                           setting); also pretrained:clean:vivid and so on
    pretrained:photo       of the pair that was trained on blurred, noisy and compressed photos
    pretrained:stage1      WP-SRGAN after its first stage, of the clean pair; there is no other
    DIR                    an exported model, or a folder of its numbered versions
    server:HOST:PORT       a model on a server, by gRPC; server:http://HOST:PORT, by REST
    bicubic                MATLAB's bicubic interpolation; no model
    HR                     the original itself (evaluation)
    folder:DIR             pictures that any program has made (evaluation)

A name without a pair leaves it to the program: `--weights` says which, photo where photos are
enlarged and clean where methods are compared. In Python it is photo.

Nothing is loaded here, and no file is opened: `--help` and a wrong name do without NumPy.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Literal, cast, get_args

from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, STAGE_1, Pair
from sr_program.errors import UsageError

Kind = Literal["pretrained", "directory", "bicubic", "HR", "folder", "server"]
Runtime = Literal["tensorflow", "openvino", "onnx", "auto"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)

PRETRAINED = "pretrained"
SERVER = "server"
PARTS = ("fused", "faithful", "vivid", STAGE_1)
WITHOUT_MODEL: tuple[Kind, ...] = ("bicubic", "HR", "folder")

# What stands behind the colon of other names.
_PLACES = {"folder": "path; write folder:DIR", SERVER: "address; write server:HOST:PORT"}

# For the help of flags.
PRETRAINED_HELP = f"pretrained (the shipped fused model), pretrained:{'|'.join(PARTS[1:])}"
MODEL_HELP = (
    f"{PRETRAINED_HELP}; DIR of an exported model; or server:HOST:PORT, one that TensorFlow "
    "Serving holds (pip install 'bi-gans-st[serving]')."
)
METHOD_HELP = (
    f"What is evaluated: {PRETRAINED_HELP}; DIR of an exported model; bicubic; HR, the original "
    "itself; folder:DIR, pictures of any method as DIR/SET/NAME.png."
)
FUSED_HELP = "pretrained (the shipped fused model), or DIR of an exported one."
STAGE_1_HELP = "WP-SRGAN after its first stage: pretrained:stage1, or DIR of an exported one."
RUNTIME_HELP = (
    "What computes. OpenVINO (pip install 'bi-gans-st[openvino]') starts and computes faster on "
    "x86 CPUs, after a first run that converts the model; auto takes it there if it is installed. "
    "onnx (ONNX Runtime) and openvino also compute what fusion.export has written for them."
)


@dataclasses.dataclass(frozen=True)
class ModelName:
    """A name, taken apart.

    Attributes:
        kind: What it names.
        rest: One of `PARTS`, the directory of a model, the folder of pictures, or the address of a
            server; else empty.
        pair: Of shipped weights, if the name tells it; else None.

    Example:
        >>> parse("pretrained:clean:vivid")
        ModelName(kind='pretrained', rest='vivid', pair='clean')
    """

    kind: Kind
    rest: str = ""
    pair: Pair | None = None

    @property
    def has_model(self) -> bool:
        """Whether there is a model to load."""
        return self.kind not in WITHOUT_MODEL

    @property
    def weights(self) -> Pair:
        """The pair of shipped weights that is meant."""
        return self.pair or DEFAULT_PAIR

    def __str__(self) -> str:
        """The name as it is written."""
        if self.kind == "directory":
            return self.rest
        if self.kind == PRETRAINED:
            told = self.pair if self.rest != STAGE_1 else None
            part = self.rest if self.rest != PARTS[0] else None
            return ":".join(filter(None, (PRETRAINED, told, part)))
        return f"{self.kind}:{self.rest}" if self.rest else self.kind


def parse(name: str | os.PathLike[str], argument: str = "model") -> ModelName:
    """Takes a name apart.

    Args:
        name: As above. A path object is always a directory, and so is a text with a slash or a dot
            in it, or one that names an existing directory and nothing else.
        argument: What the name was given as, for messages.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(name, str):
        return ModelName("directory", os.fspath(name))
    kind, colon, rest = name.partition(":")
    if kind == PRETRAINED:
        return _shipped(name, rest.split(":") if colon else [], argument)
    if colon and kind in _PLACES:
        if not rest:
            raise UsageError(f"{argument}={name} lacks its {_PLACES[kind]}")
        return ModelName(SERVER if kind == SERVER else "folder", rest)
    if name == "bicubic" or name == "HR":
        return ModelName(name)
    if name in PARTS:
        raise UsageError(f"unknown {argument}={name}; write pretrained:{name}")
    if os.path.isdir(name) or os.sep in name or "." in name:
        return ModelName("directory", name)
    raise UsageError(
        f"unknown {argument}={name}; write the directory of a model (./{name}), pretrained, "
        f"{', '.join(f'pretrained:{part}' for part in PARTS[1:])}, or server:HOST:PORT; the "
        "evaluation also takes bicubic, HR and folder:DIR"
    )


def _shipped(name: str, words: list[str], argument: str) -> ModelName:
    told = words.pop(0) if words and words[0] in PAIRS else None
    part = words.pop(0) if words else PARTS[0]
    if words or part not in PARTS:
        raise UsageError(f"unknown {argument}={name}; choose one of {_choices()}")
    if part == STAGE_1:
        if told == "photo":
            raise UsageError(
                f"{argument}={name}: there is one first stage; write pretrained:stage1"
            )
        told = "clean"
    return ModelName(PRETRAINED, part, cast("Pair | None", told))


def of_pair(name: str, weights: Pair, *, given: bool, argument: str = "model") -> str:
    """The name of a model where a program has been told the shipped pair to take.

    Args:
        name: As it was given.
        weights: The pair, if the name does not tell it.
        given: Whether a person has asked for that pair; else it is what the program takes if
            nothing is said.
        argument: What the name was given as, for messages.

    Raises:
        UsageError: An unknown name, or the pair was asked for and has no effect.

    Example:
        >>> of_pair("pretrained:vivid", "clean", given=True)
        'pretrained:clean:vivid'
    """
    found = parse(name, argument)
    if found.kind == PRETRAINED and found.pair is None:
        return str(dataclasses.replace(found, pair=weights))
    if given and found.pair != weights:
        raise UsageError(f"weights={weights} has no effect on {argument}={name}; leave it out")
    return name


def _choices() -> str:
    parts = [*PAIRS, *PARTS, f"{PAIRS[1]}:{PARTS[2]}"]
    return ", ".join([PRETRAINED, *(f"{PRETRAINED}:{part}" for part in parts)])


def require_model(name: ModelName, argument: str = "model") -> None:
    """Refuses what needs no model, for programs that load one.

    Raises:
        UsageError: `name` is bicubic, HR or a folder of pictures.
    """
    if not name.has_model:
        raise UsageError(
            f"{argument}={name} is not a model; write pretrained, "
            f"{', '.join(f'pretrained:{part}' for part in PARTS[1:])} or the directory of one"
        )
