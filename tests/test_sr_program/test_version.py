import re
from pathlib import Path

from sr_program.version import VERSION


def test_models_carry_the_version_of_the_package(repository: Path) -> None:
    text = (repository / "setup.py").read_text(encoding="utf-8")
    assert re.findall(r'^    version="(.+)",$', text, re.MULTILINE) == [VERSION]
