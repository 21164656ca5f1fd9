"""python -m bigans.pretrained.export, as a person runs it."""

import filecmp
import subprocess
import sys
from pathlib import Path

from bigans.pretrained.saved_models import saved_models


def export(folder: Path, environment: dict[str, str], *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "bigans.pretrained.export", *flags]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_shipped_models(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    models = saved_models()
    done = export(tmp_path, subprocess_environment, "--output=models")
    assert (done.returncode, done.stderr) == (0, "")
    wanted = {
        "models/mr_srgan/1": models.faithful,
        "models/wp_srgan/stage2/1": models.vivid,
        "models/fused/1": models.fused,
    }
    assert done.stdout.split() == list(wanted)
    for name, built in wanted.items():
        assert files(tmp_path / name) == files(built) != []
        for file in files(built):
            assert filecmp.cmp(tmp_path / name / file, built / file, shallow=False)

    again = export(tmp_path, subprocess_environment, "--output=models")
    assert again.returncode == 1
    assert again.stderr == (
        "bigans.pretrained.export: models/mr_srgan/1: exists already; choose another --output\n"
    )


def test_where_to_is_needed(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    done = export(tmp_path, subprocess_environment)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--output=DIR is missing" in done.stderr
