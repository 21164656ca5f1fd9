"""The variants that are timed: exported once, and loaded where they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers import runtimes as peers
from benchmarks.timing.inference_targets import INT8, OURS, PLAIN, PRECISIONS, Variant
from benchmarks.timing.training_variants import torch_is_installed
from bigans import Tiling, Upscaler
from bigans.models.loaded_model import LoadedModel
from bigans.models.memory import TENSORFLOW, TENSORFLOW_BFLOAT16
from bigans.models.runtime import Computing
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.saved_models import Shipped, saved_models
from sr_program.machine.optional_packages import is_installed
from sr_program.machine.precision import resolve


@dataclasses.dataclass(frozen=True)
class Exported:
    """Where the graphs are.

    Attributes:
        ours: SavedModels by precision.
        plain: A SavedModel, if a variant of it is wanted.
        onnx: The plain graph in ONNX, where that is installed and wanted.
        int8: Our graph for OpenVINO, if it was asked for.
        shared_slopes: See `benchmarks.shipped.shipped_generator`.
    """

    ours: Mapping[str, Path]
    plain: Path | None
    onnx: Path | None
    int8: Path | None
    shared_slopes: bool


# What the plain graph is exported for; PyTorch has the weights.
_ONNX = Variant("ONNX Runtime", "plain", "float32")
_PLAIN = (PLAIN, *(Variant("OpenVINO", "plain", precision) for precision in PRECISIONS), _ONNX)


def export(folder: Path, int8_photos: str, *, shared_slopes: bool, wanted: str = "") -> Exported:
    """Exports the shipped weights for everything that is installed.

    Args:
        folder: Where to, if it is not in the user's cache.
        int8_photos: Folder of the LR photos that int8's ranges are measured on; empty: no int8.
        shared_slopes: Of all graphs.
        wanted: As `--variants`; of the plain graph no more is exported than that needs.
    """
    ours = {
        precision: peers.export_shared(folder / "ours", precision)
        if shared_slopes
        else saved_models(Shipped(precision=resolve(precision))).fused
        for precision in PRECISIONS
    }
    plain = onnx = None
    if any(is_wanted(variant, wanted) for variant in _PLAIN):
        plain = peers.export_plain(folder / "plain", shared_slopes)
        if is_installed("onnx") and is_wanted(_ONNX, wanted):
            onnx = peers.export_onnx(folder / "plain")
    int8 = peers.export_int8(folder / "int8", int8_photos, shared_slopes) if int8_photos else None
    return Exported(ours, plain, onnx, int8, shared_slopes)


def variants_of(exported: Exported, wanted: str) -> list[Variant]:
    """What can be timed here, as far as `--variants` asks for it."""
    variants = [Variant("TensorFlow", "ours", precision) for precision in PRECISIONS] + [PLAIN]
    if is_installed("openvino"):
        graphs = ("ours", "plain")
        variants += [Variant("OpenVINO", graph, p) for p in PRECISIONS for graph in graphs]
    if exported.int8 is not None:
        variants.append(Variant("OpenVINO", "ours", INT8))
    if exported.onnx is not None:
        variants.append(_ONNX)
    if torch_is_installed():
        variants += [Variant("PyTorch", "plain", precision) for precision in PRECISIONS]
    return [variant for variant in variants if is_wanted(variant, wanted)]


def is_wanted(variant: Variant, wanted: str) -> bool:
    """Whether `--variants` asks for it; ours in float32, which all are compared with, is always."""
    title = variant.title.lower().replace(",", "")
    return variant == OURS or any(part.strip().lower() in title for part in wanted.split(","))


def load(variant: Variant, exported: Exported, tiling: Tiling) -> Upscaler:
    """Loads a variant. All of a precision have the same tiles, whatever each of them takes."""
    model = _load(variant, exported)
    model.footprint = TENSORFLOW if variant.precision == "float32" else TENSORFLOW_BFLOAT16
    return Upscaler.of_model(model, tiling=tiling)


def _load(variant: Variant, exported: Exported) -> LoadedModel:
    if variant.precision == INT8:
        assert exported.int8 is not None
        return Computing("openvino", "bfloat16").load(exported.int8)
    precision = resolve(variant.precision)
    if variant.runtime == "ONNX Runtime":
        assert exported.onnx is not None
        return peers.onnx_generators(exported.onnx)
    if variant.runtime == "PyTorch":
        return peers.torch_generators(precision, exported.shared_slopes)
    plain = variant.graph == "plain"
    if variant.runtime == "OpenVINO":
        graph = exported.plain if plain else exported.ours["float32"]
        assert graph is not None
        return Computing("openvino", precision).load(graph)
    graph = exported.plain if plain else exported.ours[precision]
    assert graph is not None
    return TensorFlowModel(graph)
