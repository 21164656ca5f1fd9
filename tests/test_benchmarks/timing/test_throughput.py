"""The benchmark of many files: its arithmetic, and a run with a toy model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing import throughput
from benchmarks.timing.throughput import (
    DECODE,
    DEEP,
    ENCODE,
    GRAPH,
    PIPELINE,
    table,
    write_photos,
)
from sr_images.image_io import read_rgb
from sr_images.pictures_in import read_picture


@pytest.mark.parametrize(
    ("pipeline", "row"),
    [
        (8.8, "| files to files | 2.2000 | 1.100 | ≤ 1.10 | met |"),
        (8.9, "| files to files | 2.2250 | 1.113 | ≤ 1.10 | missed |"),
        (6.0, "| files to files | 1.5000 | 0.750 | ≤ 1.10 | met |"),
    ],
)
def test_the_table_by_hand(pipeline: float, row: str) -> None:
    seconds = {GRAPH: 8.0, PIPELINE: pipeline, DEEP: 10.0, DECODE: 0.2, ENCODE: 1.0}
    deep = 10 / pipeline
    verdict = "met" if deep <= 1.15 else "missed"
    lines = table(seconds, photos=4)
    assert lines[2:] == [
        "| graph alone | 2.0000 | 1.000 |  |  |",
        row,
        "| files to files, 16 bits | 2.5000 | 1.250 "
        f"| {deep:.3f} ≤ 1.15 of files to files | {verdict} |",
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
    assert len({path for task in tasks for path in task[:2]}) == 4
    deep = write_photos(tmp_path, count=1, side=32, bits=16)
    found = read_picture(deep[0].photo).pixels
    assert found.dtype == np.uint16
    assert np.abs(found / 257 - first).max() <= 1.01


def test_a_small_run(
    toy_generator: Path, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--photos=2", "--side=8", "--repetitions=1", f"--model={toy_generator}"]
    assert call_program(throughput.cli_main, *flags) == 0
    said = capsys.readouterr().out.splitlines()
    assert "tensorflow; 2 photos of 8x8; medians of 1 interleaved rounds" in said[0]
    assert [line.split(" | ")[0] for line in said[4:]] == [
        "| graph alone", "| files to files", "| files to files, 16 bits", "| decoding", "| encoding"
    ]  # fmt: skip


@pytest.mark.parametrize("flag", ["--photos=0", "--side=0", "--repetitions=0", "--runtime=abacus"])
def test_wrong_flags(
    flag: str, call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_program(throughput.cli_main, flag) == 2
    assert flag.split("=")[0].strip("-") in capsys.readouterr().err


@pytest.fixture(scope="module")
def toy_generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every pixel repeated 4x4."""
    import tensorflow as tf

    module = tf.Module()
    shape = [None, None, None, 3]
    spec = tf.TensorSpec(shape, tf.float32, name="levels")  # pyright: ignore

    def from_levels(levels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sr": tf.repeat(tf.repeat(levels, 4, axis=1), 4, axis=2)}

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sr": tf.cast(from_levels(tf.cast(image, tf.float32))["sr"], tf.uint8)}

    pixels = tf.TensorSpec(shape, tf.uint8, name="image")  # pyright: ignore
    module.serve = tf.function(serve, input_signature=[pixels])  # pyright: ignore
    module.levels = tf.function(from_levels, input_signature=[spec])  # pyright: ignore
    directory = tmp_path_factory.mktemp("generator") / "1"
    signatures = {"serving_default": module.serve, "from_levels": module.levels}  # pyright: ignore
    tf.saved_model.save(module, str(directory), signatures=signatures)  # pyright: ignore
    return directory
