"""The policy of each precision, by what the backend's device computes on."""

from __future__ import annotations

import logging
import types
from typing import Any

import keras
import pytest

from sr_program.machine import precision as precisions
from srgan.steps import dtype_policy as module
from srgan.steps.dtype_policy import dtype_policy

CASES = [
    # precision, whether the device computes on bfloat16, policy, warned
    ("float32", False, "float32", False),
    ("float32", True, "float32", False),
    ("bfloat16", False, "mixed_bfloat16", True),
    ("bfloat16", True, "mixed_bfloat16", False),
    ("auto", False, "float32", False),
    ("auto", True, "mixed_bfloat16", False),
]


@pytest.mark.parametrize(("precision", "native", "policy", "warned"), CASES)
def test_on_tensorflow(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    precision: str,
    native: bool,
    policy: str,
    warned: bool,
) -> None:
    monkeypatch.setattr(module, "computes_bfloat16", lambda: native)
    with caplog.at_level(logging.WARNING, "absl"):
        assert dtype_policy(precision) == policy
    assert ("only emulates bfloat16" in caplog.text) == warned


@pytest.mark.parametrize(
    ("device", "flags", "policy"),
    [
        ({"platform": "cpu"}, {"avx2"}, "float32"),
        ({"platform": "cpu"}, {"avx2", "avx512_bf16"}, "mixed_bfloat16"),
        ({"platform": "tpu"}, {"avx2"}, "mixed_bfloat16"),
        ({"platform": "gpu", "compute_capability": "9.0"}, {"avx2"}, "mixed_bfloat16"),
        ({"platform": "gpu", "compute_capability": "8.0"}, {"avx2"}, "mixed_bfloat16"),
        ({"platform": "gpu", "compute_capability": "7.5"}, {"avx512_bf16"}, "float32"),
        ({"platform": "gpu", "compute_capability": "10.0"}, {"avx2"}, "mixed_bfloat16"),
        ({"platform": "gpu", "compute_capability": "gfx90a"}, {"avx2"}, "mixed_bfloat16"),
    ],
)
def test_auto_on_jax(
    monkeypatch: pytest.MonkeyPatch, device: dict[str, Any], flags: set[str], policy: str
) -> None:
    jax = pytest.importorskip("jax", reason="needs JAX: pip install 'bi-gans-st[jax]'")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(jax, "devices", lambda: [types.SimpleNamespace(**device)])
    monkeypatch.setattr(precisions, "cpu_flags", lambda: frozenset(flags))
    assert dtype_policy("auto") == policy
