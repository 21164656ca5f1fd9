from pathlib import Path

import pytest

from sr_program.errors import UsageError
from sr_program.machine import precision
from sr_program.machine.precision import cpu_flags, resolve


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_precision_is_itself(name: str) -> None:
    assert resolve(name) == name


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match="'float16'; choose one of float32, bfloat16, auto"):
        resolve("float16")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512f avx512_bf16", "bfloat16"),
        ("fpu amx_bf16 amx_tile", "bfloat16"),
        ("fpu avx2 avx512f", "float32"),
        ("fpu avx512_bf16x", "float32"),
    ],
)
def test_auto_goes_by_what_the_processor_computes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, expected: str
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t:\n")
    found = cpu_flags(cpuinfo)
    assert found == set(flags.split())
    monkeypatch.setattr(precision, "cpu_flags", lambda: found)
    monkeypatch.setattr(precision, "_DRIVER", tmp_path / "no driver")
    assert resolve("auto") == expected


def test_systems_that_do_not_tell(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "absent") == frozenset()
    (tmp_path / "cpuinfo").write_text("Features : asimd\n")
    assert cpu_flags(tmp_path / "cpuinfo") == frozenset()


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [([(9, 0)], "bfloat16"), ([(8, 0), (7, 5)], "float32"), ([(7, 5)], "float32")],
)
def test_a_gpu_decides_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capabilities: list, expected: str
) -> None:
    import tensorflow as tf

    driver = tmp_path / "version"
    driver.touch()
    monkeypatch.setattr(precision, "_DRIVER", driver)
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx512_bf16"}))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: capabilities)
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "get_device_details", lambda gpu: {"compute_capability": gpu})
    assert resolve("auto") == expected
