import dataclasses
import json
import os
from typing import Any

import pytest

from sr_program.errors import DataError, UsageError
from srgan.runs.run_dir import changes, generator_of, prepare

MAY_CHANGE = {
    *("run_dir", "steps", "steps_per_epoch", "precision", "init_generator", "init_run"),
    *("checkpoint_every", "keep_checkpoints", "steps_per_call", "devices", "deterministic"),
    *("data", "val_dir", "vgg_weights"),
    *("learning_rate", "discriminator_learning_rate", "clip_norm"),
}

PARTS = ("objective", "optimizer", "data", "run", "initialization")


@dataclasses.dataclass(frozen=True)
class Architecture:
    blocks: int = 3
    gate: bool = True


@pytest.fixture
def config(training_config, tmp_path):
    return training_config(run_dir=str(tmp_path / "a" / "run"))


def other(value: Any) -> Any:
    """A value of the same type that differs."""
    if isinstance(value, bool):
        return not value
    return value + "x" if isinstance(value, str) else value + 1


def all_settings(config) -> list[tuple[str, str]]:
    return [
        (part.name, field.name)
        for part in dataclasses.fields(config)
        for field in dataclasses.fields(getattr(config, part.name))
    ]


def with_change(config, part: str, name: str):
    old = getattr(config, part)
    changed = dataclasses.replace(old, **{name: other(getattr(old, name))})
    return dataclasses.replace(config, **{part: changed})


def test_the_folder_holds_every_setting(config):
    folder = prepare(config, Architecture())
    assert str(folder) == config.run.run_dir
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    settings = json.loads((folder / "config.json").read_text())
    assert settings == {
        "generator": {"blocks": 3, "gate": True},
        **{part: vars(getattr(config, part)) for part in PARTS},
    }


def test_the_same_run_again(config):
    folder = prepare(config, Architecture())
    before = (folder / "config.json").read_bytes()
    assert prepare(config, Architecture()) == folder
    assert (folder / "config.json").read_bytes() == before


def test_a_change_of_any_setting_is_refused_or_written_down(config, tmp_path):
    folder = prepare(config, Architecture())
    for part, name in all_settings(config):
        before = (folder / "config.json").read_bytes()
        changed = with_change(config, part, name)
        if name == "run_dir":
            continue
        if name in MAY_CHANGE:
            prepare(changed, Architecture())
            written = json.loads((folder / "config.json").read_text())
            assert written[part][name] == getattr(getattr(changed, part), name)
            prepare(config, Architecture())
            continue
        old, new = (getattr(getattr(each, part), name) for each in (config, changed))
        with pytest.raises(UsageError) as caught:
            prepare(changed, Architecture())
        assert f"(--{name} was {old}, is {new})" in str(caught.value)
        assert str(folder) in str(caught.value)
        assert (folder / "config.json").read_bytes() == before


def test_a_moved_folder_continues(config, tmp_path):
    folder = prepare(config, Architecture())
    moved = folder.rename(tmp_path / "moved")
    run = dataclasses.replace(config.run, run_dir=str(moved))
    assert prepare(dataclasses.replace(config, run=run), Architecture()) == moved


def test_all_changes_are_named_in_order(config):
    prepare(config, Architecture())
    changed = with_change(with_change(config, "data", "seed"), "objective", "lambda_adv")
    with pytest.raises(UsageError) as caught:
        prepare(changed, Architecture(blocks=4, gate=False))
    assert (
        "(--blocks was 3, is 4, --gate was True, is False, --lambda_adv was 0.1, is 1.1, "
        "--seed was 0, is 1)"
    ) in str(caught.value)


def test_changes_of_equal_settings_and_of_settings_that_were_not_there():
    assert changes({"data": {"seed": 1}}, {"data": {"seed": 1}}) == []
    # A run of an older program, which had no such setting: it was at its default.
    assert changes({}, {"data": {"seed": 0}}) == []
    assert changes({"data": {}}, {"data": {"seed": 1}}) == ["--seed was 0, is 1"]
    assert changes({}, {"generator": {"gate": True}}) == ["--gate was None, is True"]
    assert changes({}, {"generator": {"gate": True}}, {"gate": True}) == []
    assert changes({}, {"generator": {"gate": False}}, {"gate": True}) == [
        "--gate was True, is False"
    ]
    assert changes({"data": {"seed": 1}, "old": {"flag": 2}}, {"data": {"seed": 1}}) == []


