import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from sr_program import dataclass_flags
from sr_program.entry_point import run


def setting(default: Any, help_text: str, **metadata: Any) -> Any:
    return dataclasses.field(default=default, metadata={"help": help_text, **metadata})


@dataclasses.dataclass(frozen=True)
class Oven:
    heat: float = setting(180.5, "Degrees.")
    fan: bool = setting(True, "Turn the air.")


@dataclasses.dataclass(frozen=True)
class Cake:
    name: str = setting("plain", "What it is called.")
    eggs: int = setting(3, "How many.")
    kind: str = setting("sponge", "How it is made.", choices=("sponge", "yeast"))
    untold: int = 1
    oven: Oven = Oven()


@dataclasses.dataclass(frozen=True)
class Table:
    seats: int = setting(4, "For how many.")


read: list[Any] = []
given: list[list[str]] = []


def main(arguments: list[str]) -> None:
    assert not arguments
    read.append(dataclass_flags.read(Cake(eggs=2), **replacements))
    read.append(dataclass_flags.read(Table()))
    given.append(dataclass_flags.given("eggs", "heat", "fan"))


replacements: dict[str, Any] = {}


def cli_main() -> None:
    dataclass_flags.define(Cake(eggs=2), Table())
    run(main)


@pytest.fixture
def parse(call_program, monkeypatch):
    def parse(*arguments: str, **fixed: Any) -> list[Any]:
        read.clear()
        monkeypatch.setattr(sys.modules[__name__], "replacements", fixed)
        assert call_program(cli_main, *arguments) == 0
        return list(read)

    return parse


def test_without_flags_the_instances_values_are_read(parse):
    assert parse() == [Cake(eggs=2), Table()]


def test_each_type_and_each_depth(parse):
    found = parse(
        *("--name=a b", "--eggs=7", "--kind=yeast", "--untold=5"),
        *("--heat=1e-3", "--nofan", "--seats=6"),
    )
    assert found == [Cake("a b", 7, "yeast", 5, Oven(1e-3, False)), Table(6)]
    assert [type(value) for value in dataclasses.astuple(found[0])[:4]] == [str, int, str, int]
    assert parse("--fan=false")[0].oven == Oven(fan=False)


def test_a_replacement_outweighs_the_flag_at_any_depth(parse):
    found = parse("--eggs=7", "--heat=100", "--seats=6", eggs=9, heat=20.0)
    assert found == [Cake(eggs=9, oven=Oven(heat=20.0)), Table(6)]


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("--eggs=many", ["--eggs=many", "many"]),
        ("--eggs=2.5", ["--eggs=2.5"]),
        ("--heat=warm", ["--heat=warm"]),
        ("--kind=fried", ["--kind=fried", "sponge|yeast"]),
        ("--fan=perhaps", ["--fan=perhaps"]),
        ("--salt=1", ["salt"]),
    ],
)
def test_a_wrong_value_is_one_line_and_exit_code_2(call_program, capsys, argument, parts):
    read.clear()
    assert call_program(cli_main, argument) == 2
    message = capsys.readouterr().err
    assert len(message.splitlines()) == 1 and all(part in message for part in parts)
    assert not read


def test_flagfile(parse, tmp_path):
    (tmp_path / "cake.cfg").write_text("# comment\n--kind=yeast\n--nofan\n\n--heat=200\n")
    expected = Cake(eggs=2, kind="yeast", oven=Oven(200.0, False))
    assert parse(f"--flagfile={tmp_path / 'cake.cfg'}")[0] == expected
    again = parse(f"--flagfile={tmp_path / 'cake.cfg'}", "--heat=10")[0]
    assert again.oven.heat == 10.0  # what comes later counts


def test_flags_that_were_given(parse, tmp_path):
    (tmp_path / "some.cfg").write_text("--heat=200\n")
    for arguments, expected in (
        ((), []),
        (("--name=x",), []),
        (("--eggs=2",), ["eggs"]),  # the default's value: given all the same
        (("--nofan", "--eggs=4"), ["eggs", "fan"]),
        ((f"--flagfile={tmp_path / 'some.cfg'}",), ["heat"]),
    ):
        parse(*arguments)
        assert given[-1] == expected


PROGRAM = '''"""Bakes."""
import dataclasses
from sr_program import dataclass_flags
from sr_program.entry_point import run

@dataclasses.dataclass(frozen=True)
class Cake:
    eggs: int = dataclasses.field(default=3, metadata={"help": "How many eggs."})

def main(arguments):
    print(dataclass_flags.read(Cake()).eggs)

def cli_main():
    dataclass_flags.define(Cake())
    run(main)

if __name__ == "__main__":
    cli_main()
'''


@pytest.mark.parametrize("start", [["-m", "bake"], ["-c", "import bake; bake.cli_main()"]])
def test_the_flags_belong_to_the_program_that_defines_them(tmp_path, subprocess_environment, start):
    (tmp_path / "bake.py").write_text(PROGRAM)

    def call(argument):
        return subprocess.run(
            [sys.executable, *start, argument],
            cwd=tmp_path,
            env=subprocess_environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    shown = call("--help")
    assert shown.startswith("Bakes.") and "--eggs: How many eggs." in shown
    assert "--eggs: How many eggs." in call("--helpfull")
    assert call("--eggs=5") == "5\n"
