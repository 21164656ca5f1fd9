"""Who has its turn when, without real work."""

import pytest

from benchmarks.timing import interleaved


def test_all_have_their_turn_in_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm-up rounds do not count."""
    clock, order = [0.0], []
    monkeypatch.setattr(interleaved.time, "perf_counter", lambda: clock[0])
    lasts = {"a": iter([50.0, 3.0, 1.0, 2.0]), "b": iter([50.0, 6.0, 4.0, 5.0])}

    def turn(name: str) -> None:
        order.append(name)
        clock[0] += next(lasts[name])

    calls = {name: lambda name=name: turn(name) for name in lasts}
    assert interleaved.medians(calls, 3, 1) == {"a": 2.0, "b": 5.0}
    assert order == ["a", "b"] * 4


def test_what_turns_measure_themselves() -> None:
    values = iter([3.0, 30.0, 1.0, 10.0, 2.0, 20.0])
    turns = dict.fromkeys("ab", lambda: next(values))
    assert interleaved.medians_of(turns, 3) == {"a": 2.0, "b": 20.0}
