"""The shipped models in bfloat16 beside themselves in float32, on the whole of Set14."""

import numpy as np
import pytest

from bigans.models.memory import TENSORFLOW, TENSORFLOW_BFLOAT16
from bigans.models.tensorflow_model import TensorFlowModel
from bigans.pretrained.saved_models import Shipped, saved_models
from bigans.upscaler.upscaler import Upscaler
from sr_data.benchmarks import open_benchmark
from sr_images.fidelity import psnr
from sr_images.luma import rgb_to_y
from sr_program.errors import UsageError

BORDER = 6


@pytest.mark.slow
def test_bfloat16_on_set14(shared):
    images = open_benchmark("Set14", shared / "data" / "benchmarks")
    exact, fast = (Upscaler.from_pretrained(precision=p) for p in ("float32", "bfloat16"))
    to_exact, of_exact, of_fast = [], [], []
    for i in range(len(images)):
        image = images[i]
        first, second = exact(image.lr), fast(image.lr)
        to_exact.append(psnr(first, second, data_range=255))
        hr = rgb_to_y(image.hr)
        of_exact.append(psnr(hr, rgb_to_y(first), data_range=255, border=BORDER))
        of_fast.append(psnr(hr, rgb_to_y(second), data_range=255, border=BORDER))
    assert 45 <= min(to_exact) < 90  # and they are not the same model
    assert abs(np.mean(of_exact) - np.mean(of_fast)) <= 0.02


def test_bfloat16_takes_less_memory_so_its_tiles_are_larger():
    footprints = {
        precision: TensorFlowModel(saved_models(Shipped(precision=precision)).fused).footprint
        for precision in ("float32", "bfloat16")
    }
    assert footprints == {"float32": TENSORFLOW, "bfloat16": TENSORFLOW_BFLOAT16}
    pixels = (taken.bytes_per_lr_pixel for taken in (TENSORFLOW_BFLOAT16, TENSORFLOW))
    assert next(pixels) < next(pixels)


def test_another_precision_is_refused():
    with pytest.raises(UsageError, match="'half'; choose one of float32, bfloat16, auto"):
        Upscaler.from_pretrained(precision="half")
