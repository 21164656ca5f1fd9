"""Winograd's convolution against the definition."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import correlate

from benchmarks.studies import winograd as module
from benchmarks.studies.winograd import DEFAULTS, MATRICES, report, transformed_kernel, winograd
from sr_program.errors import UsageError


@pytest.mark.parametrize("m", MATRICES)
def test_is_the_convolution(m):
    rng = np.random.default_rng(m)
    image = rng.normal(size=(1, 8, 12, 2)).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 2, 3)).astype(np.float32)
    padded = np.pad(image[0], [(1, 1), (1, 1), (0, 0)])
    expected = np.concatenate(
        [correlate(padded, kernel[..., k], mode="valid") for k in range(3)], axis=-1
    )
    found = np.array(winograd(image, transformed_kernel(kernel, m), m))
    assert found.shape == (1, 8, 12, 3)
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=2e-5)


def test_the_report(call_program, capsys):
    text = report(dataclasses.replace(DEFAULTS, sides="8", channels=3, repetitions=1))
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| 8 ")]
    assert [row[2].strip() for row in rows] == ["direct", "F(2x2, 3x3)", "F(4x4, 3x3)"]
    assert all(float(row[5]) < 1e-4 for row in rows)
    assert call_program(module.cli_main, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err


@pytest.mark.parametrize("sides", ["", "6", "8,x", "0"])
def test_wrong_sides(sides):
    with pytest.raises(UsageError, match="--sides"):
        dataclasses.replace(DEFAULTS, sides=sides).check()
