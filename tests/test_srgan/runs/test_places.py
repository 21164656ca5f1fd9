import dataclasses
import subprocess
import sys

import pytest

from sr_program.errors import DataError, UsageError
from srgan.runs.places import check_places


@pytest.mark.parametrize(
    ("settings", "scale", "error", "message"),
    [
        ({}, 3, UsageError, "--scale must be 2, 4, 8, …, got 3"),
        ({}, 0, UsageError, "--scale must be 2, 4, 8, …, got 0"),
        ({"crop_size": 18}, 4, UsageError, "--crop_size must divide by the scale 4, got 18"),
        ({"val_dir": "none"}, 4, DataError, "none: no such folder"),
        ({"val_dir": "none"}, 2, UsageError, "--val_dir needs --scale=4, got 2"),
        ({"data": "folder:none"}, 4, DataError, "none: no such folder"),
        ({"init_run": "none"}, 4, DataError, "none: has no config.json"),
        ({"init_generator": "none.h5"}, 4, DataError, "none.h5: no such weights file"),
    ],
)
def test_mistakes_that_need_no_network(training_config, settings, scale, error, message):
    with pytest.raises(error, match=message):
        check_places(training_config(**settings), scale)


def test_a_good_command_and_a_run_that_has_begun(training_config, photo_dir, tmp_path):
    check_places(training_config(val_dir=str(photo_dir)), 4)
    gone = training_config(init_run="none", init_generator="none.h5")
    # It goes on from its checkpoint, wherever it once started.
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-00000003.npz").touch()
    run = dataclasses.replace(gone.run, run_dir=str(tmp_path))
    check_places(dataclasses.replace(gone, run=run), 4)


def test_they_are_found_before_keras_is_loaded(subprocess_environment):
    code = (
        "import sys, mr_srgan.train, wp_srgan.train, srgan.runs.places\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'jax')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=subprocess_environment).returncode == 0
