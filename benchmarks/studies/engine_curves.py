"""Trains every recipe on both engines from the same checkpoint and compares the loss curves.

    python -m benchmarks.studies.engine_curves --data=folder:PHOTOS --vgg_weights=FILE --output=DIR

The first update of a recipe is done on TensorFlow; TensorFlow and JAX continue from its
checkpoint, as any run folder may be continued on the other engine. So does, as a control,
TensorFlow with other convolution kernels (without oneDNN): what it departs from TensorFlow by is
rounding alone. DIR gets `curves.svg`,
`curves.png` and `curves.md`; the runs in DIR/runs go on where they were stopped. Networks, losses,
rates and crops are the recipe's. The batch is smaller and the precision float32 unless flags say
otherwise, because JAX is slow on a CPU.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.timing.interleaved import machine
from bigans.pretrained.manifest import read_manifest, verified_weights
from sr_program import dataclass_flags
from sr_program.entry_point import refuse_positional, run
from sr_program.errors import DataError, UsageError
from sr_program.files.atomic_write import atomic_file
from sr_program.settings import setting

TENSORFLOW, JAX, CONTROL = "tensorflow", "jax", "control"

# What continues a run → its environment.
ENGINES = {
    TENSORFLOW: {"KERAS_BACKEND": "tensorflow"},
    JAX: {"KERAS_BACKEND": "jax"},
    CONTROL: {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "0"},
}
_CONFIGS = Path("configs")
_STYLES = {TENSORFLOW: ("#d0601f", 2.4), JAX: ("#1f4e9e", 0.9), CONTROL: ("#8a8a8a", 0.7)}
_TERMS = ("pixel", "perceptual", "adversarial", "loss_d")

# The means of so many updates are compared at the end, and the single ones at the start.
_LAST, _FIRST = 50, 10


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A recipe, and what stands in for the runs that it starts from.

    Attributes:
        name: What flags and tables call it.
        flagfile: Its file below configs/.
        module: The program.
        start: Shipped generator to start from; "" for random weights.
        stage: Of WP-SRGAN; its run folder is one below.
    """

    name: str
    flagfile: str
    module: str
    start: str = ""
    stage: int = 0

    def folder(self, root: Path) -> Path:
        """Where the losses are, below the run folder."""
        return root / f"stage{self.stage}" if self.stage else root


RECIPES = (
    Recipe("mr_pixel", "mr_srgan/01_pixel.cfg", "mr_srgan.train"),
    Recipe("mr_srgan", "mr_srgan/05_equation_2.cfg", "mr_srgan.train", "mr_srgan"),
    Recipe("wp_pixel", "wp_srgan/01_pixel.cfg", "wp_srgan.train", stage=1),
    Recipe(
        "wp_srgan_stage1", "wp_srgan/03_stage1.cfg", "wp_srgan.train", "wp_srgan_stage1", stage=1
    ),
    Recipe("wp_srgan_stage2", "wp_srgan/04_stage2.cfg", "wp_srgan.train", stage=2),
)


@dataclasses.dataclass(frozen=True)
class CurvesConfig:
    """What is trained, and where the results go."""

    data: str = setting("", "Training photos, as --data of the recipes. Required.")
    vgg_weights: str = setting("imagenet", "VGG19, as --vgg_weights of the recipes.")
    recipes: str = setting(",".join(one.name for one in RECIPES), "Which, separated by commas.")
    steps: int = setting(200, "Updates of each run.")
    batch_size: int = setting(2, "Crops a step; the recipes have 16.")
    precision: str = setting("float32", "Of both engines.", ("float32", "bfloat16"))
    output: str = setting("", "Folder of the results. Required.")

    def check(self) -> None:
        """Raises a UsageError that names the first flag with a wrong value."""
        for name in ("data", "output"):
            if not getattr(self, name):
                raise UsageError(f"--{name} is required")
        unknown = {*self.recipes.split(",")} - {recipe.name for recipe in RECIPES}
        if unknown:
            raise UsageError(f"--recipes: there is no {', '.join(sorted(unknown))}")
        if self.steps < 2 or self.batch_size < 1:
            raise UsageError("--steps must be at least 2 and --batch_size at least 1")


DEFAULTS = CurvesConfig()


def main(arguments: list[str]) -> None:
    """Runs, draws and tabulates."""
    refuse_positional(arguments)
    config = dataclass_flags.read(DEFAULTS)
    config.check()
    output = Path(config.output)
    chosen = [recipe for recipe in RECIPES if recipe.name in config.recipes.split(",")]
    progress = tqdm(total=len(chosen) * len(ENGINES), unit="run", disable=None)
    curves: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    with progress:
        for recipe in chosen:
            start = ensure_start(config, recipe)
            curves[recipe.name] = {}
            for engine in ENGINES:
                curves[recipe.name][engine] = continue_on(config, recipe, engine, start)
                progress.update()
    draw(curves, output)
    command = (
        f"python -m benchmarks.studies.engine_curves --steps={config.steps} "
        f"--batch_size={config.batch_size} --precision={config.precision}"
    )
    table = tabulate(curves, command)
    with atomic_file(output / "curves.md") as temporary:
        temporary.write_text(table, encoding="utf-8")
    print(table)


