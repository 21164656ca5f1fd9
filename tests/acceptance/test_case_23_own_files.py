"""Files of a person's own beside a photo or a script, named like a package of this program."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sr_images.image_io import write_rgb

NAMES = ("cli", "evaluation", "fusion", "pretrained", "upscaler")


@pytest.fixture
def call(tmp_path: Path, subprocess_environment):
    write_rgb(tmp_path / "cat.png", np.zeros((4, 5, 3), np.uint8))

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=subprocess_environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return call


def own(folder: Path, name: str, as_folder: bool) -> Path:
    path = folder / name / "__init__.py" if as_folder else folder / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"print('my own {name}')\n")
    return path


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_program_runs_beside_them(call, tmp_path: Path, name: str, as_folder: bool) -> None:
    own(tmp_path, name, as_folder)
    done = call("-m", "bigans", "cat.png", "--output=out.png", "--model=./missing")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "missing: no such directory" in done.stderr


@pytest.mark.parametrize("name", ["numpy", "json", "bigans"])
def test_any_name_is_harmless_by_dash_p(call, tmp_path: Path, name: str) -> None:
    own(tmp_path, name, as_folder=False)
    done = call("-P", "-m", "bigans", "cat.png", "--output=out.png", "--model=./missing")
    assert (done.returncode, done.stdout) == (1, "")
    assert "missing: no such directory" in done.stderr


SCRIPT = """
from bigans import Upscaler
try:
    Upscaler("./missing")
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("name", NAMES)
def test_so_does_a_script(call, tmp_path: Path, name: str) -> None:
    path = own(tmp_path, name, as_folder=False)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = call("script.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("missing: no such directory")
    assert done.stdout.count("\n") == 1
    if name == "fusion":
        assert f"not {path}; rename that if you import it" in done.stderr
    else:
        assert done.stderr == ""


def test_a_script_that_imports_its_own(call, tmp_path: Path) -> None:
    path = own(tmp_path, "fusion", as_folder=False)
    (tmp_path / "script.py").write_text(f"import fusion\n{SCRIPT}")
    done = call("script.py")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: bi-gans-st needs its own package 'fusion'")
    assert last.endswith(f"and {path} was imported under this name; rename it")
    assert done.stderr.count("\n  File ") <= 3


def test_the_evaluation_runs_beside_a_fusion(call, tmp_path: Path) -> None:
    own(tmp_path, "fusion", as_folder=False)
    done = call("-c", "import sys; sys.argv[0] = '-m'; import evaluation, fusion.modes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
