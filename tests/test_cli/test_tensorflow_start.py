import os
import subprocess
import sys

import pytest

from cli.tensorflow_start import held_back_stderr


def test_native_output_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with held_back_stderr():
        os.write(2, b"native\n")
        print("python", file=sys.stderr)
        print("result")
    os.write(2, b"after\n")
    assert capfd.readouterr() == ("result\n", "after\n")


def test_it_is_shown_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), held_back_stderr():
        os.write(2, b"native\n")
        raise ValueError("broken")
    assert "native\n" in capfd.readouterr().err


def test_tensorflow_starts_silently(subprocess_environment: dict[str, str]) -> None:
    code = (
        "from cli.tensorflow_start import import_tensorflow_quietly; import_tensorflow_quietly();"
        "import tensorflow as tf; print(int(tf.constant(1) + 1))"
    )
    environment = dict(subprocess_environment)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("2\n", "")
