"""Ships trained generators: copies them from run folders into bigans/pretrained/weights.

python -m bigans.pretrained --mr_srgan=runs/mr --wp_stage1=runs/wp/stage1 --wp_stage2=runs/wp/stage2
python -m bigans.pretrained --mr_srgan_photo=runs/mr_photo --wp_photo=runs/wp_photo/stage2

A generator whose flag is left out keeps its weights. weights/manifest.json is written anew.
"""

from pathlib import Path
from typing import NoReturn

from absl import flags

from bigans.pretrained.adoption import adopt
from sr_program import entry_point
from sr_program.errors import UsageError

_RUNS = {
    "mr_srgan": flags.DEFINE_string("mr_srgan", None, "Run folder of MR-SRGAN."),
    "wp_srgan_stage1": flags.DEFINE_string("wp_stage1", None, "Run folder of WP-SRGAN, stage 1."),
    "wp_srgan_stage2": flags.DEFINE_string("wp_stage2", None, "Run folder of WP-SRGAN, stage 2."),
    "mr_srgan_photo": flags.DEFINE_string(
        "mr_srgan_photo", None, "Run folder of MR-SRGAN for photos."
    ),
    "wp_srgan_photo": flags.DEFINE_string(
        "wp_photo", None, "Run folder of WP-SRGAN, stage 2, for photos."
    ),
}


def main(arguments: list[str]) -> None:
    """Adopts the generators that the flags name."""
    if arguments:
        raise UsageError(f"unexpected argument {arguments[0]!r}; run folders are given by flags")
    runs = {name: Path(flag.value) for name, flag in _RUNS.items() if flag.value}
    if not runs:
        names = ", ".join(f"--{flag.name}" for flag in _RUNS.values())
        raise UsageError(f"name at least one run folder: {names}")
    adopt(runs)


def cli_main() -> NoReturn:
    """Runs the program."""
    entry_point.run(main)


if __name__ == "__main__":
    cli_main()
