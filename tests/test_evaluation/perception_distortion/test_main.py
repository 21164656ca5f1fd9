import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.methods.method import Fused
from evaluation.perception_distortion import plane, sweep
from evaluation.perception_distortion.__main__ import cli_main
from evaluation.run import cli_main as evaluate_main

TENTHS = [f"ξ = {number / 10:g}" for number in range(11)]


@pytest.fixture
def call(call_program, offline, data_dir, draw_set, tmp_path, fused_dir, niqe_file):
    draw_set(data_dir / "Large", {"a": (112, 208), "b": (208, 112)}, hr_alone=True)

    def run(*arguments: object, output: str = "out") -> int:
        return call_program(
            cli_main, f"--data_dir={data_dir}", f"--output={tmp_path / output}", "--workers=0",
            f"--model={fused_dir}", f"--niqe_parameters={niqe_file}", "--benchmarks=Large",
            *arguments,
        )  # fmt: skip

    return run


@pytest.fixture
def coarse(monkeypatch) -> None:
    """A grid of few places: quick."""
    for module in (plane, sweep):
        monkeypatch.setattr(module, "GRID", np.linspace(0, 1, 5))


@pytest.fixture
def runs(monkeypatch) -> list[tuple[int, ...]]:
    """The sizes of the images that the generators ran on."""
    seen: list[tuple[int, ...]] = []
    generators = Fused.generators

    def count(self: Fused, image: np.ndarray) -> Any:
        seen.append(image.shape)
        return generators(self, image)

    monkeypatch.setattr(Fused, "generators", count)
    return seen


