"""The benchmark of many files: its arithmetic, and a run with a toy model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.timing import throughput
from benchmarks.timing.throughput import DECODE, ENCODE, GRAPH, PIPELINE, table, write_photos
from sr_images.image_io import read_rgb


@pytest.mark.parametrize(
    ("pipeline", "row"),
    [
        (8.8, "| files to files | 2.2000 | 1.100 | ≤ 1.10 | met |"),
        (8.9, "| files to files | 2.2250 | 1.113 | ≤ 1.10 | missed |"),
        (6.0, "| files to files | 1.5000 | 0.750 | ≤ 1.10 | met |"),
    ],
)
def test_the_table_by_hand(pipeline: float, row: str) -> None:
    seconds = {GRAPH: 8.0, PIPELINE: pipeline, DECODE: 0.2, ENCODE: 1.0}
    lines = table(seconds, photos=4)
    assert lines[2:] == [
        "| graph alone | 2.0000 | 1.000 |  |  |",
        row,
        "| decoding | 0.0500 | 0.025 |  |  |",
        "| encoding | 0.2500 | 0.125 |  |  |",
    ]
    assert {line.count("|") for line in lines} == {6}


def test_the_photos(tmp_path: Path) -> None:
    tasks = write_photos(tmp_path, count=2, side=32)
    first, second = (read_rgb(task.photo) for task in tasks)
    assert first.shape == second.shape == (32, 32, 3)
    assert (first != second).mean() > 0.5
    assert first[:4].mean() + 50 < first[-4:].mean()  # the gradient
    assert len({path for task in tasks for path in task}) == 4


def test_a_small_run(
    toy_tower: Path, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--photos=2", "--side=8", "--repetitions=1", f"--model={toy_tower}"]
    assert call_program(throughput.cli_main, *flags) == 0
    said = capsys.readouterr().out.splitlines()
    assert "tensorflow; 2 photos of 8x8; medians of 1 interleaved rounds" in said[0]
    assert [line.split(" | ")[0] for line in said[4:]] == [
        "| graph alone", "| files to files", "| decoding", "| encoding"
    ]  # fmt: skip


@pytest.mark.parametrize("flag", ["--photos=0", "--side=0", "--repetitions=0", "--runtime=abacus"])
def test_wrong_flags(
    flag: str, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_program(throughput.cli_main, flag) == 2
    assert flag.split("=")[0].strip("-") in capsys.readouterr().err


@pytest.fixture(scope="module")
def toy_tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every pixel repeated 4x4."""
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")  # pyright: ignore

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sr": tf.repeat(tf.repeat(image, 4, axis=1), 4, axis=2)}

    module.serve = tf.function(serve, input_signature=[spec])  # pyright: ignore
    directory = tmp_path_factory.mktemp("tower") / "1"
    tf.saved_model.save(module, str(directory), signatures=module.serve)  # pyright: ignore
    return directory
