"""The tables of training times, and the command that prints them; no time is asserted."""

import subprocess
import sys

import pytest

from benchmarks.timing import training, training_variants
from benchmarks.timing.training import Result, calls_table, targets_table, times_table
from benchmarks.timing.training_variants import OURS, OURS_16, PLAIN, TORCH_16, Variant

TINY = ("--features=4", "--blocks=1", "--batch_size=1", "--crop_size=16", "--repetitions=1")


@pytest.fixture
def printed(call_program, capsys):
    """What the command prints, by paragraphs of lines."""

    def call(*flags: str) -> list[list[str]]:
        assert call_program(training.cli_main, *TINY, *flags) == 0
        return paragraphs(capsys.readouterr().out)

    return call


def paragraphs(text: str) -> list[list[str]]:
    return [part.splitlines() for part in text.strip().split("\n\n")]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_without_torch(printed, monkeypatch):
    monkeypatch.setattr(training_variants, "torch_is_installed", lambda: False)
    monkeypatch.setattr(training, "torch_is_installed", lambda: False)
    heading, table, agreement = printed("--recipes=wp_pixel,mr_pixel")
    assert "batch 1 of 4x4 crops" in heading[0]
    assert "torch not installed" in heading[0] and "plain Keras without XLA" in heading[0]
    variants = ["plain Keras float32, s", "ours float32, s", "ours bfloat16, s"]
    assert cells(table[0]) == ["recipe", *variants]
    assert [cells(line)[0] for line in table[2:]] == ["WP pixel only", "MR pixel only"]
    assert all(float(cell) > 0 for line in table[2:] for cell in cells(line)[1:])
    assert "plain Keras float32" in agreement[0]


def test_with_torch(printed):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    heading, table, _ = printed("--recipes=wp_pixel", "--precisions=float32")
    assert "torch 2" in heading[0]
    assert cells(table[0])[1:] == [
        "plain Keras float32, s",
        "ours float32, s",
        "PyTorch float32, s",
    ]


@pytest.mark.slow
def test_on_jax(subprocess_environment):
    command = [sys.executable, "-m", "benchmarks.timing.training", "--recipes=mr_pixel", *TINY]
    done = subprocess.run(
        [*command, "--steps_per_call=3"],
        env={**subprocess_environment, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    heading, table, calls, _ = paragraphs(done.stdout)
    assert "jax" in heading[0] and "tensorflow" not in heading[0]
    assert cells(table[0])[3] == "ours float32, 3 a call, s"
    assert cells(calls[0])[3] == "steps/s, 3 a call"
    assert [cells(line)[1] for line in calls[2:]] == ["float32", "bfloat16"]


def test_the_tables_by_hand():
    seconds = {PLAIN: 1.0, OURS: 0.8, OURS_16: 0.55, TORCH_16: 0.6}
    results = {"wp_pixel": Result(seconds, {}), "mr_pixel": Result(seconds, {})}
    table = times_table(results, [PLAIN, OURS])
    assert table[2] == "| WP pixel only | 1.000 | 0.800 |"
    assert {line.count("|") for line in table} == {4}
    targets = targets_table(results)
    # MR has no target, and nothing was timed that the others need.
    assert [cells(line) for line in targets[2:]] == [
        ["WP pixel only", "plain Keras float32 / ours float32", "1.25", "1.15", "met"],
        ["WP pixel only", "plain Keras float32 / ours bfloat16", "1.82", "2.0", "missed"],
        ["WP pixel only", "PyTorch bfloat16 / ours bfloat16", "1.09", "1.1", "missed"],
    ]
    assert targets_table({"mr_pixel": results["mr_pixel"]}) == []


def test_pythons_share_by_hand():
    several = Variant("ours", "float32", steps_per_call=8)
    results = {"wp_pixel": Result({OURS: 0.5, several: 0.4}, {})}
    table = calls_table(results, [OURS, several])
    assert "8 a call" in table[0]
    assert table[2] == "| WP pixel only | float32 | 2.00 | 2.50 | 20.0% |"
    slower = {"wp_pixel": Result({OURS: 0.5, several: 1.0}, {})}
    row = "| WP pixel only | float32 | 2.00 | 1.00 | none, the scan is 100% slower |"
    assert calls_table(slower, [OURS, several])[2] == row
    assert calls_table(results, [OURS]) == []


@pytest.mark.parametrize(
    ("flag", "complaint"),
    [
        ("--recipes=wp_stage3", "--recipes: no 'wp_stage3'"),
        ("--precisions=float16", "--precisions: no 'float16'"),
        ("--repetitions=0", "--repetitions must be at least 1"),
        ("--crop_size=24", "multiple of 16"),
        ("--features=-1", "negative"),
        ("more", "unexpected argument"),
    ],
)
def test_wrong_flags(call_program, capsys, flag, complaint):
    assert call_program(training.cli_main, flag) == 2
    assert complaint in capsys.readouterr().err