def ensure_start(config: CurvesConfig, recipe: Recipe) -> Path:
    """The run folder after the recipe's first update, on TensorFlow."""
    runs = Path(config.output) / "runs"
    folder = runs / recipe.name / "start"
    if recipe.stage == 2:
        first = runs / "wp_srgan_stage1" / "start" / "stage1"
        if not first.is_dir():
            raise UsageError("--recipes: wp_srgan_stage2 starts from wp_srgan_stage1; name both")
        shutil.copytree(first, folder / "stage1", dirs_exist_ok=True)
    _train(config, recipe, "tensorflow", folder, steps=1)
    return folder


def continue_on(
    config: CurvesConfig, recipe: Recipe, engine: str, start: Path
) -> dict[str, np.ndarray]:
    """Continues a copy of the run on an engine; its losses, a column each."""
    folder = start.parent / engine
    if not folder.is_dir():
        with_partial = folder.with_suffix(".tmp")
        shutil.rmtree(with_partial, ignore_errors=True)
        shutil.copytree(start, with_partial)
        with_partial.rename(folder)
    _train(config, recipe, engine, folder, steps=config.steps)
    return read_losses(recipe.folder(folder) / "losses.csv")


def read_losses(path: Path) -> dict[str, np.ndarray]:
    """The columns of a run's losses."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    columns = np.array(rows, np.float64).T
    return dict(zip(header, columns, strict=True))


def _train(config: CurvesConfig, recipe: Recipe, engine: str, folder: Path, steps: int) -> None:
    command = [
        *(sys.executable, "-m", recipe.module, f"--flagfile={_CONFIGS / recipe.flagfile}"),
        *(f"--data={config.data}", f"--vgg_weights={config.vgg_weights}", f"--run_dir={folder}"),
        *(f"--steps={steps}", f"--steps_per_epoch={steps}", "--checkpoint_every=20"),
        *(f"--batch_size={config.batch_size}", f"--precision={config.precision}"),
    ]
    if recipe.start:
        weights = verified_weights(read_manifest()[recipe.start])
        command.append(f"--init_generator={weights}")
    environment = {**os.environ, **ENGINES[engine]}
    program = subprocess.run(command, env=environment, check=False)
    if program.returncode:
        raise DataError(f"{recipe.name} on {engine} ended with code {program.returncode}")


def tabulate(curves: dict[str, dict[str, dict[str, np.ndarray]]], command: str) -> str:
    """How far the curves are apart, as Markdown."""
    lines = [
        f"`{command}`; {machine()}.",
        "",
        "JAX beside TensorFlow from the same checkpoint, and TensorFlow without oneDNN (control)",
        f"beside TensorFlow: the largest difference over the first {_FIRST} updates after it, and",
        f"the difference of the means of the last {_LAST}, relative to the mean of the term.",
        "",
        "| recipe | term | JAX, first | control, first | JAX, last | control, last |",
        "|---|---|---|---|---|---|",
    ]
    for name, engines in curves.items():
        for term in (term for term in _TERMS if term in engines[TENSORFLOW]):
            found = [
                apart(engines[TENSORFLOW][term], engines[other][term]) for other in (JAX, CONTROL)
            ]
            cells = [f"{value:.1e}" for pair in zip(*found, strict=True) for value in pair]
            lines.append(f"| {name} | {term} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def apart(ours: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """How far a term's two curves are apart after the common update: at the start, at the end."""
    size = np.abs(ours).mean()
    first = np.abs(ours - other)[1 : 1 + _FIRST].max() / size
    return first, abs(ours[-_LAST:].mean() - other[-_LAST:].mean()) / size


def draw(curves: dict[str, dict[str, dict[str, np.ndarray]]], output: Path) -> None:
    """Draws a panel for each recipe and term."""
    panels = [
        (name, term)
        for name, engines in curves.items()
        for term in _TERMS
        if term in engines[TENSORFLOW]
    ]
    rows = -(-len(panels) // 4)
    with mpl.rc_context({"font.size": 8, "svg.hashsalt": "curves"}):
        figure = Figure(figsize=(13, 2.6 * rows), layout="constrained")
        places = figure.subplots(rows, 4, squeeze=False).ravel()
        for place, (name, term) in zip(places, panels, strict=False):
            for engine, losses in curves[name].items():
                colour, width = _STYLES[engine]
                style = {"linewidth": width, "color": colour, "label": engine}
                place.plot(losses["step"], losses[term], **style)
            place.set_title(f"{name}: {term}")
            place.set_xlabel("update")
        for place in places[len(panels) :]:
            place.set_axis_off()
        places[0].legend()
        output.mkdir(parents=True, exist_ok=True)
        for suffix in ("svg", "png"):
            with atomic_file(output / f"curves.{suffix}") as temporary:
                figure.savefig(temporary, format=suffix, dpi=110)


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    run(main)


if __name__ == "__main__":
    cli_main()
