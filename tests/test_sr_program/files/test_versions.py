from pathlib import Path

from sr_program.files.versions import latest_version


def test_latest_version(tmp_path: Path) -> None:
    assert latest_version(tmp_path, "model") is None
    assert latest_version(tmp_path / "missing", "model") is None
    for version in ("2", "10", "9", "11", "old"):
        (tmp_path / version).mkdir()
        if version != "11":
            (tmp_path / version / "model").touch()
    assert latest_version(tmp_path, "model") == tmp_path / "10"
    assert latest_version(tmp_path / "2", "model") == tmp_path / "2"
    (tmp_path / "model").touch()
    assert latest_version(tmp_path, "model") == tmp_path
