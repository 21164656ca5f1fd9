"""The route by which the page's picture is fetched: one layer of one photo, as raw bytes.

Beside Gradio's events, not through them: these take a round trip of several messages, and the knob
has to answer at once. Who has no token sees nothing.
"""

from __future__ import annotations

from typing import Any

from bigans.demo.choice import Choice
from bigans.demo.kept_photo import LAYERS
from bigans.demo.sessions import Sessions
from sr_program.contract import DEFAULT_XI
from sr_program.errors import DataError, UsageError


def add_layers(app: Any, sessions: Sessions) -> None:
    """Adds the route /layers/TOKEN/LAYER to an app of FastAPI.

    It answers with bytes, RGBA of H * W pixels, and says W,H in X-Size and the threshold in
    X-Threshold; with 404 for a photo that is not there, and 422 for a choice that cannot be.
    """
    from fastapi import HTTPException, Response  # pyright: ignore[reportMissingImports]

    @app.get("/layers/{token}/{layer}")
    def layer_of(
        token: str,
        layer: str,
        xi: float = DEFAULT_XI,
        levels: int | None = None,
        consistent: bool = False,
        step: int = 1,
    ) -> Response:
        try:
            kept = sessions.photo(token)
            choice = Choice(xi=xi, levels=levels, consistent=consistent)
            if layer not in LAYERS or not 1 <= step <= 64:
                raise UsageError("there is no such layer")
            pixels = kept.shown(layer, choice, step)
        except DataError as error:
            raise HTTPException(404, str(error)) from error
        except UsageError as error:
            raise HTTPException(422, str(error)) from error
        height, width = pixels.shape[:2]
        headers = {
            "X-Size": f"{width},{height}",
            "X-Threshold": f"{kept.threshold(choice):.1f}",
            "Cache-Control": "no-store",
        }
        return Response(pixels.data.cast("B"), 200, headers, "application/octet-stream")
