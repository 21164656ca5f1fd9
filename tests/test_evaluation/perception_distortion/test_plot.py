import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from evaluation.perception_distortion.plot import (
    REGIONS,
    PaperPoints,
    PlanePoint,
    draw_plane,
    on_curve,
)
from evaluation.reports.published import Perception

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
MODELS = {"MR-SRGAN": Perception(4.0, 11.0), "WP-SRGAN": Perception(2.5, 17.5)}
PAPER = PaperPoints("Set5", MODELS)


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draws, and gives what was saved: the whole plane and the enlarged curves."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *arguments: Any, **options: Any) -> None:
        figures.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)

    def run(points, marked=None, *, measure: str = "PI") -> Any:
        path = tmp_path / "plane_Set5"
        draw_plane(points, marked or {}, PAPER, path, title="Set5", measure=measure)
        return figures[-1].axes

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


def legend(axes: Any) -> list[str]:
    [found] = axes.figure.legends
    return [text.get_text() for text in found.get_texts()]


def test_a_name_with_a_dot(tmp_path: Path) -> None:
    draw_plane(CURVE, {}, PAPER, tmp_path / "plane_a.b", title="", measure="PI")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plane_a.b.png", "plane_a.b.svg"]


def test_each_curve_goes_from_value_to_value(draw) -> None:
    whole, near = draw([*CURVE, *OTHERS])
    for axes in (whole, near):
        found = list(lines(axes).values())
        assert found[0] == [(10, 5), (14, 3), (16, 2)]
        assert found[1] == [(12, 4.5), (13, 4)]
        assert found[2] == [(12.5, 3.5)]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("RMSE (grey levels)", "PI")
    assert whole.figure.get_suptitle() == "Set5"
    for value in ("0", "0.5", "1", "4", "8"):
        assert value in texts(near)
    assert len(legend(near)) == 5 and "ξ" in legend(near)[0] and "α" in legend(near)[2]


def test_a_curve_that_is_not_there_has_no_name(draw) -> None:
    whole, _ = draw(CURVE)
    assert len(legend(whole)) == 1 + len(MODELS)


def test_the_enlarged_part_shows_our_curves_alone(draw) -> None:
    whole, near = draw(CURVE)
    assert len(near.lines) == 1
    low, high = near.get_xlim()
    assert 9 < low < 10 and 16 < high < 17
    low, high = whole.get_xlim()
    assert low < 10 and high > 17.5  # WP-SRGAN of the paper


def test_labels_do_not_lie_upon_each_other(draw) -> None:
    """Of places that nearly coincide one is labelled; the ends of the curve always are."""
    crowd = [PlanePoint("quantile", n / 100, 10 + n / 1000, 5 - n / 1000) for n in range(1, 100)]
    _, near = draw([*crowd, *CURVE])
    renderer = near.figure.canvas.get_renderer()
    labels = [text for text in near.texts if "Region" not in text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in labels]
    assert {"0", "0.5", "1"} <= set(texts(near))
    assert len(boxes) < 20
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_the_papers_points(draw) -> None:
    whole, near = draw(CURVE)
    found = lines(whole)
    for name, place in (("MR-SRGAN", (11.0, 4.0)), ("WP-SRGAN", (17.5, 2.5))):
        assert found[f"{name} (paper, Set5)"] == [place]
        assert f"{name} (paper, Set5)" in legend(near)


def test_of_the_paper_the_rmse_alone_beside_niqe(draw) -> None:
    """It publishes no NIQE: a line through all of them."""
    whole, near = draw(CURVE, measure="NIQE")
    assert whole.get_ylabel() == near.get_ylabel() == "NIQE"
    assert len(near.lines) == 1
    [_, first, second] = whole.lines
    for line, rmse in ((first, 11.0), (second, 17.5)):
        assert list(line.get_xdata()) == [rmse, rmse]
        assert "paper" in line.get_label() and "RMSE" in line.get_label()


def test_marked_places(draw) -> None:
    for axes in draw(CURVE, {"ξ = 0.73": (15.0, 2.5)}):
        assert lines(axes)["ξ = 0.73"] == [(15.0, 2.5)]
        assert "ξ = 0.73" in legend(axes)


def spans(axes: Any) -> list[tuple[float, float]]:
    boxes = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    return [(round(box.x0, 6), round(box.x1, 6)) for box in boxes]


def regions(axes: Any) -> list[str]:
    return [" ".join(text.split()) for text in texts(axes) if "Region" in text]


def test_the_regions(draw) -> None:
    """Of PIRM-SR 2018: RMSE up to 11.5, 12.5 and 16 grey levels."""
    assert REGIONS == ((0, 11.5), (11.5, 12.5), (12.5, 16))
    for axes in draw(CURVE):
        low, high = axes.get_xlim()
        assert low < 10 and high > 16
        assert spans(axes) == [(round(low, 6), 11.5), (11.5, 12.5), (12.5, 16.0)]
        assert regions(axes) == ["Region 1", "Region 2", "Region 3"]
        assert len({to_hex(patch.get_facecolor()) for patch in axes.patches}) == 3


@pytest.mark.parametrize("rmse", [6.0, 14.0, 19.0])
def test_the_whole_plane_has_all_regions(draw, rmse) -> None:
    points = [PlanePoint("quantile", 0, rmse, 3), PlanePoint("quantile", 1, rmse + 0.3, 2)]
    whole, near = draw(points, measure="NIQE")
    assert len(spans(whole)) == 3
    low, high = near.get_xlim()
    assert rmse - 0.1 < low and high < rmse + 0.4
    seen = [region for region in REGIONS if region[0] < rmse < region[1]]
    assert len(spans(near)) == len(regions(near)) == len(seen)


def test_a_region_without_room_for_its_name_is_shaded_all_the_same(draw) -> None:
    points = [PlanePoint("quantile", 0, 12.502, 3), PlanePoint("quantile", 1, 12.9, 2)]
    _, near = draw(points)
    assert len(spans(near)) == 2 and regions(near) == ["Region 3"]


def test_on_the_curve() -> None:
    """The RMSE is known; the perception lies on the straight line that is drawn."""
    everything = [*CURVE, *OTHERS]
    assert on_curve(everything, 0.5, 14.0) == (14, 3)
    assert on_curve(CURVE, 1.0, 15.9) == (16, 2)  # measured at this very ξ
    assert on_curve(CURVE, 0.0, 10.0) == (10, 5)
    assert on_curve(everything, 0.3, 11.0) == pytest.approx((11, 4.5))
    assert on_curve(everything, 0.9, 15.5) == pytest.approx((15.5, 2.25))


def test_on_a_curve_that_does_not_move() -> None:
    still = [PlanePoint("quantile", xi, 10.0, 5 - xi) for xi in (0.0, 1.0)]
    assert on_curve(still, 0.25, 10.0) == pytest.approx((10, 4.75))


def test_beyond_the_places_of_a_sweep() -> None:
    """A sweep need not go from 0 to 1, and the curve may turn back: never past its places."""
    part = [PlanePoint("quantile", 0.5, 14.0, 3.0), PlanePoint("quantile", 0.6, 15.0, 2.0)]
    assert on_curve(part, 0.9, 15.5) == (15.5, 2)
    assert on_curve(part, 0.1, 13.0) == (13, 3)
