"""Shares items out to the workers of an engine, and hands them out again when one is lost."""

from __future__ import annotations

import collections
import dataclasses
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

from sr_program.engines.engine import Engine, WorkerLost

# After so many workers were killed that had an item in hand, the item is to blame.
TRIES = 4

# How often it is looked whether there is room again, seconds.
_LOOK = 0.5


@dataclasses.dataclass(frozen=True)
class Answer:
    """What became of an item.

    Attributes:
        item: As it was given.
        result: What the function gave back; None if every worker was lost.
        losses: Workers that were killed while they had it in hand.
    """

    item: Any
    result: Any
    losses: int

    @property
    def is_lost(self) -> bool:
        """Whether the item is given up."""
        return self.losses >= TRIES


@dataclasses.dataclass
class _Call:
    item: Any
    losses: int = 0


def answers(engine: Engine, items: Iterable[Any]) -> Iterator[Answer]:
    """Has the function called for each item, in any order; as many as there is room for at once.

    An item that kills its worker, for it takes all memory perhaps, takes others with it. From their
    second loss on, items are therefore tried one at a time.

    Args:
        engine: Open.
        items: Taken from when there is room, and not before.

    Raises:
        Exception: What the function, or what makes it, raised.
    """
    coming = iter(items)
    again: collections.deque[_Call] = collections.deque()
    suspects: collections.deque[_Call] = collections.deque()
    in_hand: dict[Future[Any], _Call] = {}
    ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def chosen() -> _Call | None:
        if suspects and not any(call.losses > 1 for call in in_hand.values()):
            return suspects.popleft()
        if again:
            return again.popleft()
        for item in coming:
            return _Call(item)
        return None

    def fill() -> None:
        room = engine.room()
        while len(in_hand) < room and (call := chosen()) is not None:
            future = engine.submit(call.item)
            in_hand[future] = call
            future.add_done_callback(ended.put)

    while True:
        fill()
        if not in_hand and not again and not suspects:
            # Either nothing is left, or no worker is there yet.
            call = chosen()
            if call is None:
                return
            again.append(call)
        try:
            future = ended.get(timeout=_LOOK)
        except queue.Empty:
            continue
        call = in_hand.pop(future)
        try:
            yield Answer(call.item, future.result(), call.losses)
        except WorkerLost:
            call.losses += 1
            if call.losses >= TRIES:
                yield Answer(call.item, None, call.losses)
            else:
                (suspects if call.losses > 1 else again).append(call)
