"""What the program says before there is a page."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bigans.demo.__main__ import cli_main
from bigans.demo.server import open_port
from sr_program.errors import DataError
from sr_program.machine.optional_packages import is_installed


def test_the_port_is_this_machines_own() -> None:
    with open_port(0) as port:
        assert port.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(DataError, match=f"port {number} cannot be opened .*another port"):
            open_port(number)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["photo.jpg"], "everything is a flag"),
        (["--model=bicubic"], "is not a model"),
        (["--port=70000"], "port"),
    ],
)
def test_a_wrong_command(
    call_program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    assert call_program(cli_main, *arguments) == 2
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1


@pytest.mark.skipif(is_installed("demo"), reason="needs an environment without the extra demo")
def test_without_the_extra(
    call_program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_program(cli_main) == 2
    assert "pip install 'bi-gans-st[demo]'" in capsys.readouterr().err


def test_help_waits_for_nothing(repository: Path) -> None:
    script = (
        "import sys\n"
        "sys.argv = ['page', '--help']\n"
        "try:\n"
        "    from bigans.demo.__main__ import cli_main\n"
        "    cli_main()\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        "assert not {'numpy', 'gradio', 'tensorflow'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "--max_pixels" in found.stdout