def means(folder: Path, file: str = "plane.json", name: str = "Large") -> dict[str, dict]:
    content = json.loads((folder / file).read_text(encoding="utf-8"))
    variants = content["sets"][name]["variants"]
    return {variant: one["means"] for variant, one in variants.items()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("coarse")
def test_figure_5(call, tmp_path, capsys, ma_file, runs) -> None:
    assert call(f"--ma_model={ma_file}", "--linear=0.5", "--target_rmse=9") == 0
    output = tmp_path / "out"
    assert {path.name for path in output.iterdir()} == {
        "plane_Large.svg", "plane_Large.png", "plane_Large.csv", "plane.md", "plane.json",
        "Large.csv", "settings.json", "grid",
    }  # fmt: skip
    assert runs == [(28, 52, 3), (52, 28, 3)]  # once an image for 19 places
    found = means(output)
    absolute = [f"t = {2**power}" for power in range(6)]
    assert list(found) == [*TENTHS, "ξ = 0.73", *absolute, "α = 0.5"]
    # from the faithful generator to the vivid one
    for labels in ([*TENTHS[:8], "ξ = 0.73", *TENTHS[8:]], absolute):
        errors = [found[label]["rmse"] for label in labels]
        assert errors == sorted(errors) and errors[0] < errors[-1]
    table = rows(output / "plane_Large.csv")
    assert [(row["mode"], float(row["value"])) for row in table] == [
        *(("quantile", number / 10) for number in range(11)),
        ("quantile", 0.73),
        *(("absolute", float(2**power)) for power in range(6)),
        ("linear", 0.5),
    ]
    for row, one in zip(table, found.values(), strict=True):
        for measure in ("rmse", "niqe", "ma", "perceptual_index"):
            assert float(row[measure]) == one[measure]
        assert row["lpips"] == ""
        index = (10 - one["ma"] + one["niqe"]) / 2
        assert one["perceptual_index"] == pytest.approx(index)
    text = (output / "plane.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text + "\n"
    assert "![PI against RMSE](plane_Large.png)" in text
    one = found["ξ = 0.3"]
    assert f"| ξ = 0.3 | {one['rmse']:.2f} | {one['psnr']:.2f} | " in text


@pytest.mark.usefixtures("coarse")
def test_the_ends_are_the_generators(
    call, call_program, data_dir, tmp_path, faithful_dir, vivid_dir, niqe_file
) -> None:
    assert call("--quantile=0,1", "--absolute=0,255", "--linear=0,1") == 0
    found = means(tmp_path / "out")
    generators = {}
    for name, place in (("faithful", faithful_dir), ("vivid", vivid_dir)):
        assert call_program(
            evaluate_main, f"--data_dir={data_dir}", f"--output={tmp_path / name}", "--workers=0",
            f"--model={place}", f"--niqe_parameters={niqe_file}", "--benchmarks=Large",
            "--label=x", "--nolpips",
        ) == 0  # fmt: skip
        generators[name] = means(tmp_path / name, "summary.json")["x"]
    assert found["ξ = 0"] == found["t = 0"] == found["α = 0"] == generators["faithful"]
    assert found["ξ = 1"] == found["t = 255"] == found["α = 1"] == generators["vivid"]
    assert generators["faithful"]["rmse"] < generators["vivid"]["rmse"]


def told(text: str, start: str) -> tuple[float, float]:
    """ξ and RMSE of the line that starts so."""
    [line] = [line for line in text.splitlines() if line.startswith("- ξ = ") and start in line]
    xi, rmse = line.split("ξ = ")[1].split()[0], line.split("(RMSE ")[1].split(")")[0]
    return float(xi), float(rmse)


def test_the_choice_of_xi(call, tmp_path, capsys) -> None:
    """What is told of a ξ is what a run at that ξ finds."""
    assert call("--quantile=0,1", "--absolute=") == 0
    ends = [means(tmp_path / "out")[label]["rmse"] for label in ("ξ = 0", "ξ = 1")]
    target = round(sum(ends) / 2, 2)
    assert ends[0] + 8 < ends[1]
    capsys.readouterr()
    assert call("--quantile=0,1", "--absolute=", f"--target_rmse={target}") == 0
    text = capsys.readouterr().out
    met, rmse = told(text, f"is the largest with an RMSE of at most {target:g} ")
    assert rmse == target
    paper, position = told(text, "88% of the way between the generators' mean squared errors")
    share = (15.77**2 - 11.36**2) / (16.28**2 - 11.36**2)
    expected = math.sqrt(ends[0] ** 2 + share * (ends[1] ** 2 - ends[0] ** 2))
    assert position == pytest.approx(expected, abs=0.006)
    assert call(f"--quantile={met},{paper}", "--absolute=", output="at") == 0
    at = means(tmp_path / "at")
    # of more than 8; ξ has three digits, and pixels of equal fractions are rounded all at once
    assert at[f"ξ = {met:g}"]["rmse"] == pytest.approx(target, abs=0.1)
    assert at[f"ξ = {paper:g}"]["rmse"] == pytest.approx(expected, abs=0.1)


@pytest.mark.usefixtures("coarse")
def test_a_target_out_of_reach(call, tmp_path, capsys) -> None:
    assert call("--quantile=0,1", "--absolute=", "--target_rmse=1") == 0
    least = means(tmp_path / "out")["ξ = 0"]["rmse"]
    assert f"- No ξ meets an RMSE of 1; the least is {least:.3f}." in capsys.readouterr().out


@pytest.mark.usefixtures("coarse")
def test_niqe_where_ma_is_absent(call, tmp_path, capsys, monkeypatch) -> None:
    drawn = []
    draw = plane.draw_plane

    def keep(points, marked, paper, path, **options) -> None:
        drawn.append((points, marked, options))
        assert paper.set_name == "PIRM" and len(paper.models) == 3
        draw(points, marked, paper, path, **options)

    monkeypatch.setattr(plane, "draw_plane", keep)
    assert call("--quantile=0,0.5,1", "--absolute=8") == 0
    printed = capsys.readouterr().out
    assert "![NIQE against RMSE](plane_Large.png)" in printed
    assert "- Not computed: PI: it needs NIQE and Ma" in printed
    [(points, marked, options)] = drawn
    assert options == {"title": "Large", "measure": "NIQE"}
    found = means(tmp_path / "out")
    assert [(p.mode, p.value, p.rmse, p.perception) for p in points] == [
        (mode, value, found[label]["rmse"], found[label]["niqe"])
        for label, mode, value in (
            ("ξ = 0", "quantile", 0.0),
            ("ξ = 0.5", "quantile", 0.5),
            ("ξ = 1", "quantile", 1.0),
            ("t = 8", "absolute", 8.0),
        )
    ]
    assert len(marked) == 2 and "ξ = 0.73" in marked
    [label] = [label for label in marked if label.startswith("88% point, ξ = 0.")]
    # where the page says that it lies
    assert f"(RMSE {marked[label][0]:.2f}) lies at the paper's 88%" in printed


@pytest.mark.usefixtures("coarse")
def test_neither_niqe_nor_ma(call, tmp_path, capsys) -> None:
    """Images that are too small for NIQE: no plot, but the distortion and the choice of ξ."""
    assert call("--benchmarks=Set5", "--quantile=0,1", "--absolute=") == 0
    printed = capsys.readouterr().out
    assert "![" not in printed and "has no NIQE: " in printed
    assert "88% of the way" in printed
    assert {path.suffix for path in (tmp_path / "out").glob("plane_*")} == {".csv"}


@pytest.mark.usefixtures("coarse")
def test_a_sweep_is_taken_up(call, tmp_path, runs, capsys) -> None:
    assert call("--quantile=0,1", "--absolute=8", "--target_rmse=8") == 0
    first = (tmp_path / "out" / "plane.md").read_bytes()
    assert len(runs) == 2
    # all is known: neither generators nor grid are made again
    assert call("--quantile=0,1", "--absolute=8", "--target_rmse=8") == 0
    assert len(runs) == 2
    assert (tmp_path / "out" / "plane.md").read_bytes() == first
    # another target needs no generators either
    assert call("--quantile=0,1", "--absolute=8", "--target_rmse=200") == 0
    assert len(runs) == 2
    assert "- ξ = 1.000 is the largest with an RMSE of at most 200 " in capsys.readouterr().out
    assert call("--quantile=0,0.5,1", "--absolute=8") == 2
    # the scores alone, without the fine grid, are not all
    (tmp_path / "out" / "grid" / "Large" / "a.json").unlink()
    assert call("--quantile=0,1", "--absolute=8", "--target_rmse=8") == 0
    assert len(runs) == 3
    assert (tmp_path / "out" / "plane.md").read_bytes() == first


@pytest.mark.usefixtures("coarse")
def test_each_set_has_its_plane(call, tmp_path, capsys) -> None:
    assert call("--benchmarks=Large,Set14", "--quantile=0,1", "--absolute=") == 0
    printed = capsys.readouterr().out
    assert printed.index("## Large") < printed.index("## Set14")
    for name in ("Large", "Set14"):
        table = rows(tmp_path / "out" / f"plane_{name}.csv")
        for label, row in zip(("ξ = 0", "ξ = 1"), table, strict=True):
            assert float(row["rmse"]) == means(tmp_path / "out", name=name)[label]["rmse"]


@pytest.mark.usefixtures("coarse")
def test_a_bad_image_among_good_ones(call, data_dir, tmp_path, capsys) -> None:
    path = data_dir / "Large" / "HR" / "a.png"
    path.write_bytes(path.read_bytes()[:-40])
    assert call("--quantile=0,1", "--absolute=") == 1
    printed, errors = capsys.readouterr()
    [line] = [s for s in errors.splitlines() if s.startswith("evaluation.perception_distortion: ")]
    assert "Large/a was not scored: " in line
    assert (tmp_path / "out" / "plane_Large.svg").exists() and "88%" in printed


@pytest.mark.usefixtures("coarse")
def test_no_image_could_be_scored(call, data_dir, doubling_dirs, capsys) -> None:
    assert call(f"--model={doubling_dirs['fused']}", "--quantile=0,1", "--absolute=") == 1
    printed, errors = capsys.readouterr()
    assert "- No image could be scored, so no ξ can be chosen." in printed
    assert len(errors.splitlines()) >= 2 and "Traceback" not in errors


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--quantile=", "--absolute="], "are all empty; name some values"),
        (["--quantile=2"], "does not lie in [0, 1]"),
        (["--absolute=x"], "is no number"),
        (["--target_rmse=-1"], "--target_rmse must lie in [0, 256)"),
        (["--target_rmse=nan"], "--target_rmse must lie in [0, 256)"),
        (["--output="], "--output=DIR is missing"),
        (["photo.png"], "unexpected argument 'photo.png'"),
    ],
)
def test_a_wrong_command(call, capsys, flags, message) -> None:
    assert call(*flags) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.usefixtures("coarse")
