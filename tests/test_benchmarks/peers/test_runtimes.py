import numpy as np
import pytest

import mr_srgan.config
import wp_srgan.config
from benchmarks.peers.runtimes import PeerGenerators
from benchmarks.timing.ceiling import canonical_flops, matrix_flops
from bigans import Tiling, Upscaler
from fusion import numpy_merge
from mr_srgan.generator import build_generator as build_mr
from srgan.layers.bicubic_skip import BicubicUpsampling
from wp_srgan.generator import build_generator as build_wp


def test_operations_by_hand():
    wp = wp_srgan.config.GeneratorConfig(num_res_blocks=1, features=8)
    # Head, two of the ResBlock, trunk, upsamplers on grids of 1 and 4, output on one of 16.
    by_hand = 81 * 3 * 8 + 3 * 9 * 8 * 8 + (1 + 4) * 9 * 8 * 32 + 16 * 81 * 8 * 3
    assert canonical_flops(build_wp(wp), wp) == 2 * by_hand
    mr = mr_srgan.config.GeneratorConfig(num_mr_blocks=1, num_res_blocks=2, features=8)
    by_hand = 9 * 3 * 8 + 5 * 9 * 8 * 8 + 16 * 8 + (1 + 4) * 9 * 8 * 32 + 16 * 9 * 8 * 3
    assert canonical_flops(build_mr(mr), mr) == 2 * by_hand


def test_the_ceiling_is_a_rate():
    assert 1e8 < matrix_flops("float32", side=256, repetitions=2) < 1e15


def test_other_generators_are_merged_as_ours():
    rng = np.random.default_rng(0)
    faithful, vivid = (rng.uniform(0, 255, (1, 12, 20, 3)).astype(np.float32) for _ in range(2))
    image = rng.integers(0, 256, (3, 5, 3), np.uint8)
    seen = []

    def generators(images):
        seen.append(images.copy())
        return faithful, vivid

    found = Upscaler.of_model(PeerGenerators(generators), tiling=Tiling(4000))(image, xi=0.6)
    np.testing.assert_array_equal(found, numpy_merge.fuse(faithful[0], vivid[0], 0.6))
    np.testing.assert_array_equal(seen[0], image[None])


def test_the_skip_in_pytorch():
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    from benchmarks.peers.torch_networks import Interpolation
    from benchmarks.peers.torch_weights import turned, turned_back

    lr = np.random.default_rng(1).uniform(-1, 1, (2, 7, 5, 3)).astype(np.float32)
    found = turned_back(Interpolation()(turned(lr)))
    np.testing.assert_allclose(found, BicubicUpsampling(4)(lr), rtol=0, atol=1e-5)
