import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from evaluation.perception_distortion.plot import REGIONS, PlanePoint, draw_plane, interpolated

CURVE = [
    PlanePoint("quantile", 1.0, 16.0, 2.0),
    PlanePoint("quantile", 0.0, 10.0, 5.0),
    PlanePoint("quantile", 0.5, 14.0, 3.0),
]
OTHERS = [
    PlanePoint("absolute", 4, 12.0, 4.5),
    PlanePoint("absolute", 8, 13.0, 4.0),
    PlanePoint("linear", 0.5, 12.5, 3.5),
]


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draws, and gives the axes that were saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *arguments: Any, **options: Any) -> None:
        figures.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)

    def run(points, marked=None, *, measure: str = "PI") -> Any:
        draw_plane(points, marked or {}, tmp_path / "plane_Set5", title="Set5", measure=measure)
        return figures[-1].axes[0]

    return run


def lines(axes: Any) -> dict[str, list[tuple[float, float]]]:
    return {
        line.get_label(): list(zip(*map(list, line.get_data()), strict=True)) for line in axes.lines
    }


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_both_files_are_pictures(draw, tmp_path) -> None:
    draw(CURVE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plane_Set5.png", "plane_Set5.svg"]
    with Image.open(tmp_path / "plane_Set5.png") as image:
        image.load()
        assert min(image.size) > 400
    root = ElementTree.parse(tmp_path / "plane_Set5.svg").getroot()
    assert root.tag.endswith("svg")


def test_a_name_with_a_dot(tmp_path: Path) -> None:
    draw_plane(CURVE, {}, tmp_path / "plane_a.b", title="", measure="PI")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plane_a.b.png", "plane_a.b.svg"]


def test_each_curve_goes_from_value_to_value(draw) -> None:
    axes = draw([*CURVE, *OTHERS])
    found = list(lines(axes).values())
    assert found[0] == [(10, 5), (14, 3), (16, 2)]
    assert found[1] == [(12, 4.5), (13, 4)]
    assert found[2] == [(12.5, 3.5)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("RMSE (grey levels)", "PI")
    assert axes.get_title() == "Set5"
    for value in ("0", "0.5", "1", "4", "8"):
        assert value in texts(axes)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(legend) == 3 and "ξ" in legend[0] and "α" in legend[2]


def test_a_curve_that_is_not_there_has_no_name(draw) -> None:
    axes = draw(CURVE)
    assert len(axes.get_legend().get_texts()) == 1


def test_the_papers_points(draw) -> None:
    axes = draw(CURVE)
    points = [point for one in lines(axes).values() for point in one]
    for place in ((11.36, 4.404), (16.28, 2.082), (15.77, 2.139)):
        assert place in points
    assert [t for t in texts(axes) if "paper" in t] == [
        f"{name} (paper, PIRM)" for name in ("MR-SRGAN", "WP-SRGAN", "Bi-GANs-ST")
    ]


def test_no_point_of_the_paper_beside_niqe(draw) -> None:
    axes = draw(CURVE, measure="NIQE")
    assert axes.get_ylabel() == "NIQE"
    assert len(axes.lines) == 1 and not any("paper" in text for text in texts(axes))


def test_marked_places(draw) -> None:
    axes = draw(CURVE, {"ξ = 0.73": (15.0, 2.5)})
    assert lines(axes)["ξ = 0.73"] == [(15.0, 2.5)]
    assert "ξ = 0.73" in [text.get_text() for text in axes.get_legend().get_texts()]


def spans(axes: Any) -> list[tuple[float, float]]:
    boxes = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    return [(round(box.x0, 6), round(box.x1, 6)) for box in boxes]


def test_the_regions(draw) -> None:
    """Of PIRM-SR 2018: RMSE up to 11.5, 12.5 and 16 grey levels."""
    assert REGIONS == ((0, 11.5), (11.5, 12.5), (12.5, 16))
    axes = draw(CURVE)
    low, high = axes.get_xlim()
    assert low < 10 and high > 16
    assert spans(axes) == [(round(low, 6), 11.5), (11.5, 12.5), (12.5, 16.0)]
    assert [t for t in texts(axes) if "Region" in t] == ["Region 1", "Region 2", "Region 3"]
    assert len({to_hex(patch.get_facecolor()) for patch in axes.patches}) == 3


def test_regions_out_of_sight_are_not_shaded(draw) -> None:
    points = [PlanePoint("quantile", 0, 17.0, 3), PlanePoint("quantile", 1, 19.0, 2)]
    axes = draw(points, measure="NIQE")
    assert spans(axes) == [] and "Region 3" not in texts(axes)
    low, high = axes.get_xlim()
    assert low > 16 and high < 20


def test_between_the_places() -> None:
    assert interpolated([*CURVE, *OTHERS], 0.5) == pytest.approx((14, 3))
    rmse, perception = interpolated([*CURVE, *OTHERS], 0.25)
    assert rmse == pytest.approx(math.sqrt((100 + 196) / 2)) and perception == pytest.approx(4)
    assert interpolated(CURVE, 1.0) == pytest.approx((16, 2))