def test_what_is_no_fused_model(call, offline, faithful_dir, not_models, capfd) -> None:
    assert call(f"--model={not_models['empty']}") == 1
    assert offline == []  # before any download
    assert len(capfd.readouterr().err.splitlines()) == 1
    for place in (faithful_dir, *not_models.values()):
        assert call(f"--model={place}") == 1
        lines = capfd.readouterr().err.splitlines()
        lines = [line for line in lines if "left out" not in line]
        assert len(lines) == 1 and str(place) in lines[0]


@pytest.mark.usefixtures("coarse")
def test_the_shipped_model(call, monkeypatch, faithful_dir, vivid_dir, fused_dir, tmp_path) -> None:
    from bigans.pretrained.saved_models import SavedModels

    models = SavedModels(faithful_dir / "1", vivid_dir / "1", fused_dir / "1")
    monkeypatch.setattr("bigans.pretrained.saved_models.saved_models", lambda *_, **__: models)
    flags = ("--quantile=1", "--absolute=")
    assert call(*flags) == call(*flags, "--model=pretrained") == 0


@pytest.mark.usefixtures("coarse")
def test_self_ensemble_lowers_the_error_of_the_vivid_end(call, tmp_path) -> None:
    assert call("--quantile=0,1", "--absolute=") == 0
    assert call("--quantile=0,1", "--absolute=", "--self_ensemble", output="8") == 0
    one, eight = means(tmp_path / "out"), means(tmp_path / "8")
    assert eight["ξ = 0"] == one["ξ = 0"]
    assert eight["ξ = 1"]["rmse"] < 0.9 * one["ξ = 1"]["rmse"]
    # the grid is that of the averaged generators
    assert grid_end(tmp_path / "8") == pytest.approx(eight["ξ = 1"]["rmse"])


def grid_end(folder: Path) -> float:
    ends = [json.loads(path.read_text())[-1] for path in (folder / "grid" / "Large").iterdir()]
    return math.sqrt(sum(ends) / len(ends))
