"""Loads what a name stands for into what computes it: TensorFlow, OpenVINO or ONNX Runtime."""

from __future__ import annotations

import dataclasses
import os
import platform
from pathlib import Path
from typing import Literal, NamedTuple

from bigans.models.loaded_model import LoadedModel
from bigans.models.names import (
    PRETRAINED,
    RUNTIMES,
    SERVER,
    ModelName,
    Runtime,
    parse,
    require_model,
)
from bigans.models.onnx_model import OnnxGenerators
from bigans.models.openvino_model import OpenVinoGenerators
from bigans.models.served_model import ServedModel
from bigans.models.server.calls import Server
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained import saved_models
from bigans.pretrained.openvino_models import openvino_model
from bigans.pretrained.pairs import STAGE_1
from bigans.pretrained.saved_models import Shipped
from fusion.formats import onnx_model as onnx_format
from fusion.formats import openvino_model as openvino_format
from fusion.modes import NoGeneratorsError
from fusion.saved_model_folder import find_saved_model
from sr_program.errors import UsageError
from sr_program.files.versions import latest_version
from sr_program.machine.optional_packages import is_installed, require_extra
from sr_program.machine.precision import Precision, resolve

Chosen = Literal["tensorflow", "openvino", "onnx", "server"]

# What a directory holds for a runtime that does not take SavedModels, in the order of looking.
_EXPORTED: dict[Chosen, str] = {
    "openvino": openvino_format.GENERATORS_FILE,
    "onnx": onnx_format.GENERATORS_FILE,
}
_TITLES: dict[Chosen, str] = {
    "tensorflow": "TensorFlow",
    "openvino": "OpenVINO",
    "onnx": "ONNX Runtime",
}


class _Place(NamedTuple):
    """A directory of a model, and the runtime that its files are for."""

    directory: Path
    runtime: Chosen


