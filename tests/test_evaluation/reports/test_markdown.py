import pytest

from evaluation.reports.markdown import ABSENT, number, table


def test_a_table() -> None:
    assert table(["", "PSNR", "SSIM"], [["a|b", "1.0", "0.5"], ["c", ABSENT, "0.6"]]) == [
        "|  | PSNR | SSIM |",
        "| --- | ---: | ---: |",
        "| a\\|b | 1.0 | 0.5 |",
        "| c | — | 0.6 |",
        "",
    ]


def test_a_cell_of_two_lines() -> None:
    assert table(["", "b"], [["a\nb|c", "1"]])[2] == r"| a\nb\|c | 1 |"


def test_a_table_without_rows() -> None:
    assert table(["x"], []) == ["| x |", "| --- |", ""]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1.25, 3, "1.250"), (28.4249, 2, "28.42"), (0.0, 1, "0.0"), ("inf", 2, "inf"), (None, 2, "—")],
)
def test_a_number(value, digits, text) -> None:
    assert number(value, digits) == text
