"""Other people's ways of running the same networks, as models that the upscaler can take."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.plain_networks import build_plain
from benchmarks.shipped import shipped_generator
from bigans.models.memory import openvino_footprint
from bigans.models.merged_in_numpy import MergedInNumpy
from fusion.exporting import build
from sr_program.model_facts import ModelFacts
from srgan.runs.saved_model import DTYPES, export_generator

FAITHFUL, VIVID = "mr_srgan", "wp_srgan_stage2"

# uint8 [1, H, W, 3] → both generators' images, float32 grey levels [1, 4H, 4W, 3].
Generators = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class PeerGenerators(MergedInNumpy):
    """Generators that anything computes, cut into tiles and merged in NumPy as OpenVINO's are."""

    def __init__(self, generators: Generators, precision: str = "float32") -> None:
        def network(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            faithful, vivid = generators(inputs["image"])
            return {"faithful": faithful, "vivid": vivid}

        facts = ModelFacts(scale=4, threshold="joint")
        super().__init__(network, facts, openvino_footprint(precision), Path(), "a peer")


def export_plain(folder: Path, shared_slopes: bool) -> Path:
    """Exports and fuses the plain twins of the shipped generators.

    Args:
        folder: Where to.
        shared_slopes: See `shipped_generator`.

    Returns:
        The directory of the fused SavedModel.
    """
    for name in (FAITHFUL, VIVID):
        plain = build_plain(*shipped_generator(name, shared_slopes=shared_slopes))
        export_generator(plain, folder / name)
    return build(folder / FAITHFUL, folder / VIVID, folder / "fused")


def export_shared(folder: Path, precision: str) -> Path:
    """Exports and fuses our own graphs of the shipped generators with shared slopes.

    Returns:
        The directory of the fused SavedModel.
    """
    folder = folder / precision
    for name in (FAITHFUL, VIVID):
        ours, _ = shipped_generator(name, DTYPES[precision], shared_slopes=True)
        export_generator(ours, folder / name)
    return build(folder / FAITHFUL, folder / VIVID, folder / "fused")


def export_int8(folder: Path, photos: str, shared_slopes: bool) -> Path:
    """Exports our own graphs of the shipped generators to OpenVINO, in int8.

    Args:
        folder: Where to.
        photos: The folder of LR photos that ranges are measured on.
        shared_slopes: See `shipped_generator`.

    Returns:
        The directory that holds generators.xml.
    """
    for name in (FAITHFUL, VIVID):
        ours, _ = shipped_generator(name, shared_slopes=shared_slopes)
        export_generator(ours, folder / name)
    return build(
        folder / FAITHFUL,
        folder / VIVID,
        folder / "fused",
        format="openvino",
        int8_photos=photos,
    )


def export_onnx(folder: Path) -> Path:
    """Exports the plain twins to ONNX.

    Args:
        folder: As `export_plain` has left it.

    Returns:
        The file with both generators.
    """
    target = folder / "onnx"
    written = build(folder / FAITHFUL, folder / VIVID, target, format="onnx")
    return written / "generators.onnx"


def onnx_generators(path: Path) -> PeerGenerators:
    """Generators in ONNX Runtime.

    Args:
        path: As `export_onnx` returns it.
    """
    import onnxruntime  # pyright: ignore[reportMissingImports]

    session = onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])

    def run(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faithful, vivid = session.run(["faithful", "vivid"], {"image": image})
        return np.asarray(faithful), np.asarray(vivid)

    return PeerGenerators(run)


def torch_generators(precision: str, shared_slopes: bool) -> PeerGenerators:
    """The networks in PyTorch, channels last; bfloat16 as a whole, but for the skip.

    Args:
        precision: "float32" or "bfloat16".
        shared_slopes: See `shipped_generator`.
    """
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks.peers.torch_networks import build_generator
    from benchmarks.peers.torch_weights import turned, turned_back

    dtype = getattr(torch, precision)
    networks = []
    for name in (FAITHFUL, VIVID):
        ours, config = shipped_generator(name, shared_slopes=shared_slopes)
        networks.append(build_generator(config, ours).eval().to(dtype))

    def run(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lr = turned(image).float() / 127.5 - 1.0
        lr = lr.contiguous(memory_format=torch.channels_last)
        found: list[Any] = []
        with torch.inference_mode():
            for network in networks:
                sr = network(lr.to(dtype)).float() + network.skip(lr)
                found.append(turned_back(((sr + 1.0) * 127.5).clamp(0.0, 255.0)))
        return found[0], found[1]

    return PeerGenerators(run, precision)
