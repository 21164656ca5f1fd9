import json
import math
from pathlib import Path

import pytest

from evaluation.reports.report import (
    compared,
    failures,
    markdown,
    measures_of,
    notes,
    of_variants,
    pair,
    published_pair,
    summarize,
    write,
)
from evaluation.scoring.evaluate import SetResult
from evaluation.scoring.protocol import Instruments, Scores
from evaluation.scoring.records import Record, Records

NO_MA = {"ma": "its model file is missing", "perceptual_index": "it needs NIQE and Ma"}
WITHOUT_MA = Instruments(niqe=Path("n.mat"), absent={**NO_MA, "lpips": "not asked for"})
WITH_ALL = Instruments(niqe=Path("n.mat"), ma=Path("m.mat"), lpips=True)
FULL = {
    "psnr": 30.0, "ssim": 0.9, "psnr_border4": 29.0, "rmse": 6.0, "lr_consistency": 40.0,
    "niqe": 4.0, "ma": 8.0, "perceptual_index": 3.0, "lpips": 0.1,
}  # fmt: skip


@pytest.fixture
def result(tmp_path):
    """Makes the result of a set from (variant → image → scores)."""

    def make(name: str, scores: dict[str, dict[str, Scores]]) -> SetResult:
        records = Records(tmp_path / f"{name}.csv")
        for variant, images in scores.items():
            records.add(Record(image, variant, one, "d") for image, one in images.items())
        images = tuple(dict.fromkeys(image for one in scores.values() for image in one))
        return SetResult(name, images, tuple(scores), records)

    return make


def changed(**values: float) -> Scores:
    return Scores({**FULL, **values})


def without(*names: str, **problems: str) -> Scores:
    return Scores({name: FULL[name] for name in FULL if name not in names}, problems)


def cells(lines: list[str], first: str, table: int = 0) -> list[str]:
    """The cells of the row that starts with a text, of several tables' rows the one named."""
    rows = [line for line in lines if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in rows[table].strip("|").split("|")][1:]


def test_summary(result) -> None:
    damaged = Scores({}, {"image": "c.png: is damaged"})
    one = result(
        "Set5",
        {
            "x": {
                "a": changed(psnr=20.0, rmse=3.0),
                "b": changed(psnr=30.0, rmse=4.0),
                "c": damaged,
            },
            "y": {
                "a": without("niqe", "ma", "perceptual_index", niqe="too small"),
                "b": changed(niqe=2.0),
                "c": damaged,
            },
        },
    )
    summary = summarize([one], WITHOUT_MA, {"model": "m", "xi": 0.73})
    assert summary["settings"] == {"model": "m", "xi": 0.73}
    assert summary["absent"] == {**NO_MA, "lpips": "not asked for"}
    [(name, found)] = summary["sets"].items()
    assert name == "Set5"
    assert found["images"] == 3 and found["failed"] == {"c": "c.png: is damaged"}
    x, y = found["variants"]["x"], found["variants"]["y"]
    assert x["scored"] == y["scored"] == 2
    assert x["means"]["psnr"] == 25 and x["means"]["rmse"] == math.sqrt(12.5)
    assert x["problems"] == {}
    assert y["means"]["niqe"] == 2 and y["problems"] == {"niqe": {"a": "too small"}}
    assert failures(summary) == ["Set5/c was not scored: c.png: is damaged"]


def test_a_set_without_a_scored_image(result) -> None:
    one = result("Set5", {"x": {"a": Scores({}, {"image": "bad"})}})
    summary = summarize([one], WITHOUT_MA, {})
    assert summary["sets"]["Set5"]["variants"]["x"] == {"scored": 0, "means": {}, "problems": {}}
    lines = markdown(summary, "command").splitlines()
    assert "- Set5/a was not scored: bad" in lines
    assert cells(lines, "**x**", 0) == cells(lines, "**x**", 1) == ["— / —"]
    assert cells(lines, "x") == ["—"] * 6 + ["not computed"] * 2


def test_json_has_no_infinity(result, tmp_path) -> None:
    one = result("Set5", {"x": {"a": changed(psnr=math.inf)}})
    summary = summarize([one], WITH_ALL, {})
    write(tmp_path, summary, "text\n")
    text = (tmp_path / "summary.json").read_text(encoding="utf-8")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(text, parse_constant=refuse) == summary
    assert summary["sets"]["Set5"]["variants"]["x"]["means"]["psnr"] == "inf"
    assert cells(markdown(summary, "").splitlines(), "x")[0] == "inf"


def test_the_files(result, tmp_path) -> None:
    summary = summarize([result("Set5", {"ξ": {"a": changed()}})], WITH_ALL, {})
    write(tmp_path / ".", summary, "# ξ\n", name="tables")
    assert (tmp_path / "tables.md").read_text(encoding="utf-8") == "# ξ\n"
    assert "ξ" in (tmp_path / "tables.json").read_text(encoding="utf-8")


