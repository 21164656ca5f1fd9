r"""The paper's Tables 1 to 4, ours beside the published figures.

    python -m evaluation.tables --table=3,4 --benchmarks=Set5,Set14 --data_dir=DATA --output=OUT

Without --benchmarks, Tables 1 and 2 take the PIRM-SR 2018 self-validation set and Tables 3 and 4
the five sets of the paper. OUT gets SET.csv, tables.json and tables.md. The same command, and one
that asks for other tables, continues from what OUT holds.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import NoReturn

from bigans.models.names import STAGE_1_HELP
from evaluation.config import MeasuringConfig, of_chosen_weights, prepare
from sr_program import dataclass_flags, entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError
from sr_program.machine.tensorflow_start import import_tensorflow_quietly
from sr_program.settings import setting


@dataclasses.dataclass(frozen=True)
class TablesConfig(MeasuringConfig):
    """Which tables, of which models."""

    benchmarks: str = setting("", "Names of the sets, separated by commas; empty: the paper's.")
    table: str = setting("1,2,3,4", "Numbers of the tables, separated by commas.")
    stage1: str = setting("pretrained:stage1", STAGE_1_HELP)
    xi: float = setting(DEFAULT_XI, "ξ of Bi-GANs-ST.")


DEFAULTS = TablesConfig()


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
    from evaluation.methods.choice import check_fused_model, check_generator
    from evaluation.reports.report import failures, summarize, write
    from evaluation.scoring.evaluate import evaluate
    from evaluation.tables.paper_tables import chosen_tables, default_benchmarks, methods, page

    if not 0 <= config.xi <= 1:
        raise UsageError(f"--xi must lie in [0, 1], got {config.xi}")
    tables = chosen_tables(config.table)
    computing = Computing(config.runtime, config.precision or None)
    check_fused_model(config.model, computing=computing)
    check_generator(config.stage1, "stage1")
    names = config.benchmarks or ",".join(default_benchmarks(tables))
    prepared = prepare(dataclasses.replace(config, benchmarks=names))
    import_tensorflow_quietly()
    results = evaluate(
        methods(config.model, config.stage1, config.xi, computing=computing),
        prepared.benchmarks,
        prepared.instruments,
        prepared.output,
        workers=prepared.workers,
    )
    summary = summarize(results, prepared.instruments, dataclasses.asdict(config))
    text = page(summary, tables, entry_point.command_line())
    write(prepared.output, summary, text, name="tables")
    print(text)
    failed = failures(summary)
    for line in failed:
        print(f"evaluation.tables: {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    cli_main()
