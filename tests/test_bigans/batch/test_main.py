"""The program: what it refuses, and that its results are those of `python -m bigans`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bigans.batch.__main__ import cli_main
from bigans.batch.enlarging_worker import ModelOrder
from bigans.upscaler.enlarging import Enlarging
from bigans.upscaler.job import Job, carry_out
from bigans.upscaler.planning.plan import Order
from sr_images.encoding import Encoding
from tests.test_bigans.batch.conftest import draw_photos, files_in
from tests.test_bigans.batch.toy import load


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--output=o"], 2, "--input is missing"),
        (["--input=in"], 2, "--output is missing"),
        (["--input=in", "--output=o", "x.png"], 2, "unexpected argument 'x.png'"),
        (["--input=in", "--output=o", "--xi=2"], 2, "xi must lie"),
        (["--input=in", "--output=o", "--xi=nan"], 2, "xi must lie"),
        (["--input=in", "--output=o", "--xi=0.5", "--max_deviation=3"], 2, "exclude each other"),
        (["--input=in", "--output=o", "--engine=spark"], 2, "--engine"),
        (["--input=in", "--output=o", "--address=auto"], 2, "--address="),
        (["--input=in", "--output=o", "--gpus_per_worker=1"], 2, "--gpus_per_worker="),
        (["--input=in", "--output=o", "--model=bicubic"], 2, "is not a model"),
        (["--input=in", "--output=o", "--model=./none"], 1, "none: no such directory"),
        (["--input=in", "--output=o", "--model=HR", "--server=a:1"], 2, "exclude each other"),
        (["--input=in", "--output=o", "--memory_mb=-2"], 2, "--memory_mb"),
        (["--input=in", "--output=o", "--suffix=a/b"], 2, "--suffix=a/b"),
        (["--input=in", "--output=in/0000.png"], 2, "is a file"),
        (["--input=in", "--output=o", "--niqe_parameters=a"], 2, "without --niqe"),
        (["--input=in", "--output=o", "--niqe", "--niqe_parameters=a.mat"], 1, "a.mat"),
        (["--input=none", "--output=o"], 1, "none: no such file or folder"),
        (["--input=gopher://a/*", "--output=o"], 2, "--input=gopher://a/*"),
    ],
)
def test_what_cannot_be_is_one_line(
    call_program: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    complaint: str,
) -> None:
    draw_photos(tmp_path / "in", 1)
    monkeypatch.chdir(tmp_path)
    assert call_program(cli_main, *arguments) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and complaint in lines[0], lines
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".png"]


@pytest.mark.parametrize(
    ("flags", "enlarging", "encoding"),
    [
        ([], Enlarging(xi=0.73), Encoding(format="png")),
        (
            ["--xi=0.25", "--format=jpg", "--quality=90"],
            Enlarging(xi=0.25),
            Encoding(format="jpg", quality=90),
        ),
        (
            ["--scale=2", "--strip=all", "--max_deviation=4"],
            Enlarging(scale=2, max_deviation=4),
            Encoding(format="png", strip="all"),
        ),
    ],
)
def test_results_are_those_of_the_other_program(
    call_program: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    in_threads: None,
    flags: list[str],
    enlarging: Enlarging,
    encoding: Encoding,
) -> None:
    """`python -m bigans in --recursive` is `carry_out` with flags around it."""
    monkeypatch.setattr(ModelOrder, "__call__", lambda self: load())
    monkeypatch.chdir(tmp_path)
    draw_photos(tmp_path / "in" / "sub", 3)
    order = Order(output="one", recursive=True, encoding=encoding, suffix=f"_x{enlarging.scale:g}")
    job = Job(photos=["in"], order=order, enlarging=enlarging)
    assert carry_out(job, load, lambda line: None) == 0
    assert call_program(cli_main, "--input=in", "--output=many", *flags) == 0
    assert "3 done -> many" in capsys.readouterr().out
    assert files_in(tmp_path / "many") == files_in(tmp_path / "one")
