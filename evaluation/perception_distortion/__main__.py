r"""Draws the perception–distortion plane (Figure 5 of the paper) and chooses ξ.

    python -m evaluation.perception_distortion --benchmarks=Set14 --data_dir=DATA --output=OUT

For each set: OUT/plane_SET.svg, .png and .csv, with the perceptual index, or NIQE where the Ma
score cannot be computed, against RMSE. OUT/plane.md gives the ξ of the paper's place between its
two generators and, with --target_rmse=12.5, the ξ that meets a distortion. The generators run once
for each image. The same command continues a run that was stopped.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import NoReturn

from evaluation.config import MeasuringConfig, of_chosen_weights, prepare
from sr_program import dataclass_flags, entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting

_TENTHS = "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1"


@dataclasses.dataclass(frozen=True)
class PlaneConfig(MeasuringConfig):
    """One sweep."""

    quantile: str = setting(f"{_TENTHS},{DEFAULT_XI}", "ξ of the first curve: quantiles of |Δ|.")
    absolute: str = setting("1,2,4,8,16,32", "t of the second curve: thresholds in grey levels.")
    linear: str = setting("", "α of a third curve, for comparison: (1 − α)·I_g + α·I_G.")
    target_rmse: float = setting(0.0, "Also report the ξ that meets this RMSE; 0: none.")
    self_ensemble: bool = setting(False, "Average over the 8 turns and mirrorings of each image.")


DEFAULTS = PlaneConfig()


def cli_main() -> NoReturn:
    """Runs the command."""
    dataclass_flags.define(DEFAULTS)
    entry_point.run(_main)


def _main(positional: list[str]) -> int:
    entry_point.refuse_positional(positional)
    entry_point.warnings_only()
    weights_given = bool(dataclass_flags.given("weights"))
    config = of_chosen_weights(dataclass_flags.read(DEFAULTS), given=weights_given)
    from bigans.models.runtime import Computing
    from evaluation.methods.choice import check_fused_model
    from evaluation.methods.fusion_points import MODES
    from evaluation.perception_distortion.plane import report
    from evaluation.perception_distortion.sweep import Sweep, sweep_points
    from evaluation.reports.report import failures, summarize
    from evaluation.scoring.evaluate import evaluate

    points = [point for mode in MODES for point in sweep_points(mode, getattr(config, mode))]
    if not points:
        raise UsageError("--quantile, --absolute and --linear are all empty; name some values")
    if not 0 <= config.target_rmse < 256:
        raise UsageError(f"--target_rmse must lie in [0, 256), got {config.target_rmse}")
    computing = Computing(config.runtime, config.precision or None)
    check_fused_model(config.model, computing=computing)
    prepared = prepare(config)
    if config.runtime == "tensorflow":
        import_tensorflow_quietly()
    model = computing.load(config.model)
    sweep = Sweep(model, points, prepared.output, ensemble=config.self_ensemble)
    results = evaluate(
        sweep, prepared.benchmarks, prepared.instruments, prepared.output, workers=prepared.workers
    )
    summary = summarize(results, prepared.instruments, dataclasses.asdict(config))
    command = entry_point.command_line()
    print(report(prepared, summary, points, config.target_rmse, command))
    failed = failures(summary)
    for line in failed:
        print(f"evaluation.perception_distortion: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    cli_main()
