from pathlib import Path

import h5py
import numpy as np
import pytest

from bigans.pretrained.half_precision import write_float16
from sr_program.errors import DataError


def test_a_generator_loads_what_was_rounded(tmp_path: Path) -> None:
    from mr_srgan.config import GeneratorConfig
    from mr_srgan.generator import build_generator
    from srgan.runs.weights import load_weights, save_weights

    config = GeneratorConfig(num_mr_blocks=1, num_res_blocks=1, features=4)
    whole, loaded = build_generator(config), build_generator(config)
    source, half = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    save_weights(whole, source, config)
    write_float16(source, half)
    load_weights(loaded, half, config)
    for one, other in zip(whole.variables, loaded.variables, strict=True):
        value = np.asarray(one.value)
        assert np.asarray(other.value).dtype == value.dtype == np.float32
        np.testing.assert_array_equal(other.value, value.astype(np.float16).astype(np.float32))
    with h5py.File(source) as old, h5py.File(half) as new:
        assert dict(old.attrs) == dict(new.attrs) and old.attrs
        names: tuple[list[str], list[str]] = ([], [])
        old.visit(names[0].append)
        new.visit(names[1].append)
        assert names[0] == names[1]


def test_what_is_not_float32_stays(tmp_path: Path) -> None:
    source, half = tmp_path / "a.h5", tmp_path / "b.h5"
    with h5py.File(source, "w") as file:
        file["count"] = np.array([70_000], np.int64)
        file["group/values"] = np.array([1 / 3, -2.5e-8], np.float32)
        file["group"].attrs["name"] = "conv"
    write_float16(source, half)
    with h5py.File(half) as file:
        assert np.asarray(file["count"])[0] == 70_000 and file["count"].dtype == np.int64
        # float16: 10 bits behind the leading one, so 1/3 is 1365/4096; the least step is 2^-24.
        assert np.asarray(file["group/values"]).tolist() == [1365 / 4096, 0]
        assert file["group"].attrs["name"] == "conv"


@pytest.mark.parametrize("value", [70_000.0, np.nan, -np.inf])
def test_a_weight_beyond_its_range_is_refused(tmp_path: Path, value: float) -> None:
    source = tmp_path / "a.h5"
    with h5py.File(source, "w") as file:
        file["layers/conv"] = np.array([1, value], np.float32)
    with pytest.raises(DataError, match=r"a\.h5: layers/conv has values that are not finite"):
        write_float16(source, tmp_path / "b.h5")


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"weights")
    with pytest.raises(DataError, match=r"a\.h5: is no file of weights"):
        write_float16(tmp_path / "a.h5", tmp_path / "b.h5")
