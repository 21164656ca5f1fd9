import csv
import math
import os
from pathlib import Path

import pytest

from evaluation.scoring.protocol import Scores
from evaluation.scoring.records import Record, Records
from sr_program.errors import DataError

FULL = Record("baby", "ξ = 0.1", Scores({"psnr": 1 / 3, "rmse": 2.5}), "d1")


def test_rows_survive(tmp_path: Path) -> None:
    path = tmp_path / "Set5.csv"
    rows = [
        FULL,
        Record("baby", "Bi-GANs-ST, ξ = 1", Scores({"psnr": math.inf, "ssim": 1e-17}), "d2"),
        Record('a, "quoted" name', "x", Scores({}, {"niqe": "too small: 2x3", "ma": "flat"}), ""),
        Record(os.fsdecode(b"gr\xfcn\nrot"), os.fsdecode(b"\xff"), Scores({"psnr": 1.0}), "d3"),
    ]
    Records(path).add(rows)
    again = Records(path)
    for row in rows:
        assert again.get(row.image, row.variant) == row
    assert again.get("baby", "other") is None


def test_a_problem_with_the_mark_between_problems(tmp_path: Path) -> None:
    """Messages end in `…; do this`: it must not become a measure of its own."""
    path = tmp_path / "Set5.csv"
    text = "a.png: is damaged; replace it\nsoon"
    Records(path).add([Record("a", "x", Scores({}, {"image": text, "ma": "flat"}), "")])
    row = Records(path).get("a", "x")
    assert row is not None
    assert set(row.scores.problems) == {"image", "ma"}
    assert row.scores.problems["image"] == "a.png: is damaged, replace it\nsoon"


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    path = tmp_path / "Set5.csv"
    records = Records(path)
    assert not path.exists()
    records.add([FULL])
    with path.open(newline="", encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert row["image"] == "baby" and row["variant"] == "ξ = 0.1"
    assert float(row["psnr"]) == 1 / 3 and row["rmse"] == "2.5"
    assert row["niqe"] == row["problems"] == ""


def test_a_file_that_is_older_than_a_measure(tmp_path: Path) -> None:
    path = tmp_path / "Set5.csv"
    path.write_text(f"{HEADER},problems,digest\nbaby,x,1,2,3,4,5,6,7,8,9,,d\n")
    row = Records(path).get("baby", "x")
    assert row is not None
    assert row.has(("psnr", "lpips")) and not row.has(("stlpips",))
    assert (row.scores.values["lpips"], row.digest) == (9, "d")


def test_a_row_replaces_its_elder(tmp_path: Path) -> None:
    path = tmp_path / "Set5.csv"
    records = Records(path)
    records.add([FULL, Record("bird", "ξ = 0.1", Scores({"psnr": 1.0}), "")])
    newer = Record("baby", "ξ = 0.1", Scores({"psnr": 2.0}), "d9")
    records.add([newer])
    for known in (records, Records(path)):
        assert known.get("baby", "ξ = 0.1") == newer
        assert known.get("bird", "ξ = 0.1") is not None
    assert [p.name for p in tmp_path.iterdir()] == ["Set5.csv"]


def test_select_keeps_the_order_of_the_images(tmp_path: Path) -> None:
    records = Records(tmp_path / "Set5.csv")
    records.add(Record(name, "x", Scores({}), "") for name in "cab")
    records.add([Record("a", "y", Scores({}), "")])
    assert [row.image for row in records.select(["b", "missing", "c"], "x")] == ["b", "c"]
    assert [row.variant for row in records.select(["a"], "y")] == ["y"]


@pytest.mark.parametrize(
    ("values", "problems", "expected"),
    [
        ({"psnr": 1.0, "niqe": 2.0}, {}, True),
        ({"psnr": 1.0, "niqe": 2.0, "ma": 3.0}, {}, True),
        ({"psnr": 1.0}, {"niqe": "too small"}, True),
        ({"psnr": 1.0}, {}, False),
        ({"psnr": 1.0}, {"ma": "flat"}, False),
        ({}, {"image": "is damaged"}, False),
        ({"psnr": 1.0, "niqe": 2.0}, {"image": "is damaged"}, False),
    ],
)
def test_what_a_row_has(values, problems, expected) -> None:
    record = Record("a", "x", Scores(values, problems), "")
    assert record.has(("psnr", "niqe")) == expected


HEADER = "image,variant,psnr,ssim,psnr_border4,rmse,lr_consistency,niqe,ma,perceptual_index,lpips"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"image,psnr\nbaby,3\n",
        f"{HEADER},problems,digest\nbaby,x,many\n".encode(),
        f"{HEADER},problems,digest\nbaby\n".encode(),
        f"{HEADER.replace(',rmse', '')},problems,digest\n".encode(),
        f"{HEADER},problems,digest,more\n".encode(),
        b"\x89PNG\r\n\x1a\n\xff\xfe",
    ],
)
def test_a_file_of_another_program(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "Set5.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="Set5.csv: is not a file of scores .*--output"):
        Records(path)
    assert path.read_bytes() == content
