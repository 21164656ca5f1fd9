"""Runs small programs in subprocesses, as a person would."""

import contextlib
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sr_program import entry_point
from sr_program.entry_point import refuse_positional
from sr_program.errors import UsageError
from sr_program.version import VERSION

PROGRAM = '''"""Greets people, %s does."""
import atexit
import sys
import time
from absl import flags, logging
from sr_program import entry_point
from sr_program.errors import DataError, UsageError

_TIMES = flags.DEFINE_integer("times", 1, "how often to greet", lower_bound=0)
_WHO = flags.DEFINE_string("who", None, "whom to greet", required=True)


class HalfMade:
    def __init__(self):
        sleep()
        self.whole = True

    def __del__(self):
        self.whole


def sleep():
    print("ready", flush=True)
    time.sleep(60)


def leave():
    print("leaving", flush=True)
    time.sleep(1)


def main(positional):
    who = _WHO.value
    if who == "damaged":
        raise DataError("photo.png: is damaged\\nreplace it")
    if who == "told":
        print("the first half")
        raise DataError("photo.png: is damaged")
    if who == "missing":
        open("no/such/file")
    if who == "usage":
        raise UsageError("--who and --times\\ncontradict each other")
    if who == "full":
        raise MemoryError("Unable to allocate 1.0 TiB")
    if who == "bug":
        raise ValueError("a bug")
    if who == "long":
        for line in range(100_000):
            print(line)
    if who == "leaver":
        atexit.register(leave)
    if who == "half made":
        HalfMade()
    if who in ("sleeper", "leaver"):
        sleep()
    if who == "late":
        print("ready", flush=True)
        sys.stdin.readline()
        print("late")
        return 0
    if who == "logger":
        logging.info("an info line")
    if who == "quiet":
        entry_point.warnings_only()
        logging.info("an info line")
        logging.warning("a warning\\n  of two lines, %d %%", 7)
    if who == "scribe":
        print(entry_point.command_line())
    print(who, _TIMES.value, positional)
    return 7 if who == "seven" else None


if __name__ == "__main__":
    entry_point.run(main)
'''


@pytest.fixture
def program(tmp_path):
    (tmp_path / "greet.py").write_text(PROGRAM)
    return tmp_path / "greet.py"


