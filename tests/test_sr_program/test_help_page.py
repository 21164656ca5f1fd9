import subprocess
import sys
from pathlib import Path

import pytest

from sr_program.help_page import did_you_mean

KNOWN = ["learning_rate", "discriminator_learning_rate", "batch_size", "lambda_vgg", "run_dir"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lr", "; did you mean --learning_rate?"),
        ("bs", "; did you mean --batch_size?"),
        ("learningrate", "; did you mean --learning_rate?"),
        ("rundir", "; did you mean --run_dir?"),
        ("rate", "; did you mean --learning_rate or --discriminator_learning_rate?"),
        ("vgg_lambda", "; did you mean --lambda_vgg?"),
        ("speed", ""),
        ("x", ""),
    ],
)
def test_what_a_wrong_name_was_meant_for(typed, meant):
    assert did_you_mean(typed, KNOWN) == meant


PROGRAM = '''"""Cooks."""
import dataclasses
from absl import flags
from sr_program import dataclass_flags, entry_point


@dataclasses.dataclass(frozen=True)
class Pan:
    """The pan: what it is made of; code sees more."""

    iron: bool = dataclasses.field(default=True, metadata={"help": "Of iron."})


@dataclasses.dataclass(frozen=True)
class Meal:
    """What is cooked.

    Attributes: these.
    """

    pan: Pan = Pan()
    egg_count: int = dataclasses.field(default=3, metadata={"help": "How many eggs."})


def main(arguments):
    print(dataclass_flags.read(Meal()))


if __name__ == "__main__":
    flags.DEFINE_bool("hot", True, "Eat it hot.")
    dataclass_flags.define(Meal())
    entry_point.run(main)
'''


@pytest.fixture
def cook(tmp_path, subprocess_environment):
    (tmp_path / "cook.py").write_text(PROGRAM)

    def cook(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(Path(tmp_path / "cook.py")), *arguments]
        return subprocess.run(command, env=subprocess_environment, capture_output=True, text=True)

    return cook


def test_flags_stand_under_the_headings_of_their_dataclasses(cook):
    done = cook("--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    assert lines[:2] == ["Cooks.", "flags:"]
    kept = [line for line in lines[2:-1] if not line.startswith("    ")]
    assert kept == [
        "  --[no]hot: Eat it hot.",
        "The pan: what it is made of:",
        "  --[no]iron: Of iron.",
        "What is cooked:",
        "  --egg_count: How many eggs.",
    ]
    assert "__main__" not in done.stdout


def test_a_wrong_flag_gets_a_suggestion(cook):
    done = cook("--ec=3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cook.py: Unknown command line flag 'ec'; did you mean --egg_count? (see --help)\n"
    )
    assert cook("--egg_count=4").stdout == "Meal(pan=Pan(iron=True), egg_count=4)\n"
