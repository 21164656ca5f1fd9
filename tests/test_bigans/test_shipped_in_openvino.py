"""The networks that come with the program, in OpenVINO."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bigans.models.runtime import Computing
from bigans.pretrained.openvino_models import openvino_model
from bigans.pretrained.saved_models import saved_models
from fusion.formats.openvino_model import GENERATORS_FILE, openvino_core
from sr_program.machine.optional_packages import is_installed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_installed("openvino"),
        reason="needs the extra openvino: pip install 'bi-gans-st[openvino]'",
    ),
]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """An eye, whiskers and fur."""
    from skimage import data

    return data.chelsea()[40 : 40 + 67, 80 : 80 + 93]


def test_gives_what_tensorflow_gives(photo: np.ndarray) -> None:
    models = [
        Computing(runtime=name).load(saved_models().fused) for name in ("tensorflow", "openvino")
    ]
    expected, found = (np.stack(model.generators(photo)) for model in models)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert models[1].radius == models[0].radius == 60
    for numbers in ((0.73, -1.0), (0.3, 4.5)):
        xi, max_deviation = (np.array(number, np.float32) for number in numbers)
        inputs = {"xi": xi, "max_deviation": max_deviation}
        expected, found = (model.serve(photo[None], inputs).astype(int) for model in models)
        assert np.abs(found - expected).max() <= 1
        assert np.count_nonzero(found != expected) < 1e-4 * found.size


def test_bfloat16(photo: np.ndarray) -> None:
    exact, rough = (
        np.stack(
            Computing(runtime="openvino", precision=precision)
            .load(saved_models().fused)
            .generators(photo)
        )
        for precision in ("float32", "bfloat16")
    )
    psnr = 10 * np.log10(255**2 / np.mean((exact - rough) ** 2))
    assert psnr >= 45


def test_no_rectifier_is_left_in_parts() -> None:
    directory: Path = openvino_model(saved_models().fused)
    model = openvino_core().read_model(str(directory / GENERATORS_FILE))
    kinds = Counter(node.get_type_name() for node in model.get_ops())
    assert kinds["PRelu"] == 50
    assert kinds["Maximum"] == kinds["Minimum"] == 2  # the results are clipped
