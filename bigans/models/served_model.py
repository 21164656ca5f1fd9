"""A model on a server: generators there, the merge here, so that ξ stays that of the whole photo.

A photo that a server does not take at once goes to it as overlapping tiles, by the upscaler's own
plan; nothing of TensorFlow is needed on this side.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigans.models.memory import Footprint
from bigans.models.merged_in_numpy import MergedInNumpy
from bigans.models.server.calls import Server
from bigans.models.server.connection import connect
from sr_program import contract
from sr_program.errors import DataError
from sr_program.model_facts import ModelFacts

# Seen with `python -m bigans`, the server elsewhere: 87 MB with a photo of 8x8, 147 MB with one of
# 180x180, which is a single request, and 276 MB with one of 1200x1200 and --memory_mb=300.
_PROGRAM_BYTES, _BYTES_PER_PIXEL = 150_000_000, 1_200


class ServedModel(MergedInNumpy):
    """A model of `bigans.serving.export` on a server.

    Example:
        with_server = Upscaler("server:localhost:8500")

    Attributes:
        info: What the server tells of it.
    """

    def __init__(self, server: Server) -> None:
        """Asks the server what its model is.

        Args:
            server: Where it is.

        Raises:
            ServerError: It cannot be reached, or does not serve the model.
            DataError: It serves another one.
            UsageError: A package of the extra `serving` is missing.
        """
        self._calls = connect(server)
        self.info = self._asked_info(server)
        # A tile has at most as many pixels as the server takes, whatever memory is here.
        footprint = Footprint(_PROGRAM_BYTES, _BYTES_PER_PIXEL, int(self.info["tile"]) ** 2)
        super().__init__(
            self._network,
            _facts(self.info, server),
            footprint,
            Path(server.address),
            f"{self.info['weights'][:16]} version {self.info['version']} on a server",
            takes_levels=bool(self.info["takes_levels"]),
        )

    def close(self) -> None:
        """Ends the connection."""
        self._calls.close()

    def _asked_info(self, server: Server) -> dict[str, Any]:
        answer = self._calls.predict(contract.MODEL_INFO, {})
        try:
            text = next(iter(answer.values())).reshape(-1)[0]
            info = json.loads(text)
            if not {"weights", "version", "tile", "takes_levels", "scale"} <= info.keys():
                raise ValueError("facts are missing")
        except (StopIteration, TypeError, ValueError) as error:
            raise DataError(
                f"{server.address}: its model {server.name} is none of bigans.serving.export"
            ) from error
        return info

    def _network(self, inputs: Mapping[str, np.ndarray]) -> dict[str, NDArray[Any]]:
        image = inputs[contract.IMAGE]
        if image.dtype == np.uint8:
            found = self._calls.predict(contract.GENERATORS, {contract.IMAGE: image})
        else:
            self.require_levels()
            levels = np.clip(image, 0, 255).astype(np.float32)
            found = self._calls.predict(contract.FROM_LEVELS, {contract.LEVELS: levels})
        names = contract.FAITHFUL, contract.VIVID
        return {name: found[name].astype(np.float32, copy=False) for name in names}


def _facts(info: Mapping[str, Any], server: Server) -> ModelFacts:
    try:
        return ModelFacts(
            scale=info["scale"],
            radius=info.get("radius"),
            precision=info.get("precision", "float32"),
            weights=info["weights"],
            version=info.get("program"),
            threshold=info.get("threshold", "joint"),
            delta=info.get("delta", "as_read"),
        )
    except ValueError as error:
        raise DataError(f"{server.address}: its model cannot be used ({error})") from error
