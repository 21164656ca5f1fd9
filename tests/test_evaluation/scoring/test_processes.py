import os
import signal

import cv2
import numpy as np
import pytest

from evaluation.scoring.processes import default_workers, score, scoring_pool
from evaluation.scoring.protocol import Instruments, Scorer
from sr_program.errors import DataError


@pytest.fixture(scope="module")
def jobs(draw_photo) -> list[tuple]:
    hr = [draw_photo(104, 200, seed) for seed in range(4)]
    return [(image, draw_photo(26, 50, 9), np.roll(image, 1, 0), False) for image in hr]


def test_processes_find_what_this_one_finds(jobs, niqe_file) -> None:
    instruments = Instruments(niqe=niqe_file)
    scorer = Scorer(instruments)
    expected = [scorer(hr, lr, sr, is_gray=gray) for hr, lr, sr, gray in jobs]
    assert all(set(scores.values) == set(instruments.measures) for scores in expected)
    for workers in (0, 2):
        with scoring_pool(instruments, workers) as pool:
            futures = [pool.submit(score, *job) for job in jobs]
            assert [future.result() for future in futures] == expected


def test_a_gray_image_is_told_apart(jobs) -> None:
    hr, lr, sr, _ = jobs[0]
    with scoring_pool(Instruments(), 0) as pool:
        assert pool.submit(score, hr, lr, sr, True).result() == Scorer(Instruments())(
            hr, lr, sr, is_gray=True
        )


def test_an_error_arrives_with_the_result(jobs) -> None:
    with scoring_pool(Instruments(), 0) as pool:
        future = pool.submit(score, jobs[0][0].astype(float), *jobs[0][1:])
        with pytest.raises(ValueError, match="expected uint8"):
            future.result()


def test_a_process_uses_one_core_and_leaves_ctrl_c_to_its_parent(monkeypatch) -> None:
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with scoring_pool(Instruments(), 1) as pool:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            assert pool.submit(os.getenv, name).result() == "1"
        assert pool.submit(cv2.getNumThreads).result() == 1
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN
    assert os.environ["MKL_NUM_THREADS"] == "5" and "OMP_NUM_THREADS" not in os.environ


def test_a_process_that_is_killed() -> None:
    """By the system, for instance, when memory runs out."""
    with (
        pytest.raises(DataError, match="was killed, .*try fewer --workers"),
        scoring_pool(Instruments(), 1) as pool,
    ):
        pool.submit(os._exit, 1).result()


def test_what_waits_is_given_up_after_an_error(jobs) -> None:
    with pytest.raises(KeyboardInterrupt), scoring_pool(Instruments(), 1) as pool:
        futures = [pool.submit(score, *jobs[0]) for _ in range(200)]
        futures[0].result()
        raise KeyboardInterrupt
    assert any(future.cancelled() for future in futures)


def test_a_process_a_core() -> None:
    cores = os.cpu_count() or 1
    assert 1 <= default_workers() <= min(cores, 16)
