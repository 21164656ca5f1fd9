"""The exported model under a second user of the C++ loader, which is not ours: tfjs-node."""

import base64
import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sr_images.image_io import read_rgb
from tests.test_bigans.serving.test_in_a_session import encoded, noise, numbers, texts

PACKAGES = ["@tensorflow/tfjs-node@4.22.0", "node-api-headers@1"]
NEEDED = ("node", "npm", "g++")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of node packages; tfjs-node is built against TensorFlow's own wheel.

    BIGANS_TFJS_NODE names one that was made so before, which saves half a minute.
    """
    if named := os.environ.get("BIGANS_TFJS_NODE"):
        return Path(named)
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("node")
    npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    npm += ["--fetch-retries=0", "--fetch-timeout=20000"]
    try:
        done = subprocess.run([*npm, *PACKAGES], capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip("needs npm's registry, which does not answer")
    if done.returncode:
        pytest.skip(f"needs npm's registry: {done.stderr.strip()[-200:]}")
    build(folder / "node_modules")
    return folder


def build(modules: Path) -> None:
    """Compiles the binding, whose own build would download another TensorFlow."""
    binding = modules / "@tensorflow" / "tfjs-node"
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None and spec.origin is not None
    wheel = Path(spec.origin).parent
    target = binding / "lib" / "napi-v8" / "tfjs_binding.node"
    target.parent.mkdir(parents=True)
    sources = [binding / "binding" / f"tfjs_{name}.cc" for name in ("backend", "binding")]
    includes = [modules / "node-api-headers" / "include", wheel / "include", binding]
    command = [
        *("g++", "-O1", "-shared", "-fPIC", "-std=c++17", "-DNAPI_VERSION=8"),
        *(f"-I{folder}" for folder in includes),
        *map(str, sources),
        *("-o", str(target), f"-L{wheel}", f"-Wl,-rpath,{wheel}"),
        *("-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"),
    ]
    subprocess.run(command, check=True)


def request(signature: str, **inputs: Any) -> dict[str, Any]:
    def plain(value: Any) -> dict[str, Any]:
        if value.dtype == object:
            values, dtype = [base64.b64encode(one).decode() for one in value.flat], "string"
        else:
            dtype = "float32" if value.dtype == np.float32 else "int32"  # it turns int32 into uint8
            values = value.ravel().tolist()
        return {"values": values, "shape": list(value.shape), "dtype": dtype}

    return {"signature": signature, "inputs": {name: plain(one) for name, one in inputs.items()}}


@pytest.mark.slow
def test_the_same_answers(packages: Path, exported: Path, session: Any, tmp_path: Path) -> None:
    image = noise(20, 90)
    how = {"xi": numbers(0.5), "max_deviation": numbers(-1)}
    files = texts(encoded(image[0], "PNG"), encoded(noise(5, 6)[0], "PNG"))
    quality = np.array([0], np.int32)
    asked = [
        request("unrounded", image=image, **how),
        request("bytes", image_bytes=files, jpeg_quality=quality, **how),
        request("unrounded", image=image, xi=numbers(7), max_deviation=numbers(-1)),
        request("unrounded", image=noise(200, 200), **how),
        request("unrounded", image=image[0], **how),
    ]
    (tmp_path / "requests.json").write_text(json.dumps(asked))
    places = [str(exported / "1"), *(str(tmp_path / f"{n}.json") for n in ("requests", "answers"))]
    environment = {**os.environ, "NODE_PATH": str(packages / "node_modules")}
    script = str(Path(__file__).with_name("ask.js"))
    subprocess.run(["node", script, *places], env=environment, check=True, capture_output=True)
    levels, pictures, *refusals = json.loads((tmp_path / "answers.json").read_text())

    found = np.reshape(levels["sr"]["values"], levels["sr"]["shape"])
    wanted = session.run("unrounded", image=image, **how)["sr"]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=255 * 1e-5)

    for i, size in ((0, (80, 360)), (1, (20, 24))):
        path = tmp_path / f"{i}.png"
        path.write_bytes(base64.b64decode(pictures["sr_bytes"]["values"][i]))
        assert read_rgb(path).shape == (*size, 3)
    rounded = np.floor(wanted[0] + 0.5)
    assert np.abs(read_rgb(tmp_path / "0.png") - rounded).max() <= 1

    for answer, words in zip(refusals, ("xi", "20000", "image"), strict=True):
        assert words in answer["error"], answer
