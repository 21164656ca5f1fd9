"""The simulation keeps to what can be said without one."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.batch.simulation import Simulation, World

_CALM = World(
    workers=20,
    photos=2_000,
    photo=10.0,
    spread=0.0,
    straggler_share=0.0,
    loss_mean=float("inf"),
    load=0.0,
    request=0.0,
    store_rate=1e9,
    driver=0.0,
)


def test_calm_workers_do_what_they_can() -> None:
    told = Simulation(_CALM).run()
    assert told.seconds == pytest.approx(2_000 * 10 / 20, rel=1e-3)
    assert told.efficiency == pytest.approx(1, rel=1e-3)
    assert told.twice == 0


@pytest.mark.parametrize(
    ("change", "most"),
    [({"store_rate": 3.0}, 3.0 / 3), ({"driver": 2.0}, 1 / 2.0)],
)
def test_what_serves_all_bounds_the_rate(change: dict[str, float], most: float) -> None:
    told = Simulation(dataclasses.replace(_CALM, **change)).run()  # pyright: ignore
    assert 0.9 * most < told.per_second < 1.01 * most
    assert max(told.store_busy, told.driver_busy) > 0.95


def test_losses_cost_what_was_in_hand_and_the_time_of_others() -> None:
    world = dataclasses.replace(_CALM, loss_mean=200.0, replacement=100.0, load=5.0)
    told = Simulation(world).run()
    lost = told.seconds * 20 / (200 + 105)  # each worker lives 200 s, and is away 105
    assert told.twice == pytest.approx(3 * lost, rel=0.25)
    assert told.efficiency == pytest.approx(200 / 305, rel=0.15)
    assert told == Simulation(world).run()


def test_stragglers_show_at_the_end() -> None:
    world = dataclasses.replace(_CALM, straggler_share=0.1, straggler_factor=20.0, photos=400)
    assert Simulation(world, seed=1).run().tail > Simulation(_CALM, seed=1).run().tail
