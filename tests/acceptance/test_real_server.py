"""A server that runs already: TF_SERVING_ADDRESS=HOST:8500, TF_SERVING_URL=http://HOST:8501."""

import os
import time

import numpy as np
import pytest

from bigans.models.server.calls import Calls, Server, ServerError
from bigans.models.server.connection import connect

_VARIABLES = ("TF_SERVING_ADDRESS", "TF_SERVING_URL")


@pytest.fixture(params=_VARIABLES)
def calls(request: pytest.FixtureRequest):
    address = os.environ.get(request.param)
    if not address:
        pytest.skip(f"needs a server of the exported model; {request.param} names it")
    with connect(Server(address)) as opened:
        end = time.monotonic() + 120
        while not _is_ready(opened) and time.monotonic() < end:
            time.sleep(1)
        yield opened


def _is_ready(calls: Calls) -> bool:
    try:
        return calls.is_ready()
    except ServerError:
        return False


def test_a_photo_and_a_refusal(calls: Calls) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 20, 30, 3), np.uint8)
    (sr,) = calls.predict("image_only", {"image": image}).values()
    assert sr.shape == (1, 80, 120, 3)
    with pytest.raises(ServerError, match="remove an alpha channel"):
        calls.predict("image_only", {"image": np.zeros((1, 4, 4, 4), np.uint8)})
    (info,) = calls.predict("model_info", {}).values()
    assert info.size == 1
    assert calls.predict("image_only", {"image": image})