def test_changes_of_a_run_that_has_begun_are_written_down(config, caplog):
    folder = prepare(config, Architecture())
    changed = with_change(config, "data", "data")
    with caplog.at_level("INFO", "absl"):
        prepare(with_change(changed, "optimizer", "learning_rate"), Architecture(), step=12)
    old = config.data.data
    assert (folder / "changes.csv").read_text() == (
        f"after_step,setting,old,new\n12,data,{old},{old}x\n12,learning_rate,0.01,1.01\n"
    )
    assert f"{folder}: --data was {old}, is {old}x after step 12" in caplog.text
    # The same again is no change; back again is one.
    prepare(with_change(changed, "optimizer", "learning_rate"), Architecture(), step=20)
    prepare(config, Architecture(), step=30)
    rows = (folder / "changes.csv").read_text().splitlines()
    assert rows[3:] == [f"30,data,{old}x,{old}", "30,learning_rate,1.01,0.01"]
    # Nothing was computed with the old values of a run that has not begun.
    before = (folder / "changes.csv").read_bytes()
    prepare(changed, Architecture(), step=0)
    assert (folder / "changes.csv").read_bytes() == before


def test_changes_of_paths_that_are_not_utf_8(config):
    folder = prepare(config, Architecture())
    (folder / "changes.csv").write_bytes(b"gr\xfcn\n")  # of an editor with another encoding
    data = dataclasses.replace(config.data, data=os.fsdecode(b"folder:rot\xff"))
    prepare(dataclasses.replace(config, data=data), Architecture(), step=1)
    written = (folder / "changes.csv").read_bytes()
    assert written.startswith(b"gr\xfcn\n1,data,") and written.endswith(b",folder:rot\xff\n")


@pytest.mark.parametrize("name", ["init_generator", "init_run"])
def test_the_start_of_a_run_that_has_begun_stays(config, caplog, name):
    folder = prepare(config, Architecture())
    with caplog.at_level("INFO", "absl"):
        prepare(with_change(config, "run", name), Architecture(), step=3)
    assert f"--{name}=x has no effect, the run has begun" in caplog.text
    assert json.loads((folder / "config.json").read_text())["run"][name] == ""
    assert not (folder / "changes.csv").exists()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b'{"data": 3}', b"null"], ids=repr)
def test_settings_that_cannot_be_read(config, content):
    folder = prepare(config, Architecture())
    path = folder / "config.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"config\.json: not a run's settings") as caught:
        prepare(config, Architecture(), step=5)
    # What the message advises keeps the checkpoints, and works.
    assert "move this file away" in str(caught.value) and len(str(caught.value).splitlines()) == 1
    path.unlink()
    prepare(config, Architecture(), step=5)
    assert json.loads(path.read_text())["data"] == vars(config.data)


def test_a_file_in_the_way(config, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run").write_text("mine")
    with pytest.raises(OSError, match="run"):
        prepare(config, Architecture())
    assert (tmp_path / "a" / "run").read_text() == "mine"


def test_generator_of(config):
    folder = prepare(config, Architecture(blocks=7))
    with pytest.raises(DataError, match=r"run: has no generator\.weights\.h5; .*finished an epoch"):
        generator_of(folder)
    (folder / "generator.weights.h5").write_bytes(b"weights")
    expected = folder / "generator.weights.h5", {"blocks": 7, "gate": True}
    assert generator_of(folder) == expected
    assert generator_of(str(folder)) == expected
    (folder / "config.json").unlink()
    with pytest.raises(DataError, match=r"run: has no config\.json"):
        generator_of(folder)
    with pytest.raises(DataError, match=r"missing: has no config\.json"):
        generator_of(folder / "missing")


def test_generator_of_the_last_update(config):
    folder = prepare(config, Architecture(blocks=7))
    (folder / "generator.weights.h5").write_bytes(b"average")
    with pytest.raises(DataError, match="run: its checkpoints are gone"):
        generator_of(folder, last_update=True)
    (folder / "checkpoints").mkdir()
    for step in (8, 9, 100):
        (folder / "checkpoints" / f"step-{step:08d}.npz").write_bytes(b"weights")
    expected = folder / "checkpoints" / "step-00000100.npz", {"blocks": 7, "gate": True}
    assert generator_of(folder, last_update=True) == expected