@dataclasses.dataclass(frozen=True)
class Computing:
    """What computes models, what it computes in, and where it keeps what it makes of them.

    Example:
        model = Computing(runtime="openvino", precision="auto").load("pretrained")

    Attributes:
        runtime: "openvino" converts a SavedModel when it is first seen; "auto" takes OpenVINO where
            it is installed, on x86 CPUs, and falls back to TensorFlow where that is not possible.
        precision: What the shipped models, and any in OpenVINO, compute in: "float32" (if left
            out), "bfloat16", or "auto": see `sr_program.machine.precision.resolve`.
        cache_dir: Where models that are built or converted are kept; see
            `bigans.pretrained.saved_models`.
    """

    runtime: Runtime = "tensorflow"
    precision: str | None = None
    cache_dir: str | os.PathLike[str] | None = None

    def check(self, name: str | os.PathLike[str]) -> Chosen:
        """Checks all that can be checked without loading, building or downloading anything.

        Args:
            name: As for `load`.

        Returns:
            The runtime that will compute, unless it is "openvino" and turns out not to be possible.

        Raises:
            DataError: There is no model.
            UsageError: The name, the runtime and the precision do not go together.
            ValueError: Another name of a runtime.
        """
        found = parse(name)
        require_model(found)
        chosen = chosen_runtime(self.runtime)
        if found.kind == SERVER:
            return self._check_server(found)
        place = None if found.kind == PRETRAINED else _place(Path(found.rest))
        _refuse_other_runtime(found, place, self.runtime, chosen)
        if place is not None and place.runtime != "tensorflow":
            chosen = place.runtime
        if chosen != "tensorflow":
            require_extra(chosen)
        if self.precision is not None:
            resolve(self.precision)
            takes_it = chosen == "openvino" or (place is None and chosen == "tensorflow")
            if not takes_it:
                raise UsageError(
                    f"precision={self.precision} has no effect: {found} computes in "
                    f"{_TITLES[chosen]} in what it was exported for; leave precision out, or "
                    "export the model again"
                )
        return chosen

    def load(self, name: str | os.PathLike[str]) -> LoadedModel:
        """Loads a model.

        Args:
            name: A name of `bigans.models.names` that stands for a model; as a path, the directory
                of one: a SavedModel, or what `fusion.export` has written for OpenVINO or ONNX
                Runtime, or a directory of numbered versions (the latest is taken).

        Raises:
            DataError: There is no model, or it is not one that enlarges.
            UsageError: The name, the runtime and the other settings do not go together, or a
                package of the runtime is not installed.
            ValueError: Another name of a runtime.
        """
        chosen = self.check(name)
        found = parse(name)
        if chosen == "server":
            if self.cache_dir is not None:
                raise UsageError(f"cache_dir has no effect: nothing of {found} is built here")
            return ServedModel(Server(found.rest))
        if found.kind == PRETRAINED:
            place = _Place(self._shipped(found, chosen), "tensorflow")
        else:
            place = _place(Path(found.rest))
            may_convert = place.runtime == "tensorflow" and self.runtime in ("openvino", "auto")
            if self.cache_dir is not None and not may_convert:
                raise UsageError(
                    f"cache_dir has no effect: nothing of {found} is built or converted"
                )
        if place.runtime == "onnx":
            return OnnxGenerators(place.directory)
        if place.runtime == "openvino":
            return OpenVinoGenerators(place.directory, self._resolved)
        if chosen == "tensorflow":
            return TensorFlowModel(place.directory)
        return self._converted(place.directory)

    @property
    def _resolved(self) -> Precision:
        return resolve(self.precision or "float32")

    def _check_server(self, name: ModelName) -> Chosen:
        Server(name.rest)
        require_extra("serving")
        if self.runtime not in ("tensorflow", "auto") or self.precision is not None:
            raise UsageError(
                f"runtime and precision have no effect on {name}: the server decides; leave them "
                "out"
            )
        return "server"

    def _shipped(self, name: ModelName, chosen: Chosen) -> Path:
        # OpenVINO takes the precision when it compiles.
        wanted = self._resolved if chosen == "tensorflow" else "float32"
        if name.rest == STAGE_1:
            return saved_models.stage_1_model(Shipped(self.cache_dir, precision=wanted))
        shipped = Shipped(self.cache_dir, precision=wanted, pair=name.weights)
        return getattr(saved_models.saved_models(shipped), name.rest)

    def _converted(self, saved_model: Path) -> LoadedModel:
        try:
            directory = openvino_model(saved_model, self.cache_dir)
        except NoGeneratorsError:
            if self.runtime == "auto" and self.precision is None:
                return TensorFlowModel(saved_model)
            raise
        return OpenVinoGenerators(directory, self._resolved, source=saved_model)


IN_TENSORFLOW = Computing()


def chosen_runtime(runtime: Runtime) -> Chosen:
    """What "auto" stands for on this machine: OpenVINO where it is installed, on x86 CPUs.

    Raises:
        ValueError: Another name of a runtime.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime is {runtime!r}; choose one of {', '.join(RUNTIMES)}")
    if runtime != "auto":
        return runtime
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return "openvino" if is_x86 and is_installed("openvino") else "tensorflow"


def _place(root: Path) -> _Place:
    """The model in a directory.

    Raises:
        DataError: There is none.
    """
    for runtime, file in _EXPORTED.items():
        found = latest_version(root, file) if root.is_dir() else None
        if found is not None and not (found / "saved_model.pb").is_file():
            return _Place(found, runtime)
    return _Place(find_saved_model(root), "tensorflow")


def _refuse_other_runtime(
    name: ModelName, place: _Place | None, runtime: Runtime, chosen: Chosen
) -> None:
    own = "tensorflow" if place is None else place.runtime
    if own == "tensorflow" and chosen == "onnx":
        raise UsageError(
            f"{name} is a SavedModel, which ONNX Runtime cannot read; export it with "
            "fusion.export, format onnx, or choose runtime=tensorflow"
        )
    if own != "tensorflow" and runtime != "auto" and own != chosen:
        raise UsageError(f"{name} is a model for {_TITLES[own]}; choose runtime={own}")
