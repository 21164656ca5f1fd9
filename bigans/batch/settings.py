"""What a batch can be told: each setting with its default and its help, as the flags have them."""

from __future__ import annotations

import dataclasses

from bigans.models.names import MODEL_HELP, RUNTIME_HELP, RUNTIMES
from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, WEIGHTS_HELP, Pair
from bigans.upscaler.enlarging import SCALES
from sr_images.formats import WRITABLE
from sr_images.limits import Limits
from sr_program.contract import DEFAULT_XI
from sr_program.engines.engine import NAMES, Name
from sr_program.machine.precision import PRECISIONS
from sr_program.settings import setting

_LIMITS = Limits()
_FORMATS = tuple(suffix[1:] for suffix in WRITABLE)
# Of settings that have no number by default.
UNSET = -1


@dataclasses.dataclass(frozen=True)
class PhotosConfig:
    """Photos and results."""

    input: str = setting("", "Pattern, folder, @LIST or table of photos. Required.")
    output: str = setting("", "Folder of the results, also s3://…, gs://…. Required.")
    suffix: str = setting("", "End of the results' names; empty: _x4, or _x2 for --scale=2.")
    niqe: bool = setting(
        False, "Whether manifest.parquet has the NIQE of each result: how natural it looks."
    )
    niqe_parameters: str = setting(
        "", "NIQE's file, modelparameters.mat, where every worker finds it; empty: downloaded."
    )
    max_failures: int = setting(
        UNSET, "Stop when more photos than this fail; -1: when 100 have failed and none is done."
    )


@dataclasses.dataclass(frozen=True)
class WorkersConfig:
    """Workers."""

    engine: Name = setting("local", "Processes of this machine, or workers of a cluster.", NAMES)
    address: str = setting(
        "",
        "Address of the cluster: auto or HOST:PORT (Ray), tcp://HOST:PORT (Dask); empty: one is "
        "started on this machine for this run.",
    )
    workers: int = setting(
        0, "Processes, each of which loads the model; 0: as many as there are cores or GPUs."
    )
    cpus_per_worker: int = setting(1, "Cores that each worker computes on.")
    gpus_per_worker: float = setting(
        0.0, "GPUs of each worker (Ray); 1: one worker for each device."
    )


@dataclasses.dataclass(frozen=True)
class EnlargingConfig:
    """How they are enlarged."""

    xi: float = setting(DEFAULT_XI, "How far from the faithful image (0) to the vivid one (1).")
    max_deviation: float = setting(
        UNSET, "Instead of --xi, in grey levels; see bigans --help. -1: --xi counts."
    )
    scale: str = setting("4", "How many times larger the result is.", SCALES)
    consistent: bool = setting(
        False, "Make results that, reduced again, give the photo within 1 grey level."
    )


@dataclasses.dataclass(frozen=True)
class FilesConfig:
    """Files."""

    format: str = setting("png", "Format of the results.", _FORMATS)
    quality: int = setting(UNSET, "1 to 100, as for bigans; -1: that of the format.")
    strip: str = setting("none", "Which metadata are left out.", ("none", "gps", "all"))
    icc: str = setting("keep", "Keeps colour profiles, or converts to sRGB.", ("keep", "convert"))
    max_pixels: int = setting(_LIMITS.max_pixels, "Photos with more are refused.")
    max_frames: int = setting(_LIMITS.max_frames, "Animations with more frames are refused.")
    max_ratio: float = setting(
        _LIMITS.max_ratio,
        "Files that become more than this many times larger when decoded are refused.",
    )


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Model and memory."""

    model: str = setting("pretrained", MODEL_HELP)
    weights: Pair = setting(DEFAULT_PAIR, WEIGHTS_HELP, PAIRS)
    server: str = setting("", "HOST:PORT of a model server that computes for the workers.")
    runtime: str = setting("tensorflow", RUNTIME_HELP, RUNTIMES)
    precision: str = setting(
        "", "What the model computes in; see bigans --help.", ("", *PRECISIONS)
    )
    tile_above: int = setting(
        UNSET,
        "Photos with more pixels are enlarged in tiles of at most so many; -1: memory decides.",
    )
    memory_mb: float = setting(
        UNSET, "Memory of each worker, in 10^6 bytes; see bigans --help. -1: by the photo's size."
    )
    overlap: int = setting(UNSET, "Pixels that a tile sees beyond its own; -1: as for bigans.")


@dataclasses.dataclass(frozen=True)
class BatchConfig:
    """All of them."""

    photos: PhotosConfig = PhotosConfig()
    where: WorkersConfig = WorkersConfig()
    enlarging: EnlargingConfig = EnlargingConfig()
    files: FilesConfig = FilesConfig()
    model: ModelConfig = ModelConfig()


DEFAULTS = BatchConfig()
