"""Damaged files end in a picture or in one line; and the study notices what does not."""

from benchmarks.studies.fuzz_pictures import Outcome, fuzz


def test_damaged_files_of_every_format() -> None:
    outcomes = list(fuzz(first=0, count=600))
    assert [outcome.number for outcome in outcomes] == list(range(600))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert {outcome.result for outcome in outcomes} == {"picture", "refused"}


def test_what_is_wrong_is_told() -> None:
    assert Outcome(1, "png", "picture", 1.0, 10**8).problem is None
    assert Outcome(1, "png", "ValueError", 1.0, 10**8).problem == "1 (png): ValueError"
    assert Outcome(1, "png", "picture", 6.0, 10**8).problem == "1 (png): took 6.0 s"
    assert Outcome(1, "png", "picture", 1.0, 2 * 10**9).problem == "1 (png): took 2000 MB"
