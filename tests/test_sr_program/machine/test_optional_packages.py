import subprocess
import sys

import pytest

from sr_program.errors import UsageError
from sr_program.machine import optional_packages as extras


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras._MODULES, "onnx", ("json", "no_such_package"))
    assert not extras.is_installed("onnx")
    with pytest.raises(UsageError, match=r"package no-such-package is missing.*bi-gans-st\[onnx\]"):
        extras.require_extra("onnx")


def test_what_is_there_is_not_imported(subprocess_environment: dict[str, str]) -> None:
    program = (
        "import sys; from sr_program.machine import optional_packages as extras;"
        "extras._MODULES['onnx'] = ('numpy',);"
        "assert extras.is_installed('onnx'); extras.require_extra('onnx');"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], env=subprocess_environment, check=True)
