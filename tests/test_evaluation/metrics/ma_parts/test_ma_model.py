from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from evaluation.metrics.ma_parts.ma_model import load_model
from sr_program.errors import DataError

LINEAR = [0.5, 1.0, 2.0, 4.0]


def tree(feature, split, low, high):
    """A forest of two equal trees: a feature is at most a value? low, else high."""
    room = [[0, 0]] * 3  # nodes that are allocated and not used
    return {
        "lDau": np.array([[2, 2], [0, 0], [0, 0], *room], np.int32),
        "rDau": np.array([[3, 3], [0, 0], [0, 0], *room], np.int32),
        "nodestatus": np.array(["\ufffd\ufffd"] * 6),
        "upper": np.array([[split, split], [0, 0], [0, 0], *room], float),
        "avnode": np.array([[9, 9], [low, low], [high, high], *room], float),
        "mbest": np.array([[feature, feature], [0, 0], [0, 0], *room], np.int32),
        "ndtree": np.array([[3], [3]], np.int32),
        "coef": np.zeros((2, 1)),
    }


def structure(shape=(3, 1), **changes):
    forests = np.empty(shape, object)
    forests.flat[0] = tree(18, 0.25, 1, 2)
    forests.flat[1] = tree(45, 0.5, 10, 20)
    forests.flat[2] = {**tree(75, 0.75, 100, 200), **changes}
    return {"rf": forests, "linear": np.array(LINEAR)[:, np.newaxis]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a model.mat"


def features(*last):
    """Features that are 0 but for the last one of each group."""
    values = np.zeros(138)
    values[[17, 62, 137]] = last
    return values


@pytest.mark.parametrize("shape", [(3, 1), (1, 3)])
@pytest.mark.parametrize("compressed", [False, True])
def test_by_hand(path, shape, compressed):
    content = {"model": structure(shape), "other": 1}
    scipy.io.savemat(path, content, do_compression=compressed)
    model = load_model(path)
    assert model.predictions(features(0.25, 0.5, 0.75)).tolist() == [1, 10, 100]
    assert model.score(features(0.25, 0.5, 0.75)) == 0.5 + 1 + 2 * 10 + 4 * 100
    assert model.score(features(0.3, 0.5, 0.75)) == 0.5 + 2 + 2 * 10 + 4 * 100
    assert model.score(features(0.25, 0.6, 0.8)) == 0.5 + 1 + 2 * 20 + 4 * 200


def test_bias_correction(path):
    scipy.io.savemat(path, {"model": structure(coef=np.array([[3.0], [0.5]]))})
    assert load_model(path).predictions(features(0, 0, 0)).tolist() == [1, 10, 3 + 0.5 * 100]


def complaint(path):
    with pytest.raises(DataError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    assert message.endswith("name model.mat of their repository sr-metric")
    return message


def test_files_that_cannot_be_read(path):
    assert "No such file" in complaint(path)
    path.mkdir()
    assert "directory" in complaint(path)
    path.rmdir()
    for content in (b"", b"forests\n" * 100, b"\x00" * 1000):
        path.write_bytes(content)
        complaint(path)
    with h5py.File(path, "w") as file:  # MATLAB's version 7.3
        file["model"] = 1
    complaint(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_files(path, compressed):
    scipy.io.savemat(path, {"model": structure()}, do_compression=compressed)
    whole = path.read_bytes()
    for length in (50, 127, 130, 200, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        complaint(path)


def test_other_contents(path):
    def saved(**content):
        scipy.io.savemat(path, content)
        return complaint(path)

    assert "no variable 'model'" in saved(mu_prisparam=np.zeros(36))
    saved(model=np.zeros(4))
    saved(model={"linear": np.zeros(4)})
    assert "linear" in saved(model={**structure(), "linear": np.zeros(3)})
    assert "linear" in saved(model={**structure(), "linear": np.full(4, np.nan)})
    assert "3 forests, is 2" in saved(model=structure() | {"rf": structure()["rf"][:2]})
    assert "behind its mother" in saved(model=structure(lDau=np.ones((6, 2), np.int32)))
    assert "1 to 75" in saved(model=structure(mbest=np.full((6, 2), 76, np.int32)))
    saved(model=structure(upper="text"))
    saved(model=structure(coef=np.zeros(3)))
    incomplete = structure()
    del incomplete["rf"][1, 0]["avnode"]
    assert "avnode" in saved(model=incomplete)
