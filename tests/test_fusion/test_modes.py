import pytest

from fusion.modes import TowerFacts


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            TowerFacts("luma", "as_printed", 60),
            {"threshold": "luma", "delta": "as_printed", "receptive_field": "60"},
        ),
        (TowerFacts("joint"), {"threshold": "joint", "delta": "as_read"}),
        (TowerFacts(receptive_field=3), {"delta": "as_read", "receptive_field": "3"}),
    ],
)
def test_facts_as_text(facts: TowerFacts, text: dict[str, str]) -> None:
    assert facts.as_text() == text
    assert TowerFacts.from_text(text) == facts


@pytest.mark.parametrize(
    "text",
    [{}, {"delta": "odd"}, {"delta": "as_read", "threshold": "odd"}, {"threshold": "joint"}],
)
def test_facts_of_another_program(text: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="unknown threshold"):
        TowerFacts.from_text(text)
