"""How fast two workers of each engine are beside two plain processes, and how long they start.

    python -m benchmarks.batch.rate --engines=local,dask,ray --runtime=openvino

Plain processes each enlarge half of the photos in a loop, on one core. Both take turns, as the
machine may be busy with other work, and the best of each is compared. The rate counts from the
first result to the last; the start is the time from the command to the first result.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from PIL import Image

from sr_program import entry_point


def cli_main() -> None:
    """Runs the command."""
    flags.DEFINE_list("engines", ["local", "dask", "ray"], "Which are timed.")
    flags.DEFINE_string("runtime", "openvino", "What computes the shipped model.")
    flags.DEFINE_integer("photos", 60, "In all.")
    flags.DEFINE_integer("side", 128, "Pixels of a photo's side.")
    flags.DEFINE_integer("turns", 3, "Of each.")
    entry_point.run(_main)


def _main(arguments: list[str]) -> int:
    values = flags.FLAGS
    if arguments:  # this program as one of the plain processes: a list of photos, OUT, RUNTIME
        _plain(Path(arguments[0]), Path(arguments[1]), arguments[2])
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = _draw(folder / "in", values.photos, values.side)
        found: dict[str, list[dict[str, float]]] = {}
        for turn in range(values.turns):
            for kind in ["plain", *values.engines]:
                output = folder / f"{kind}{turn}"
                begun = time.time()
                commands = (
                    _plain_commands(photos, output, values.runtime)
                    if kind == "plain"
                    else [_batch_command(folder / "in", output, values.runtime, kind)]
                )
                _run(commands)
                found.setdefault(kind, []).append(_times(output, begun))
                print(kind, json.dumps(found[kind][-1]), flush=True)
    best = {kind: max(one["per_s"] for one in turns) for kind, turns in found.items()}
    for kind in values.engines:
        start = min(one["start_s"] for one in found[kind])
        print(
            f"{kind}: {best[kind] / best['plain']:.3f} of plain, first result after {start:.1f} s"
        )
    return 0


def _run(commands: list[list[str]]) -> None:
    running = [subprocess.Popen(command, stdout=sys.stderr) for command in commands]
    try:
        assert not any([process.wait() for process in running])
    finally:
        for process in running:
            process.terminate()


def _draw(folder: Path, number: int, side: int) -> list[Path]:
    folder.mkdir()
    random = np.random.default_rng(0)
    paths = []
    for i in range(number):
        rows, columns = np.mgrid[:side, :side] / side
        base = np.stack([rows, columns, rows * columns], -1) * 180 + random.normal(
            30, 10, (side, side, 3)
        )
        paths.append(folder / f"{i:04d}.png")
        Image.fromarray(np.clip(base, 0, 255).astype(np.uint8)).save(paths[-1])
    return paths


def _plain_commands(photos: list[Path], output: Path, runtime: str) -> list[list[str]]:
    output.mkdir()
    commands = []
    for part in (0, 1):
        names = output.with_name(f"{output.name}.{part}.txt")
        names.write_text("\n".join(map(str, photos[part::2])))
        module = [sys.executable, "-m", "benchmarks.batch.rate"]
        commands.append([*module, str(names), str(output), runtime])
    return commands


def _plain(names: Path, output: Path, runtime: Any) -> None:
    from sr_program.machine.threads import limit_threads

    limit_threads(1)
    from bigans.batch.enlarging_worker import ModelOrder
    from bigans.upscaler.pipeline import enlarge_files
    from bigans.upscaler.task import Task

    tasks = [
        Task(Path(name), output / f"{Path(name).stem}_x4.png")
        for name in names.read_text().splitlines()
    ]
    assert enlarge_files(tasks, ModelOrder(runtime=runtime)) == []


def _batch_command(source: Path, output: Path, runtime: str, engine: str) -> list[str]:
    command = [sys.executable, "-m", "bigans.batch", f"--input={source}", f"--output={output}"]
    return [*command, f"--runtime={runtime}", f"--engine={engine}", "--workers=2"]


def _times(output: Path, begun: float) -> dict[str, float]:
    """By the moments at which results were there."""
    moments = sorted(path.stat().st_mtime for path in output.rglob("*.png"))
    # The first of each of two workers may have waited for its model.
    first, rest = moments[2], moments[3:]
    return {
        "start_s": round(moments[0] - begun, 2),
        "per_s": round(len(rest) / (rest[-1] - first), 4),
        "all_s": round(time.time() - begun, 2),
    }


if __name__ == "__main__":
    cli_main()
