"""The files in configs/batch suit Ray, KubeRay and Slurm, and name flags that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from absl import flags

from bigans.batch.settings import DEFAULTS
from sr_program import dataclass_flags

FILES = ("rayjob.yaml", "cluster.yaml", "batch.sbatch")


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "configs" / "batch"


def loaded(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which comes with Ray")
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("name", FILES)
def test_the_commands_are_those_of_the_program(folder: Path, name: str) -> None:
    text = (folder / name).read_text()
    command = text[text.rindex("python -m bigans.batch") :].split("\n\n")[0]
    command = re.split(r"\n\s*#? ?(?:backoff|ray down|# The same|wait)", command)[0]
    named = set(re.findall(r"--(\w+)=", command))
    assert {"input", "output", "engine", "address"} <= named
    before = set(flags.FLAGS)
    dataclass_flags.define(DEFAULTS)
    known = set(flags.FLAGS) - before
    for flag in known:
        delattr(flags.FLAGS, flag)
    assert named <= known


def test_ray_up_takes_the_cluster(folder: Path) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'bi-gans-st[batch]'")
    pytest.importorskip("jsonschema")
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = loaded(folder / "cluster.yaml")
    validate_config(prepare_config(config))
    with pytest.raises(Exception, match="max_wokers"):
        validate_config(prepare_config({**config, "max_wokers": 3}))


def test_slurm_gets_a_script(folder: Path) -> None:
    script = folder / "batch.sbatch"
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    options = [line for line in lines if line.startswith("#SBATCH")]
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", line) for line in options)
    # Slurm reads options up to the first command.
    first = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    assert all(lines.index(line) < first for line in options)


def test_kuberay_gets_a_job(repository: Path, folder: Path) -> None:
    """Names as in the operator's samples; its own definition is not here."""
    job = loaded(folder / "rayjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    known = {"entrypoint", "backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"}
    assert set(spec) == known | {"rayClusterSpec"}
    cluster = spec["rayClusterSpec"]
    assert set(cluster) == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    (group,) = cluster["workerGroupSpecs"]
    counts = {"replicas", "minReplicas", "maxReplicas"}
    assert set(group) == {"groupName", "rayStartParams", "template"} | counts
    for one in (cluster["headGroupSpec"], group):
        assert all(isinstance(value, str) for value in one["rayStartParams"].values())
        (container,) = one["template"]["spec"]["containers"]
        assert {"name", "image", "resources"} <= set(container)
    lock = (repository / "requirements-dev.lock").read_text()
    assert f"\nray=={cluster['rayVersion']} " in lock  # the version that is tested