def test_the_papers_rows_beside_ours(result) -> None:
    scores = {"ours": {"a": changed()}}
    results = [result(name, scores) for name in ("Set5", "Mine", "BSD100")]
    summary = summarize(results, WITH_ALL, {})
    lines = markdown(summary, "python -m evaluation.run --xi=0.73").splitlines()
    assert "`python -m evaluation.run --xi=0.73`" in lines
    three = lines[lines.index("## PSNR / SSIM (paper: Table 3)") :]
    four = lines[lines.index("## Perceptual index / RMSE (paper: Table 4)") :]
    three, four = three[: len(three) - len(four)], four[: four.index("## All measures")]
    assert three[2] == "|  | Set5 | Mine | BSD100 |"
    assert cells(three, "Bicubic (paper)") == ["24.74 / 0.736", "—", "23.93 / 0.602"]
    assert cells(three, "Bi-GANs-ST (paper)") == ["29.54 / 0.840", "—", "24.54 / 0.651"]
    assert cells(three, "**ours**") == ["30.00 / 0.900"] * 3
    assert any("28.42, 25.99 and 25.96" in line for line in three)
    assert cells(four, "EDSR (paper)") == ["5.944 / 6.51", "—", "5.263 / 12.38"]
    assert cells(four, "**ours**") == ["3.000 / 6.00"] * 3
    assert "## Missing" not in lines


def test_all_measures(result) -> None:
    one = result("Set5", {"x": {"a": changed()}, "y": {"a": changed(ssim=0.12345, lpips=0.5)}})
    summary = summarize([one], WITH_ALL, {})
    lines = measures_of(summary["sets"]["Set5"], summary["absent"])
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == [
        "", "PSNR", "SSIM", "PSNR, border 4", "RMSE", "LR consistency", "NIQE", "Ma", "PI", "LPIPS",
    ]  # fmt: skip
    expected = ["30.00", "0.9000", "29.00", "6.00", "40.00", "4.000", "8.000", "3.000", "0.1000"]
    assert cells(lines, "x") == expected
    assert cells(lines, "y") == [*expected[:1], "0.1235", *expected[2:8], "0.5000"]


def test_further_distances_have_columns_where_they_were_measured(result) -> None:
    scores = {
        "x": {"a": without("lpips")},
        "y": {"a": changed(stlpips=0.25, structure_texture=0.2)},
    }
    summary = summarize([result("Set5", scores)], WITH_ALL, {})
    lines = measures_of(summary["sets"]["Set5"], summary["absent"])
    assert lines[0].endswith("| PI | Structure, texture | LPIPS | ST-LPIPS |")
    assert cells(lines, "x")[-3:] == ["—", "—", "—"]
    assert cells(lines, "y")[-3:] == ["0.2000", "0.1000", "0.2500"]


def test_a_measure_that_cannot_be_computed_says_so(result) -> None:
    scores = without("ma", "perceptual_index", "lpips")
    summary = summarize([result("Set5", {"x": {"a": scores}})], WITHOUT_MA, {})
    text = markdown(summary, "")
    lines = text.splitlines()
    # LPIPS is no part of the protocols: its column comes with its package
    assert "LPIPS |" not in text
    assert cells(lines, "x")[-3:] == ["4.000", "not computed", "not computed"]
    assert cells(lines, "**x**", 0) == ["30.00 / 0.900"]
    assert cells(lines, "**x**", 1) == ["— / 6.00"]
    assert "- Not computed: Ma: its model file is missing" in lines
    assert "- Not computed: PI: it needs NIQE and Ma" in lines


def test_a_measure_of_some_images_says_of_how_many(result) -> None:
    small = without(
        "niqe", "perceptual_index", niqe="too small", perceptual_index="it needs NIQE and Ma"
    )
    variants = {name: {"a": small, "b": changed(), "c": changed()} for name in ("x", "y")}
    summary = summarize([result("Set5", variants)], WITH_ALL, {})
    shown = cells(markdown(summary, "").splitlines(), "x")
    assert shown[5:8] == ["4.000 (2 images)", "8.000", "3.000 (2 images)"]
    # once, though it concerns both variants
    assert [line for line in notes(summary) if "a has no" in line] == [
        "- Set5/a has no NIQE: too small",
        "- Set5/a has no PI: it needs NIQE and Ma",
    ]


def test_a_measure_that_no_image_has(result) -> None:
    small = without("niqe", niqe="too small")
    summary = summarize([result("Set5", {"x": {"a": small}})], WITH_ALL, {})
    assert cells(measures_of(summary["sets"]["Set5"], {}), "x")[5] == "—"


def test_variants_can_be_chosen(result) -> None:
    scores = {name: {"a": changed(psnr=float(number))} for number, name in enumerate("xyz")}
    results = [result(name, scores) for name in ("Set5", "Set14")]
    summary = summarize(results, WITH_ALL, {"a": 1})
    chosen = of_variants(summary, ("z", "x"))
    for one in chosen["sets"].values():
        assert list(one["variants"]) == ["z", "x"]
    assert chosen["settings"] == {"a": 1}
    assert list(summary["sets"]["Set5"]["variants"]) == ["x", "y", "z"]
    lines = compared(chosen, ("psnr", "ssim"), {})
    assert [line.split("|")[1].strip() for line in lines[2:-1]] == ["**z**", "**x**"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((28.424, 0.81036), "28.42 / 0.810"),
        ((None, 0.5), "— / 0.500"),
        (("inf", 1.0), "inf / 1.000"),
    ],
)
def test_a_pair(values, text) -> None:
    assert pair(("psnr", "ssim"), values) == text


@pytest.mark.parametrize(
    ("measures", "figures", "text"),
    [
        (("psnr", "ssim"), (27.30, 0.630), "27.30 / 0.630"),
        (("perceptual_index", "rmse"), (5.2002, 14.385), "5.2002 / 14.385"),
        (("perceptual_index", "rmse"), (2.226, 9.8), "2.226 / 9.80"),
        (("psnr", "ssim"), None, "—"),
    ],
)
def test_the_papers_figures_keep_their_digits(measures, figures, text) -> None:
    assert published_pair(measures, figures) == text
