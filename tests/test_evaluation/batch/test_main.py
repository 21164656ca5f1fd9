"""Scores of a batch are those of evaluation.run, to the bit."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from evaluation.batch.__main__ import cli_main
from evaluation.run import cli_main as run_main
from sr_data.benchmarks import open_benchmark
from sr_images.image_io import write_rgb
from tests.test_bigans.batch.conftest import Threads
from tests.test_evaluation.conftest import write_png


@pytest.fixture(scope="module")
def drawn_sets(tmp_path_factory: pytest.TempPathFactory, draw_set: Any, draw_photo: Any) -> Path:
    """Images that are large enough for NIQE, one of them gray."""
    folder = tmp_path_factory.mktemp("large")
    draw_set(folder / "Set5", {"baby": (120, 220), "bird": (210, 122), "woman": (121, 206)})
    draw_set(folder / "Set14", {"comic": (120, 208)}, hr_alone=True)
    write_png(folder / "Set14" / "HR" / "bridge.png", draw_photo(208, 120, 7, gray=True))
    return folder


@pytest.fixture
def results(drawn_sets: Path, tmp_path: Path) -> Path:
    """Noisy copies of the originals under other people's names; one original has none."""
    random = np.random.default_rng(3)
    folder = tmp_path / "results"
    marks = {"baby": "", "bird": "_x4", "woman": "_SR", "comic": "", "bridge": "_out"}
    for name in ("Set5", "Set14"):
        (folder / name).mkdir(parents=True)
        for image in open_benchmark(name, drawn_sets):
            noisy = np.clip(image.hr + random.normal(0, 5, image.hr.shape), 0, 255)
            path = folder / name / f"{image.name}{marks[image.name]}.png"
            write_rgb(path, noisy.astype(np.uint8))
    return folder


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, ma_file: Path, offline: Any) -> None:
    """Batches run in this process, where the Ma score is a fake."""
    monkeypatch.setattr("bigans.batch.running.open_engine", Threads)


MEASURES = "niqe,ma,perceptual_index,psnr,ssim,psnr_border4,rmse,lr_consistency"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_scores_are_those_of_a_run(
    call_program: Any,
    drawn_sets: Path,
    results: Path,
    niqe_file: Path,
    ma_file: Path,
    here: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    files = f"--niqe_parameters={niqe_file}", f"--ma_model={ma_file}"
    run = [f"--model=folder:{results}", f"--benchmarks={name}", f"--data_dir={drawn_sets}"]
    assert call_program(run_main, *run, *files, f"--output={tmp_path / 'run'}", "--workers=0") == 0
    batch = [f"--input={results / name}", f"--hr={drawn_sets / name}", f"--metrics={MEASURES}"]
    capsys.readouterr()
    assert call_program(cli_main, *batch, *files, f"--output={tmp_path / 'batch'}") == 0
    wanted = {row["image"]: row for row in rows(tmp_path / "run" / f"{name}.csv")}
    found = rows(tmp_path / "batch" / "scores.csv")
    assert len(found) == len(wanted)
    for row in found:
        (run_row,) = [r for image, r in wanted.items() if row["image"].startswith(image)]
        for measure in MEASURES.split(","):
            assert row[measure] == run_row[measure], measure
    means = json.loads((tmp_path / "run" / "summary.json").read_text())["sets"][name]
    told = capsys.readouterr().out
    for measure, value in means["variants"]["results"]["means"].items():
        assert f"{measure} {value:.4f}" in told
    table = parquet.read_table(tmp_path / "batch" / "manifest.parquet").to_pylist()
    assert [repr(row["niqe"]) for row in table] == [row["niqe"] for row in found]


def test_what_is_scored_is_not_scored_again(
    call_program: Any,
    results: Path,
    niqe_file: Path,
    here: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = [f"--input={results}", "--metrics=niqe", f"--niqe_parameters={niqe_file}"]
    arguments.append(f"--output={tmp_path / 'out'}")
    assert call_program(cli_main, *arguments) == 0
    before = (tmp_path / "out" / "scores.csv").read_bytes()
    assert len(before.splitlines()) == 6
    calls = []
    from evaluation.metrics.niqe import Niqe

    call = Niqe.__call__
    monkeypatch.setattr(Niqe, "__call__", lambda *a: calls.append(1) or call(*a))
    assert call_program(cli_main, *arguments) == 0
    assert (calls, (tmp_path / "out" / "scores.csv").read_bytes()) == ([], before)
    (results / "Set5" / "baby.png").write_bytes((results / "Set5" / "bird_x4.png").read_bytes())
    assert call_program(cli_main, *arguments) == 0
    assert len(calls) == 1


def test_a_mean_of_some_images_says_of_how_many(
    call_program: Any, results: Path, here: None, niqe_file: Path, tmp_path: Path, capsys: Any
) -> None:
    small = np.full((32, 32, 3), 9, np.uint8)
    write_rgb(results / "small\nand flat.png", small)
    write_png(results / "hr" / "HR" / "small\nand flat.png", small)
    for name in ("baby", "bird", "woman"):
        shutil.copy(
            next((results / "Set5").glob(f"{name}*")), results / "hr" / "HR" / f"{name}.png"
        )
    arguments = [f"--input={results}", "--metrics=niqe,rmse", f"--hr={results / 'hr'}"]
    flags = [f"--niqe_parameters={niqe_file}", f"--output={tmp_path / 'out'}"]
    assert call_program(cli_main, *arguments, *flags) == 0
    printed = capsys.readouterr().out
    told = r"^\d+ images: rmse \d+\.\d{4}, niqe \d+\.\d{4} \(\d+ images\)$"
    assert re.search(told, printed, re.MULTILINE)


def test_an_image_without_its_original_is_listed(
    call_program: Any, drawn_sets: Path, results: Path, here: None, tmp_path: Path
) -> None:
    arguments = [f"--input={results}", "--metrics=psnr", f"--hr={drawn_sets / 'Set5'}"]
    assert call_program(cli_main, *arguments, f"--output={tmp_path / 'out'}") == 0
    lines = (tmp_path / "out" / "failed.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert all("has no original of this name" in json.loads(line)["reason"] for line in lines)
    assert len(rows(tmp_path / "out" / "scores.csv")) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--metrics=niqe"], 2, "--input is missing"),
        (["--input=x", "--output=o", "--metrics=beauty"], 2, "--metrics=beauty: is unknown"),
        (["--input=x", "--output=o", "--metrics=psnr"], 2, "--hr=DIR"),
        (["--input=x", "--output=o", "--metrics=,"], 2, "--metrics= is empty"),
        (["--input=x", "--output=o", "--metrics=psnr", "--hr=nowhere"], 1, "no such folder"),
        (["--input=x", "--output=o", "--metrics=niqe"], 1, "niqe cannot be measured"),
        (["--input=x", "--output=o", "--engine=local", "--address=a"], 2, "--engine=local"),
    ],
)
def test_what_cannot_be_is_one_line(
    call_program: Any,
    offline: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call_program(cli_main, *arguments) == code
    last = capsys.readouterr().err.splitlines()[-1]
    assert complaint in last, last
    assert not (tmp_path / "o").exists()
