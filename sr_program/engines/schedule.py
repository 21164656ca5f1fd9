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
    yield from _Schedule(engine, items).answers()


class _Schedule:
    """The items that are in hand, and those that have to be handed out again."""

    def __init__(self, engine: Engine, items: Iterable[Any]) -> None:
        self._engine, self._coming = engine, iter(items)
        self._again: collections.deque[_Call] = collections.deque()
        self._suspects: collections.deque[_Call] = collections.deque()
        self._in_hand: dict[Future[Any], _Call] = {}
        self._ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def answers(self) -> Iterator[Answer]:
        while self._fill():
            try:
                future = self._ended.get(timeout=_LOOK)
            except queue.Empty:
                continue
            call = self._in_hand.pop(future)
            try:
                yield Answer(call.item, future.result(), call.losses)
            except WorkerLost:
                call.losses += 1
                if call.losses >= TRIES:
                    yield Answer(call.item, None, call.losses)
                else:
                    (self._suspects if call.losses > 1 else self._again).append(call)

    def _fill(self) -> bool:
        """Hands out what there is room for; returns whether anything is left to wait for."""
        room = self._engine.room()
        while len(self._in_hand) < room and (call := self._chosen()) is not None:
            future = self._engine.submit(call.item)
            self._in_hand[future] = call
            future.add_done_callback(self._ended.put)
        if self._in_hand:
            return True
        # Either nothing is left, or no worker is there yet.
        call = self._chosen()
        if call is not None:
            self._again.append(call)
        return call is not None

    def _chosen(self) -> _Call | None:
        if self._suspects and not any(call.losses > 1 for call in self._in_hand.values()):
            return self._suspects.popleft()
        if self._again:
            return self._again.popleft()
        for item in self._coming:
            return _Call(item)
        return None
