"""Requests that a server merges: each gets its own images back, or a status."""

import concurrent.futures
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving.bare_session import ServingError
from benchmarks.serving.batching import Batching, BatchingParameters, read_parameters
from benchmarks.serving.stand_in_server import StandInServer
from bigans.models.server.calls import Server
from bigans.models.server.connection import connect
from tests.test_bigans.serving.test_in_a_session import noise

# Long enough for all requests of a test to come, and never waited for when batches are full.
PATIENT = 20_000_000
INVALID, PRECONDITION, UNAVAILABLE = 3, 9, 14


def at_once(batching, session, requests) -> list:
    """What each request gets: its outputs, or its error."""

    def ask(request):
        signature, inputs = request
        try:
            return batching.run(session, signature, inputs)
        except ServingError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(ask, requests))


def test_each_request_gets_its_own_images(session) -> None:
    images = [noise(20, 30, seed=seed) for seed in range(6)]
    requests = [
        ("serving_default", {"image": image, "xi": np.array([0.1 * number], np.float32)})
        for number, image in enumerate(images)
    ]
    parameters = BatchingParameters(3, PATIENT)
    with Batching(parameters) as batching:
        answers = at_once(batching, session, requests)
    assert batching.sizes == [3, 3]
    for (signature, inputs), answer in zip(requests, answers, strict=True):
        alone = session.run(signature, **inputs)["sr"]
        assert np.abs(answer["sr"].astype(int) - alone).max() <= 1


def test_requests_of_unequal_length_share_a_batch(session) -> None:
    one, two = noise(9, 12, seed=1), np.concatenate([noise(9, 12, seed=2), noise(9, 12, seed=3)])
    requests = [("image_only", {"image": one}), ("image_only", {"image": two})]
    with Batching(BatchingParameters(3, PATIENT)) as batching:
        answers = at_once(batching, session, requests)
    assert batching.sizes == [3]
    assert [len(answer["sr"]) for answer in answers] == [1, 2]
    np.testing.assert_array_equal(answers[1]["sr"], session.run("image_only", image=two)["sr"])


def test_a_batch_that_is_not_full_goes_after_its_timeout(session) -> None:
    with Batching(BatchingParameters(8, 50_000)) as batching:
        batching.run(session, "image_only", {"image": noise(8, 8)})
    assert batching.sizes == [1]


def test_signatures_are_not_mixed(session) -> None:
    image = noise(8, 8)
    requests = [("image_only", {"image": image}), ("unrounded", {"image": image})]
    with Batching(BatchingParameters(2, 50_000)) as batching:
        rounded, unrounded = at_once(batching, session, requests)
    assert sorted(batching.sizes) == [1, 1]
    assert rounded["sr"].dtype == np.uint8 and unrounded["sr"].dtype == np.float32


def test_images_of_other_sizes_fail_together(session) -> None:
    requests = [("image_only", {"image": noise(8, size)}) for size in (8, 9)]
    with Batching(BatchingParameters(2, PATIENT)) as batching:
        answers = at_once(batching, session, requests)
    for answer in answers:
        assert answer.code == PRECONDITION and "different shapes" in answer.words


def test_a_bad_request_fails_its_batch(session) -> None:
    """Why merging is not switched on: somebody else's ξ, and a number that is not one's own."""
    image, good, bad = noise(8, 8), np.array([0.5], np.float32), np.array([2], np.float32)
    requests = [("serving_default", {"image": image, "xi": xi}) for xi in (good, bad)]
    with Batching(BatchingParameters(2, PATIENT)) as batching:
        answers = at_once(batching, session, requests)
    for answer in answers:
        assert answer.code == INVALID and "xi" in answer.words


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"image": np.zeros((5, 8, 8, 3), np.uint8)}, "larger than maximum input batch size 4"),
        ({"image": np.zeros((2, 8, 8, 3), np.uint8)}, "equal 0th-dimension size"),
        ({"image": np.zeros((1, 8, 8, 3), np.uint8), "xi": np.float32(0.5)}, "at least one dim"),
    ],
)
def test_what_cannot_be_merged(session, inputs, words: str) -> None:
    if len(inputs["image"]) == 5:
        inputs = {**inputs, "xi": np.full(5, 0.5, np.float32)}
        inputs["max_deviation"] = np.full(5, -1, np.float32)
    with (
        Batching(BatchingParameters()) as batching,
        pytest.raises(ServingError, match=words) as caught,
    ):
        batching.run(session, "serving_default", inputs)
    assert caught.value.code == INVALID and batching.sizes == []


def test_a_full_queue_is_unavailable(session) -> None:
    parameters = BatchingParameters(1, 0, num_batch_threads=0, max_enqueued_batches=2)
    batching = Batching(parameters)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        image = noise(8, 8)
        waiting = [
            pool.submit(batching.run, session, "image_only", {"image": image}) for _ in range(2)
        ]
        while len(batching._waiting) < 2:
            pass
        with pytest.raises(ServingError) as caught:
            batching.run(session, "image_only", {"image": image})
        assert caught.value.code == UNAVAILABLE
        while (batch := batching._waiting.popleft() if batching._waiting else None) is not None:
            batch.run()
        assert all(one.result()["sr"].shape == (1, 32, 32, 3) for one in waiting)


def test_through_a_server(session) -> None:
    images = [noise(16, 16, seed=seed) for seed in range(4)]
    with (
        Batching(BatchingParameters(2, PATIENT)) as batching,
        StandInServer({1: session}, batching=batching) as server,
        connect(Server(server.grpc_address)) as calls,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        found = list(pool.map(lambda one: calls.predict("image_only", {"image": one}), images))
    assert batching.sizes == [2, 2]
    for image, answer in zip(images, found, strict=True):
        alone = session.run("image_only", image=image)["sr"]
        assert np.abs(answer["sr"].astype(int) - alone).max() <= 1


def test_the_file_of_parameters(tmp_path: Path) -> None:
    assert read_parameters(Path("configs/serving/batching.config")) == BatchingParameters()
    path = tmp_path / "batching.config"
    path.write_text("# max_batch_size { value: 9 }\nmax_batch_size { value: 16 }\n")
    assert read_parameters(path) == BatchingParameters(max_batch_size=16)
    path.write_text("max_batch_sizes { value: 16 }\n")
    with pytest.raises(TypeError, match="max_batch_sizes"):
        read_parameters(path)
