"""The figures again, in another form than in the program: one text a table, from the paper."""

import math
import re

import numpy as np
import pytest

from evaluation.reports import published

TABLE_3 = """
Bicubic    24.74/0.736 23.47/0.630 23.93/0.602 21.15/0.583 21.82/0.711
EDSR       32.53/0.899 28.82/0.786 27.64/0.740 26.62/0.802 30.95/0.914
MR-SRGAN   31.53/0.884 28.28/0.771 27.30/0.725 25.79/0.774 29.82/0.895
EnhanceNet 28.90/0.818 26.04/0.685 25.19/0.634 23.60/0.691 26.71/0.827
WP-SRGAN   29.06/0.834 26.01/0.703 24.38/0.642 23.74/0.700 26.62/0.836
Bi-GANs-ST 29.54/0.840 26.01/0.706 24.54/0.651 23.90/0.703 26.84/0.839
"""
TABLE_4 = """
EDSR       5.944/6.51 5.256/10.92 5.263/12.38 4.981/14.52 4.714/8.63
EnhanceNet 3.141/9.94 3.009/14.82 2.979/16.14 3.401/19.49 3.259/13.19
MR-SRGAN   5.304/7.44 4.703/11.41 4.995/12.72 4.466/15.64 4.164/9.57
WP-SRGAN   3.317/9.80 2.824/14.46 2.226/18.19 3.260/19.04 3.195/13.32
Bi-GANs-ST 3.531/9.14 2.869/14.22 2.375/17.56 3.272/18.75 3.216/12.97
"""
SETS = ["Set5", "Set14", "BSD100", "Urban100", "Manga109"]


@pytest.mark.parametrize(
    ("text", "table"), [(TABLE_3, published.TABLE_3), (TABLE_4, published.TABLE_4)]
)
def test_tables_3_and_4(text: str, table) -> None:
    rows = [line.split() for line in text.strip().splitlines()]
    assert list(table) == [row[0] for row in rows]
    for method, *cells in rows:
        assert list(table[method]) == SETS
        for name, cell in zip(SETS, cells, strict=True):
            assert tuple(table[method][name]) == tuple(map(float, cell.split("/")))


def test_table_1() -> None:
    assert list(map(tuple, published.STAGES.values())) == [(5.2002, 14.385), (2.0815, 16.2813)]
    assert [("first" in name, "second" in name) for name in published.STAGES] == [
        (True, False),
        (False, True),
    ]


def test_table_2() -> None:
    assert {name: tuple(figures) for name, figures in published.MODELS.items()} == {
        "MR-SRGAN": (4.404, 11.36),
        "WP-SRGAN": (2.082, 16.28),
        "Bi-GANs-ST": (2.139, 15.77),
    }


def test_names_of_the_numbers() -> None:
    assert published.TABLE_3["EDSR"]["Set5"].psnr == 32.53
    assert published.TABLE_3["EDSR"]["Set5"].ssim == 0.899
    assert published.MODELS["WP-SRGAN"].perceptual_index == 2.082
    assert published.MODELS["WP-SRGAN"].rmse == 16.28


def test_the_remark_on_bicubic() -> None:
    """Its differences are those between its figures and the row of the table."""
    usual = [float(text) for text in re.findall(r"\d\d\.\d\d", published.BICUBIC_REMARK)]
    assert usual == [28.42, 25.99, 25.96]
    under = [float(text) for text in re.findall(r"\b\d\.\d\b", published.BICUBIC_REMARK)]
    row = [published.TABLE_3["Bicubic"][name].psnr for name in SETS[:3]]
    np.testing.assert_allclose(np.subtract(usual, row), under, atol=0.05)
    assert not any(math.isclose(a, b) for a, b in zip(usual, row, strict=True))


def test_the_models_on_a_set() -> None:
    name, models = published.models_on("BSD100")
    assert name == "BSD100" and list(models) == ["MR-SRGAN", "WP-SRGAN", "Bi-GANs-ST"]
    assert models["MR-SRGAN"] == (4.995, 12.72) and models["Bi-GANs-ST"] == (2.375, 17.56)
    for other in (published.PIRM, "val"):
        assert published.models_on(other) == ("PIRM", published.MODELS)
