import json
from pathlib import Path

import pytest

from evaluation.methods.method import Fused
from evaluation.tables.__main__ import cli_main
from evaluation.tables.paper_tables import chosen_tables, default_benchmarks, methods, page
from sr_data.benchmarks import open_benchmark
from sr_program.errors import DataError, UsageError

OURS = ("Bicubic", "WP-SRGAN, first stage", "MR-SRGAN", "WP-SRGAN", "Bi-GANs-ST")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [("1,2,3,4", (1, 2, 3, 4)), ("4", (4,)), ("3, 1", (1, 3)), ("2,2", (2,))],
)
def test_chosen_tables(numbers, expected) -> None:
    assert chosen_tables(numbers) == expected


@pytest.mark.parametrize("numbers", ["", "5", "1,", "one", "1-3", "0", "1.0"])
def test_other_tables(numbers) -> None:
    with pytest.raises(UsageError, match=f"--table={numbers}: the paper has tables 1, 2, 3 and 4"):
        chosen_tables(numbers)


def test_the_sets_of_the_paper(tmp_path, draw_set) -> None:
    five = ("Set5", "Set14", "BSD100", "Urban100", "Manga109")
    assert default_benchmarks((3,)) == default_benchmarks((4,)) == five
    [pirm] = default_benchmarks((1,))
    assert default_benchmarks((1, 2)) == (pirm,)
    assert default_benchmarks((2, 4)) == (pirm, *five)
    # the name is one that the benchmarks know
    draw_set(tmp_path / "PIRM_valset_10_100", {"1": (8, 8)}, hr_alone=True)
    assert open_benchmark(pirm, tmp_path).name == "PIRM_val"


def figures(start: float) -> dict:
    """Means of a variant, all different."""
    names = ("psnr", "ssim", "rmse", "niqe", "ma", "perceptual_index")
    means = {name: start + number for number, name in enumerate(names)}
    return {"scored": 1, "means": {**means, "ssim": start / 100}, "problems": {}}