@pytest.fixture
def call(subprocess_environment):
    def run(program, *arguments, as_module=False):
        start = ["-m", program.stem] if as_module else [str(program)]
        return subprocess.run(
            [sys.executable, *start, *arguments],
            cwd=program.parent,
            env=subprocess_environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_flags_and_positional_arguments_in_any_order(call, program):
    done = call(program, "a.png", "--who=you", "b.png", "--times", "3", "--", "--c.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "you 3 ['a.png', 'b.png', '--c.png']\n"


def test_the_exit_code_is_what_main_returns(call, program):
    assert call(program, "--who=seven").returncode == 7


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--who=damaged"], 1, "greet.py: photo.png: is damaged replace it"),
        (["--who=missing"], 1, "greet.py: no/such/file: No such file or directory"),
        (["--who=full"], 1, "greet.py: memory ran out (Unable to allocate 1.0 TiB); end other"),
        (
            ["--who=usage"],
            2,
            "greet.py: --who and --times contradict each other (see --help)",
        ),
        (["--who=x", "--tims=3"], 2, "'tims'"),
        (["--who=x", "--times=three"], 2, "--times=three"),
        (["--who=x", "--times=-1"], 2, "non-negative"),
        ([], 2, "--who"),
        (["--flagfile=nowhere.cfg"], 2, "nowhere.cfg"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(call, program, arguments, code, message):
    done = call(program, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("greet.py: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")


def test_programs_that_have_flags_alone_refuse_arguments():
    refuse_positional([])
    with pytest.raises(UsageError, match="unexpected argument 'photo.png'; everything is a flag"):
        refuse_positional(["photo.png", "more"])


def test_a_bug_keeps_its_traceback(call, program):
    done = call(program, "--who=bug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ValueError: a bug" in done.stderr


@pytest.mark.parametrize("as_module", [False, True])
@pytest.mark.parametrize("flag", ["--help", "--helpshort"])
def test_help_lists_the_flags_of_this_program(call, program, flag, as_module):
    done = call(program, flag, as_module=as_module)  # without the required --who
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Greets people, {'greet' if as_module else 'greet.py'} does.\n")
    assert "--times: how often to greet" in done.stdout
    assert "--who: whom to greet" in done.stdout
    assert "--verbosity" not in done.stdout


def test_the_version(call, program):
    done = call(program, "--version")  # --who, which is required, may be missing
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Bi-GANs-ST {VERSION}\n", "")


def test_help_of_a_program_without_flags(call, tmp_path):
    (tmp_path / "plain.py").write_text(
        '"""Does one thing."""\n'
        "from sr_program import entry_point\n"
        "def main(positional):\n    pass\n"
        "entry_point.run(main)\n"
    )
    done = call(tmp_path / "plain.py", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Does one thing.\n\nflags:\n  none of its own\n")


def test_helpfull_lists_all_flags(call, program):
    done = call(program, "--helpfull")
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("--times: how often to greet", "--verbosity", "--flagfile", "--[no]help:"):
        assert text in done.stdout


def test_help_of_an_installed_command(call, program, tmp_path):
    """A console script imports the module, whose flags are then not those of __main__."""
    assert program.parent == tmp_path
    (tmp_path / "greet-command").write_text(
        "import greet\nfrom sr_program import entry_point\nentry_point.run(greet.main)\n"
    )
    done = call(tmp_path / "greet-command", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Greets people, greet-command does.\n")
    assert "--times: how often to greet" in done.stdout
    assert call(tmp_path / "greet-command", "--who=damaged").stderr.startswith("greet-command: ")


def test_help_of_another_module(call, tmp_path):
    (tmp_path / "settings.py").write_text(
        'from absl import flags\nflags.DEFINE_integer("depth", 3, "how deep")\n'
    )
    (tmp_path / "dig.py").write_text(
        "import settings\nfrom sr_program import entry_point\n"
        'entry_point.run(lambda positional: None, flag_module_help="settings")\n'
    )
    done = call(tmp_path / "dig.py", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--depth: how deep" in done.stdout


def test_a_module_is_called_by_its_name(call, program):
    assert call(program, "--who=usage", as_module=True).stderr.startswith("greet: --who")


def test_a_package_is_called_by_its_name(call, tmp_path):
    (tmp_path / "greeter").mkdir()
    (tmp_path / "greeter" / "__main__.py").write_text(PROGRAM)
    done = call(tmp_path / "greeter", "--who=usage", as_module=True)
    assert done.stderr.startswith("greeter: --who")


def test_flagfile(call, program, tmp_path):
    (tmp_path / "some.cfg").write_text("# a recipe\n--times=5\n--who=file\n")
    done = call(program, "--flagfile=some.cfg", "--who=line")
    assert (done.returncode, done.stdout) == (0, "line 5 []\n")


def test_info_is_logged_by_default_and_can_be_silenced(call, program):
    assert "an info line" in call(program, "--who=logger").stderr
    assert call(program, "--who=logger", "--verbosity=-1").stderr == ""


def test_warnings_only(call, program):
    line = "a warning of two lines, 7 %\n"
    assert call(program, "--who=quiet").stderr == f"greet.py: {line}"
    assert call(program, "--who=quiet", as_module=True).stderr == f"greet: {line}"
    asked_for = call(program, "--who=quiet", "--verbosity=0").stderr
    assert "greet.py:" in asked_for and "] an info line" in asked_for  # with time and place
    assert "] a warning" in asked_for
    assert call(program, "--who=quiet", "--verbosity=-2").stderr == ""


def test_the_command_line_can_be_typed_again(call, program, tmp_path):
    arguments = ["--who=scribe", "--times=2", "a b.png", "it's", "ξ"]
    first = call(program, *arguments, as_module=True).stdout.splitlines()[0]
    assert first.startswith("python -m greet --who=scribe --times=2 ")
    assert shlex.split(first) == ["python", "-m", "greet", *arguments]
    first = call(program, "--who=scribe").stdout.splitlines()[0]
    assert first == "greet.py --who=scribe"
    (tmp_path / "greeter").mkdir()
    (tmp_path / "greeter" / "__main__.py").write_text(PROGRAM)
    first = call(tmp_path / "greeter", "--who=scribe", as_module=True).stdout.splitlines()[0]
    assert first == "python -m greeter --who=scribe"


@pytest.mark.parametrize(("who", "first"), [("long", b"0\n"), ("late", b"ready\n")])
def test_a_closed_pipe_is_no_error_message(program, subprocess_environment, who, first):
    """The reader goes away while the program prints much, or before its last line."""
    with subprocess.Popen(
        [sys.executable, str(program), f"--who={who}"],
        # an unbuffered stdout would leave nothing for the interpreter to flush at its exit
        env={**subprocess_environment, "PYTHONUNBUFFERED": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        assert process.stdout.readline() == first
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full: run it on Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("argument", ["--who=Ann", "--help", "--who=told"])
def test_a_full_disk_behind_standard_output(program, subprocess_environment, unbuffered, argument):
    """What stays in the buffer is not flushed once more at exit, which ends with 120."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, str(program), argument],
            env={**subprocess_environment, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    # What was told before anything was flushed stands alone.
    buffered_and_told = argument == "--who=told" and not unbuffered
    said = "photo.png: is damaged" if buffered_and_told else "No space left on device"
    assert done.returncode == 1
    assert done.stderr.endswith(f": {said}\n") and done.stderr.count("\n") == 1


@pytest.fixture
def ready(program, subprocess_environment):
    """Starts the program, with the signals' handlers of a fresh process; gives it once it waits."""

    def defaults():
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    @contextlib.contextmanager
    def ready(who):
        with subprocess.Popen(
            [sys.executable, str(program), f"--who={who}"],
            env=subprocess_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=defaults,
        ) as process:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            yield process

    return ready


ENDS = [
    (signal.SIGINT, 130, b"greet.py: interrupted\n"),
    (signal.SIGTERM, 143, b"greet.py: stopped by SIGTERM\n"),
    (signal.SIGHUP, 129, b"greet.py: stopped by SIGHUP\n"),
]


# "half made": a destructor of what is being made fails
@pytest.mark.parametrize("who", ["sleeper", "half made"])
@pytest.mark.parametrize(("number", "code", "message"), ENDS)
def test_signals_that_end_a_program(ready, who, number, code, message):
    with ready(who) as process:
        process.send_signal(number)
        assert process.stderr.read() == message
        assert process.wait(timeout=60) == code


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_while_the_program_leaves(ready, second):
    with ready("leaver") as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"leaving\n"
        process.send_signal(second)
        assert process.stderr.read() == b"greet.py: stopped by SIGTERM\n"
        assert process.wait(timeout=60) == 143


@pytest.fixture
def default_handlers():
    """Those of a fresh process: Ray, in a test before, leaves its own, and nohup ignores SIGHUP."""
    numbers = signal.SIGTERM, signal.SIGHUP
    found = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, found, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("default_handlers")
def test_handlers_are_put_back(call_program):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    during = []

    def main(positional):
        during.extend(signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP))

    assert call_program(lambda: entry_point.run(main)) == 0
    after = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    assert after == before and during != before
