"""Each signature gives what the upscaler gives, on Set14's low resolution.

SERVED_MODEL=models/bi_gans_st/1 compares the shipped model, on all images, instead of a toy.
"""

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.serving.bare_session import BareSession
from bigans import Upscaler
from sr_images.image_io import read_rgb
from sr_program.contract import FROM_LEVELS, GENERATORS

XI = 0.4


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest) -> tuple[BareSession, Upscaler]:
    shipped = os.environ.get("SERVED_MODEL")
    if shipped:
        return BareSession(Path(shipped)), Upscaler()
    return request.getfixturevalue("session"), Upscaler(request.getfixturevalue("fused_dir"))


@pytest.fixture(scope="module")
def images(pair: tuple[BareSession, Upscaler], shared: Path) -> list[Any]:
    """Those that one request takes; six of them are enough for a toy."""
    limit = json.loads(pair[0].run("model_info")["model_info"].item())["max_pixels"]
    files = (shared / "data/benchmarks/Set14/LR_x4").glob("*.png")
    found = [image for image in map(read_rgb, sorted(files)) if image[..., 0].size <= limit]
    assert len(found) >= 6
    return found if "SERVED_MODEL" in os.environ else found[:6]


def number(value: float) -> Any:
    return np.array([value], np.float32)


class Counted:
    """Values that differ, of uint8 images and of others."""

    def __init__(self) -> None:
        self.differing: dict[str, list[int]] = {}

    def compare(self, name: str, found: Any, wanted: Any) -> None:
        assert found.shape == wanted.shape and found.dtype == wanted.dtype == np.uint8
        assert np.abs(found.astype(int) - wanted).max() <= 1, name
        counts = self.differing.setdefault(name, [0, 0])
        counts[0] += int((found != wanted).sum())
        counts[1] += found.size

    def check(self) -> None:
        text = ", ".join(f"{name} {one} of {all_}" for name, (one, all_) in self.differing.items())
        print(f"values that differ by one level: {text}")
        assert all(one <= 1e-4 * all_ for one, all_ in self.differing.values()), text


@pytest.mark.slow
def test_signatures_that_round(pair: tuple[BareSession, Upscaler], images: list[Any]) -> None:
    session, upscaler = pair
    counted = Counted()
    for image in images:
        wanted = upscaler(image, xi=XI)
        batch = image[None]
        found = session.run("serving_default", image=batch, xi=number(XI))["sr"][0]
        counted.compare("serving_default", found, wanted)
        bounded = session.run("serving_default", image=batch, max_deviation=number(3.7))["sr"][0]
        counted.compare("max_deviation", bounded, upscaler(image, max_deviation=3.7))
        alone = session.run("image_only", image=batch)["sr"][0]
        counted.compare("image_only", alone, upscaler(image))
        parts = session.run("components", image=batch, xi=number(XI))
        counted.compare("faithful", parts["faithful"][0], upscaler(image, xi=0.0))
        counted.compare("vivid", parts["vivid"][0], upscaler(image, xi=1.0))
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        content = np.array([file.getvalue()], object)
        (png,) = session.run("bytes", image_bytes=content, xi=number(XI))["sr_bytes"]
        counted.compare("bytes", np.asarray(Image.open(io.BytesIO(png))), wanted)
    counted.check()


@pytest.mark.slow
def test_signatures_of_floats(pair: tuple[BareSession, Upscaler], images: list[Any]) -> None:
    """Of crops that are one tile, against what the upscaler makes of float images."""
    session, upscaler = pair
    for image in (one[:60, :60] for one in images):
        levels = image.astype(np.float32)
        faithful, vivid, merged = (upscaler(levels / 255, xi=xi) * 255 for xi in (0.0, 1.0, XI))
        for name, inputs in (
            (GENERATORS, {"image": image[None]}),
            (FROM_LEVELS, {"levels": levels[None]}),
        ):
            both = session.run(name, **inputs)
            assert np.abs(both["faithful"][0] - faithful).max() < 1e-3
            assert np.abs(both["vivid"][0] - vivid).max() < 1e-3
        inputs = {"image": image[None], "xi": number(XI)}
        assert np.abs(session.run("unrounded", **inputs)["sr"][0] - merged).max() < 2e-3
        away = session.run("components", **inputs)["deviation"][0]
        assert np.abs(away - np.abs(merged - faithful).sum(axis=-1)).max() < 5e-3