def summary(*sets: str, absent: tuple[str, ...] = ()) -> dict:
    found = {}
    for index, name in enumerate(sets):
        variants = {v: figures(10 * i + 100 * index) for i, v in enumerate(OURS, 1)}
        for variant in variants.values():
            for measure in absent:
                del variant["means"][measure]
        found[name] = {"images": 1, "failed": {}, "variants": variants}
    return {"settings": {}, "absent": dict.fromkeys(absent, "for a reason"), "sets": found}


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """Heading → cells of the lines of its tables, without the lines of dashes."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| ") and "---" not in line:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(heading, []).append(cells)
    return found


def test_table_1() -> None:
    text = page(summary("PIRM_val", "Set5"), (1,), "python -m evaluation.tables")
    assert "`python -m evaluation.tables`" in text
    [(heading, lines)] = tables_of(text).items()
    assert heading.startswith("Table 1: ")
    assert lines == [
        ["", "paper, PIRM", "ours, PIRM_val", "ours, Set5"],
        ["WP-SRGAN, first stage", "5.2002 / 14.385", "25.000 / 22.00", "125.000 / 122.00"],
        ["WP-SRGAN, second stage", "2.0815 / 16.2813", "45.000 / 42.00", "145.000 / 142.00"],
    ]


def test_table_2() -> None:
    [(heading, lines)] = tables_of(page(summary("PIRM_val"), (2,), "")).items()
    assert heading.startswith("Table 2: ")
    assert lines == [
        ["", "paper, PIRM", "ours, PIRM_val"],
        ["MR-SRGAN", "4.404 / 11.36", "35.000 / 32.00"],
        ["WP-SRGAN", "2.082 / 16.28", "45.000 / 42.00"],
        ["Bi-GANs-ST", "2.139 / 15.77", "55.000 / 52.00"],
    ]


def test_table_3() -> None:
    text = page(summary("Set5", "PIRM_val"), (3,), "")
    assert tables_of(text) == {
        "Table 3: PSNR / SSIM": [
            ["", "Set5", "PIRM_val"],
            ["Bicubic (paper)", "24.74 / 0.736", "—"],
            ["EDSR (paper)", "32.53 / 0.899", "—"],
            ["MR-SRGAN (paper)", "31.53 / 0.884", "—"],
            ["EnhanceNet (paper)", "28.90 / 0.818", "—"],
            ["WP-SRGAN (paper)", "29.06 / 0.834", "—"],
            ["Bi-GANs-ST (paper)", "29.54 / 0.840", "—"],
            ["**Bicubic**", "10.00 / 0.100", "110.00 / 1.100"],
            ["**MR-SRGAN**", "30.00 / 0.300", "130.00 / 1.300"],
            ["**WP-SRGAN**", "40.00 / 0.400", "140.00 / 1.400"],
            ["**Bi-GANs-ST**", "50.00 / 0.500", "150.00 / 1.500"],
        ]
    }
    assert "28.42, 25.99 and 25.96" in text


def test_table_4() -> None:
    assert tables_of(page(summary("Manga109"), (4,), "")) == {
        "Table 4: perceptual index / RMSE": [
            ["", "Manga109"],
            ["EDSR (paper)", "4.714 / 8.63"],
            ["EnhanceNet (paper)", "3.259 / 13.19"],
            ["MR-SRGAN (paper)", "4.164 / 9.57"],
            ["WP-SRGAN (paper)", "3.195 / 13.32"],
            ["Bi-GANs-ST (paper)", "3.216 / 12.97"],
            ["**Bicubic**", "15.000 / 12.00"],
            ["**MR-SRGAN**", "35.000 / 32.00"],
            ["**WP-SRGAN**", "45.000 / 42.00"],
            ["**Bi-GANs-ST**", "55.000 / 52.00"],
        ]
    }


def test_all_tables_in_order() -> None:
    headings = list(tables_of(page(summary("Set5"), (1, 2, 3, 4), "")))
    assert [heading[:8] for heading in headings] == ["Table 1:", "Table 2:", "Table 3:", "Table 4:"]


def test_without_ma_niqe_takes_its_place() -> None:
    text = page(summary("Set5", absent=("ma", "perceptual_index")), (1, 2, 4), "")
    one, two, four = tables_of(text).values()
    assert one[1] == ["WP-SRGAN, first stage", "5.2002 / 14.385", "— / 22.00"]
    assert one[3:] == [
        ["NIQE / RMSE", "ours, Set5"],
        ["WP-SRGAN, first stage", "23.000 / 22.00"],
        ["WP-SRGAN, second stage", "43.000 / 42.00"],
    ]
    assert two[4:] == [
        ["NIQE / RMSE", "ours, Set5"],
        ["MR-SRGAN", "33.000 / 32.00"],
        ["WP-SRGAN", "43.000 / 42.00"],
        ["Bi-GANs-ST", "53.000 / 52.00"],
    ]
    assert ["**MR-SRGAN**", "— / 32.00"] in four and ["**MR-SRGAN**", "33.000 / 32.00"] in four
    assert "- Not computed: Ma: for a reason" in text
    assert "- Not computed: PI: for a reason" in text


def test_methods(fused_dir, faithful_dir, vivid_dir, monkeypatch) -> None:
    assert methods(str(fused_dir), str(faithful_dir), 0.73).variants == OURS
    from bigans.pretrained.saved_models import SavedModels

    shipped = SavedModels(faithful_dir / "1", vivid_dir / "1", fused_dir / "1")
    monkeypatch.setattr("bigans.pretrained.saved_models.saved_models", lambda *_, **__: shipped)
    stage_1 = faithful_dir / "1"
    monkeypatch.setattr("bigans.pretrained.saved_models.stage_1_model", lambda *_, **__: stage_1)
    named = methods(str(fused_dir), str(faithful_dir), 0.73)
    assert methods("pretrained", "pretrained:stage1", 0.73).identity == named.identity
    assert methods("pretrained", "pretrained:stage1", 0.5).identity != named.identity
    with pytest.raises(DataError, match="no such directory"):
        methods(str(fused_dir), str(faithful_dir / "nowhere"), 0.73)


# --- the command ---


@pytest.fixture
def call(call_program, offline, data_dir, draw_set, tmp_path, fused_dir, faithful_dir, niqe_file):
    draw_set(data_dir / "PIRM", {"1": (112, 208), "2": (208, 112)}, hr_alone=True)

    def run(*arguments: object) -> int:
        return call_program(
            cli_main, f"--data_dir={data_dir}", f"--output={tmp_path / 'out'}", "--workers=0",
            f"--model={fused_dir}", f"--stage1={faithful_dir}", f"--niqe_parameters={niqe_file}",
            *arguments,
        )  # fmt: skip

    return run


def results(folder: Path) -> dict:
    return json.loads((folder / "tables.json").read_text(encoding="utf-8"))


def test_the_tables_of_models(call, tmp_path, ma_file, capsys, monkeypatch) -> None:
    runs: list[str] = []
    generators = Fused.generators
    monkeypatch.setattr(
        Fused, "generators", lambda self, image: runs.append("") or generators(self, image)
    )
    assert call("--table=1,2", f"--ma_model={ma_file}") == 0
    assert len(runs) == 2  # once an image, for three models
    [(name, found)] = results(tmp_path / "out")["sets"].items()
    assert name == "PIRM_val"
    means = {variant: one["means"] for variant, one in found["variants"].items()}
    assert tuple(means) == OURS
    # the first stage is the faithful generator here
    assert means["WP-SRGAN, first stage"] == means["MR-SRGAN"]
    assert means["MR-SRGAN"]["rmse"] < means["Bi-GANs-ST"]["rmse"] < means["WP-SRGAN"]["rmse"]
    text = (tmp_path / "out" / "tables.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text + "\n"
    shown = tables_of(text)["Table 2: the three models, perceptual index / RMSE"]
    for row, variant in zip(shown[1:], ("MR-SRGAN", "WP-SRGAN", "Bi-GANs-ST"), strict=True):
        one = means[variant]
        assert one["perceptual_index"] == pytest.approx((10 - one["ma"] + one["niqe"]) / 2)
        assert row[2] == f"{one['perceptual_index']:.3f} / {one['rmse']:.2f}"
    # other tables of the same sets need no model to run
    assert call("--table=3,4", "--benchmarks=PIRM", f"--ma_model={ma_file}") == 0
    assert len(runs) == 2
    assert results(tmp_path / "out")["sets"]["PIRM_val"] == found


def test_a_table_without_the_ma_model(call, tmp_path, capsys) -> None:
    assert call("--table=2") == 0
    printed = capsys.readouterr().out
    assert "| NIQE / RMSE | ours, PIRM_val |" in printed
    assert "- Not computed: PI: it needs NIQE and Ma" in printed


def test_a_bad_image(call, data_dir, capsys) -> None:
    path = data_dir / "PIRM" / "HR" / "1.png"
    path.write_bytes(path.read_bytes()[:-40])
    assert call("--table=1") == 1
    printed, errors = capsys.readouterr()
    lines = [line for line in errors.splitlines() if line.startswith("evaluation.tables: ")]
    assert len(lines) == 1 and "PIRM_val/1 was not scored: " in lines[0]
    assert "ours, PIRM_val" in printed


def test_a_missing_set_of_the_paper(call, capsys) -> None:
    assert call("--table=3") == 1
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--table=5"], "--table=5: the paper has tables 1, 2, 3 and 4"),
        (["--table=1", "--xi=-0.1"], "--xi must lie in [0, 1]"),
        (["--table=1", "--data_dir="], "--data_dir=DIR is missing"),
        (["--table=1", "Set5"], "unexpected argument 'Set5'"),
    ],
)
def test_a_wrong_command(call, capsys, flags, message) -> None:
    assert call(*flags) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("evaluation.tables.__main__: ") or line.startswith("evaluation.tables: ")
    assert message in line


@pytest.mark.parametrize("flag", ["model", "stage1"])
def test_a_model_that_is_none(call, offline, not_models, capsys, flag) -> None:
    assert call("--table=1", f"--{flag}={not_models['empty']}") == 1
    assert "no SavedModel" in capsys.readouterr().err
    assert offline == []  # before any download


def test_other_settings_are_refused(call, capsys) -> None:
    assert call("--table=1") == 0
    assert call("--table=1", "--xi=0.5") == 2
    assert "holds the results of another model" in capsys.readouterr().err
