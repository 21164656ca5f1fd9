import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr_program.machine.tensorflow_start import held_back_stderr


def test_native_output_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with held_back_stderr():
        os.write(2, b"native\n")
        print("result")
    os.write(2, b"after\n")
    assert capfd.readouterr() == ("result\n", "after\n")


def test_it_is_shown_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), held_back_stderr():
        os.write(2, b"native\n")
        raise ValueError("broken")
    assert "native\n" in capfd.readouterr().err


@pytest.mark.parametrize(("level", "shown"), [(None, ""), ("1", ""), ("0", "notice 0")])
def test_who_asks_for_everything_sees_it(
    tmp_path: Path, subprocess_environment: dict[str, str], level: str | None, shown: str
) -> None:
    stand_in = "import os; os.write(2, b'notice ' + os.environb[b'TF_CPP_MIN_LOG_LEVEL'])"
    (tmp_path / "tensorflow.py").write_text(stand_in)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from sr_program.machine.tensorflow_start import import_tensorflow_quietly as quietly;"
        "quietly();"
        "import tensorflow; print(tensorflow.__file__)"
    )
    environment = {**subprocess_environment, **({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == (f"{tmp_path / 'tensorflow.py'}\n", shown)


STAND_IN = """
import os
class sysconfig:
    get_build_info = staticmethod(lambda: {{"is_cuda_build": {cuda}}})
class config:
    looked = False
    @classmethod
    def list_physical_devices(cls):
        if not cls.looked:
            os.write(2, b"E0000 failed call to cuInit: UNKNOWN ERROR (303)")
        cls.looked = True
        return []
"""


@pytest.mark.parametrize(
    ("cuda", "driver", "shown"),
    [(True, False, False), (True, True, True), (False, False, True)],
)
def test_a_tensorflow_with_cuda_and_no_gpu(
    tmp_path: Path, subprocess_environment: dict[str, str], cuda: bool, driver: bool, shown: bool
) -> None:
    """Its error line is held back; with a driver it tells of something that is wrong."""
    (tmp_path / "tensorflow.py").write_text(STAND_IN.format(cuda=cuda))
    drivers = (str(tmp_path),) if driver else ()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from sr_program.machine import tensorflow_start as start;"
        f"start._DRIVERS = {drivers};"
        "start.import_tensorflow_quietly();"
        "import tensorflow; tensorflow.config.list_physical_devices()"  # as a computation does
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=subprocess_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("cuInit" in result.stderr) == shown


def test_keras_and_jax_stay_away_until_they_are_wanted(
    subprocess_environment: dict[str, str],
) -> None:
    code = (
        "import os, sys;"
        "from sr_program.machine.tensorflow_start import import_tensorflow_quietly as quietly;"
        "quietly();"
        "import tensorflow as tf;"
        "print([name for name in ('keras', 'tf_keras', 'jax') if name in sys.modules]);"
        "print(os.environ.get('TF_USE_LEGACY_KERAS'));"
        "import keras; layer = keras.layers.Dense(1, kernel_initializer='ones');"
        "print(float(layer(tf.ones([1, 2]))[0, 0]));"
        "print(tf.keras.__version__ == keras.__version__)"
    )
    environment = {**subprocess_environment, "KERAS_BACKEND": "tensorflow"}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert result.stdout == "[]\nNone\n2.0\nTrue\n", result.stderr
