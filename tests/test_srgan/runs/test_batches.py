import threading

import pytest

from sr_program.errors import DataError
from srgan.runs.batches import BatchReader


class Calls:
    """Stands for a PatchDataset; a batch is its epoch, its index and the thread that made it."""

    epoch = 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int):
        return self.epoch, index, threading.current_thread()


@pytest.mark.parametrize(("first", "last"), [(0, 9), (3, 6), (4, 5)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_batches_by_epoch_and_index(first, last, count):
    found = []
    with BatchReader(Calls(), first, last) as reader:  # pyright: ignore[reportArgumentType]
        while len(found) < last - first:
            found += reader.take(min(count, last - first - len(found)))
    assert [(epoch, index) for epoch, index, _ in found] == [
        divmod(step, 4) for step in range(first, last)
    ]
    assert all(thread is not threading.current_thread() for *_, thread in found)


def test_the_next_batches_are_cut_meanwhile():
    cut = threading.Semaphore(0)

    class Noted(Calls):
        def __getitem__(self, index):
            cut.release()
            return super().__getitem__(index)

    with BatchReader(Noted(), 0, 9) as reader:  # pyright: ignore[reportArgumentType]
        assert cut.acquire(timeout=10)  # before anyone asks
        reader.take(2)
        for _ in range(3):
            assert cut.acquire(timeout=10)
        assert not cut.acquire(timeout=0.1)


def test_a_batch_that_cannot_be_cut_ends_the_run():
    class Broken(Calls):
        def __getitem__(self, index):
            if index == 2:
                raise DataError("photo.png: is damaged")
            return super().__getitem__(index)

    with BatchReader(Broken(), 0, 4) as reader:  # pyright: ignore[reportArgumentType]
        assert [batch[:2] for batch in reader.take(2)] == [(0, 0), (0, 1)]
        with pytest.raises(DataError, match=r"photo\.png"):
            reader.take(1)


def test_the_share_of_waiting():
    release = threading.Event()

    class Slow(Calls):
        def __getitem__(self, index):
            if index == 1:
                release.wait(10)
            return super().__getitem__(index)

    with BatchReader(Slow(), 0, 2) as reader:  # pyright: ignore[reportArgumentType]
        assert reader.waiting_share == 0
        reader.take(1)
        threading.Timer(0.5, release.set).start()
        reader.take(1)
        assert 0.3 < reader.waiting_share <= 1
