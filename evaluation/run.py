r"""Scores a super-resolution method on benchmark sets, by the paper's two protocols.

    python -m evaluation.run --model=pretrained --benchmarks=Set5,Set14 --data_dir=DATA --output=OUT
    python -m evaluation.run --model=folder:RESULTS --benchmarks=Set5 --data_dir=DATA --output=OUT
    python -m evaluation.run --model=models/openvino --runtime=openvino --data_dir=DATA --output=OUT

DATA holds a folder for each set: HR/ and LR_x4/, image_SRF_4/ with *_HR.png and *_LR.png, or HR
images alone. OUT gets SET.csv (a line an image), summary.json, and summary.md with the paper's rows
beside ours. The same command continues a run that was stopped. The exit code is 1 if an image
could not be scored.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, NoReturn

from absl import logging

from bigans.models.names import METHOD_HELP
from evaluation.config import MeasuringConfig
from sr_program import dataclass_flags, entry_point
from sr_program.contract import DEFAULT_XI, USE_XI
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

if TYPE_CHECKING:
    from evaluation.methods.fusion_points import FusionPoint
    from evaluation.methods.method import Method


@dataclasses.dataclass(frozen=True)
class RunConfig(MeasuringConfig):
    """One evaluation."""

    model: str = setting("pretrained", METHOD_HELP)
    label: str = setting("", "Name of the method in tables; empty: a suitable one.")
    xi: float = setting(
        DEFAULT_XI, "ξ of a fused model: 0 faithful … 1 vivid. Other models have none."
    )
    max_deviation: float = setting(
        USE_XI, "Threshold of a fused model in grey levels, instead of --xi; -1: --xi counts."
    )
    self_ensemble: bool = setting(False, "Average over the 8 turns and mirrorings of each image.")
    save_images: bool = setting(False, "Write the images too: OUT/images/METHOD/SET/NAME.png.")
    lpips: bool = setting(True, "Compute LPIPS where its package is installed.")
    stlpips: bool = setting(True, "Compute ST-LPIPS where its package is installed.")


DEFAULTS = RunConfig()


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def fusion_point(config: RunConfig) -> FusionPoint:
    """Where a fused model is evaluated."""
    from evaluation.methods.fusion_points import FusionPoint

    if not 0 <= config.xi <= 1:
        raise UsageError(f"--xi must lie in [0, 1], got {config.xi}")
    if config.max_deviation != -1 and dataclass_flags.given("xi"):
        raise UsageError("--xi and --max_deviation exclude each other")
    if config.max_deviation == -1:
        return FusionPoint(config.label or f"Bi-GANs-ST, ξ = {config.xi:g}", "quantile", config.xi)
    if not 0 <= config.max_deviation <= 255:
        raise UsageError(f"--max_deviation must lie in [0, 255], got {config.max_deviation}")
    label = config.label or f"Bi-GANs-ST, at most {config.max_deviation:g} levels"
    return FusionPoint(label, "absolute", config.max_deviation)


def _tell_what_has_no_effect(model: str, method: Method) -> None:
    """A warning, not an error: one set of flags may serve several methods, one after the other."""
    from evaluation.methods.method import Fused

    if not isinstance(method, Fused):
        for name in dataclass_flags.given("xi", "max_deviation"):
            logging.warning("--%s has no effect: --model=%s is not a fused model", name, model)


def _main(positional: list[str]) -> int:
    entry_point.refuse_positional(positional)
    entry_point.warnings_only()
    from bigans.models.runtime import Computing
    from evaluation.config import of_chosen_weights, prepare
    from evaluation.methods.choice import check_model, open_model
    from evaluation.reports.report import failures, markdown, summarize, write
    from evaluation.scoring.evaluate import evaluate

    weights_given = bool(dataclass_flags.given("weights"))
    config = of_chosen_weights(dataclass_flags.read(DEFAULTS), given=weights_given)
    point = fusion_point(config)
    computing = Computing(config.runtime, config.precision or None)
    name = check_model(config.model, ensemble=config.self_ensemble, computing=computing)
    prepared = prepare(config, lpips=config.lpips, stlpips=config.stlpips)
    if name.has_model and config.runtime == "tensorflow":
        import_tensorflow_quietly()
    method = open_model(
        config.model,
        points=[point],
        ensemble=config.self_ensemble,
        label=config.label,
        computing=computing,
    )
    _tell_what_has_no_effect(config.model, method)
    results = evaluate(
        method,
        prepared.benchmarks,
        prepared.instruments,
        prepared.output,
        workers=prepared.workers,
        save_images=config.save_images,
    )
    summary = summarize(results, prepared.instruments, dataclasses.asdict(config))
    text = markdown(summary, entry_point.command_line())
    write(prepared.output, summary, text)
    print(text)
    failed = failures(summary)
    for line in failed:
        print(f"evaluation.run: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    cli_main()
