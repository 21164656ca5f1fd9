"""Runs a program's main function: flags, help, exit codes and one-line errors.

absl's own `app.run` exits with 1 on a wrong flag and on `--help`, prints a usage page for a typing
mistake and a traceback for a missing file. Programs here exit with 0 (done), 1 (the data cannot be
used), 2 (the command is wrong), 130 (Ctrl-C) or 143 and 129 (SIGTERM and SIGHUP), and say what was
wrong in one line.
"""

import contextlib
import logging as standard_logging
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

from absl import flags, logging

from sr_program.errors import DataError, UsageError, in_one_line, reason
from sr_program.flag_names import in_flags
from sr_program.help_page import did_you_mean, flags_of_module
from sr_program.version import VERSION

Main = Callable[[list[str]], int | None]

_OK, _BAD_DATA, _BAD_USAGE, _INTERRUPTED = 0, 1, 2, 130
# Which page each asks for.
_HELP_FLAGS = {
    "help": ("show this help", "own"),
    "helpshort": ("same as --help", "own"),
    "helpfull": ("show the flags of every module", "all"),
    "version": ("show the version of the project", "version"),
}


def run(main: Main, flag_module_help: str | None = None) -> NoReturn:
    """Parses the command line, calls `main` and exits.

    Flags may come before and after the positional arguments; `--flagfile=FILE` reads them from a
    file. `UsageError` and a wrong flag exit with 2, `DataError`, `OSError` and `MemoryError` with
    1, Ctrl-C with 130, SIGTERM with 143 and SIGHUP with 129, each with one line on stderr. Any
    other exception is a bug and keeps its traceback. The signals raise `KeyboardInterrupt` in
    `main`, so that what is removed after Ctrl-C is removed after them.

    Args:
        main: gets the positional arguments (without the program name) and returns the exit code;
            None means 0. The docstring of its module heads the help page.
        flag_module_help: name of the module whose flags `--help` lists; by default the module of
            `main`. (`--helpfull` lists all modules.)
    """
    program = _program_name(main.__module__)
    with _stopping_signals():
        code = _run(main, program, flag_module_help or main.__module__)
    _drop_what_cannot_be_written()
    sys.exit(code)


def refuse_positional(arguments: list[str]) -> None:
    """For programs that have flags alone.

    Raises:
        UsageError: there is an argument.
    """
    if arguments:
        raise UsageError(f"unexpected argument {arguments[0]!r}; everything is a flag")


def _run(main: Main, program: str, module_name: str) -> int:
    _write_any_name(sys.stdout)
    try:
        try:
            code = _help_or_main(main, program, module_name)
            sys.stdout.flush()  # here, so that a closed pipe is noticed while it can be handled
            return code
        except BrokenPipeError:
            return _BAD_DATA  # nobody reads any more (`… | head`): no reason for a message
    except flags.UnrecognizedFlagError as error:
        meant = did_you_mean(error.flagname, _names_of(module_name))
        message = f"Unknown command line flag {error.flagname!r}{meant}"
        return _report(program, f"{message} (see --help)", _BAD_USAGE)
    except (flags.Error, UsageError) as error:
        return _report(program, f"{_one_line(error)} (see --help)", _BAD_USAGE)
    except DataError as error:
        return _report(program, _one_line(error), _BAD_DATA)
    except OSError as error:
        return _report(program, _os_error_line(error), _BAD_DATA)
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        message = f"memory ran out{said}; end other programs, or ask for less at once"
        return _report(program, message, _BAD_DATA)
    except _Stopped as stop:
        return _report(program, f"stopped by {stop.signal.name}", 128 + stop.signal)
    except KeyboardInterrupt:
        return _report(program, "interrupted", _INTERRUPTED)


def _write_any_name(stream: Any) -> None:
    """Lets a file's name be printed whose bytes or letters the terminal does not know."""
    if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


class _Stopped(KeyboardInterrupt):
    """Raised where a signal other than Ctrl-C's arrives."""

    def __init__(self, number: signal.Signals):
        super().__init__()
        self.signal = number


@contextlib.contextmanager
def _stopping_signals() -> Iterator[None]:
    """Within it SIGTERM and SIGHUP raise `_Stopped`, unless whoever started the program objects.

    (`nohup` ignores SIGHUP, and it stays so.) Once one has arrived, both are ignored until the
    process has ended: `timeout` sends SIGTERM twice, and a closing terminal may send both.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
    replaced = [one for one in wanted if one and signal.getsignal(one) is signal.SIG_DFL]

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        for one in replaced:
            signal.signal(one, signal.SIG_IGN)
        _forget_half_made_objects()
        raise _Stopped(signal.Signals(number))

    def interrupt(number: int, frame: FrameType | None) -> None:
        _forget_half_made_objects()
        signal.default_int_handler(number, frame)

    is_pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for number in replaced:
        signal.signal(number, stop)
    if is_pythons:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        for number in replaced:
            if signal.getsignal(number) is stop:
                signal.signal(number, signal.SIG_DFL)
        if is_pythons:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _forget_half_made_objects() -> None:
    """Says nothing of destructors that fail from now on.

    A signal may arrive while an object is made, a progress bar for one. Python destroys what there
    is of it, and would print the traceback of its destructor.
    """
    sys.unraisablehook = lambda unraisable: None


def _help_or_main(main: Main, program: str, module_name: str) -> int:
    try:
        positional = _parse_command_line(program)
    except _HelpRequested as request:
        sys.stdout.write(_page(request.page, main, program, module_name))
        return _OK
    return main(positional) or _OK


class _HelpRequested(Exception):
    """Raised while flags are parsed: help must not ask for required flags."""

    def __init__(self, page: str):
        super().__init__()
        self.page = page


class _HelpFlag(flags.BooleanFlag):
    def __init__(self, name: str, text: str, page: str):
        super().__init__(name, False, text, allow_hide_cpp=True)
        self._page = page

    def parse(self, argument: str | bool) -> None:
        if self._parse(argument):
            raise _HelpRequested(self._page)


def _parse_command_line(program: str) -> list[str]:
    values = flags.FLAGS
    for name, (text, page) in _HELP_FLAGS.items():
        if name not in values:
            flags.DEFINE_flag(_HelpFlag(name, text, page), module_name=__name__)
    logging.use_absl_handler()
    logging.get_absl_handler().setFormatter(logging.PythonFormatter())
    positional = values([program, *sys.argv[1:]])[1:]
    if values["verbosity"].using_default_value:
        values["verbosity"].value = logging.INFO
    return positional


def _page(page: str, main: Main, program: str, module_name: str) -> str:
    if page == "version":
        return f"Bi-GANs-ST {VERSION}\n"
    heading = f"{_heading(main, program)}\n\nflags:\n"
    if page == "all":
        return f"{heading}{flags.FLAGS.get_help()}\n"
    own_flags = flags_of_module(module_name) or "  none of its own"
    return f"{heading}{own_flags}\n\nTry --helpfull for the flags of every module.\n"


def _names_of(module_name: str) -> list[str]:
    return [flag.name for flag in flags.FLAGS.get_key_flags_for_module(module_name)]


def _heading(main: Main, program: str) -> str:
    module = sys.modules.get(main.__module__)
    text = (getattr(module, "__doc__", None) or "").replace("%s", program).strip()
    return text or program


def _program_name(module: str) -> str:
    """`mr_srgan.train` for `python -m mr_srgan.train`, else the script's file name."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if module == "__main__" and spec is not None and spec.name:
        return spec.name.removesuffix(".__main__")
    return os.path.basename(sys.argv[0]) or "program"


def warnings_only() -> None:
    """Silences what is merely informative, TensorFlow's reports of saving for one.

    A warning is then a line like those of errors: "program: message". --verbosity=0 brings all
    messages back, each with its time and place.
    """
    if flags.FLAGS["verbosity"].using_default_value:
        logging.set_verbosity(logging.WARNING)
        caller = sys._getframe(1).f_globals["__name__"]
        logging.get_absl_handler().setFormatter(_OneLine(_program_name(caller)))


class _OneLine(standard_logging.Formatter):
    def __init__(self, program: str):
        super().__init__()
        self._program = program

    def format(self, record: standard_logging.LogRecord) -> str:
        return f"{self._program}: {' '.join(record.getMessage().split())}"


def command_line() -> str:
    """The command that started this program, as a person would type it again."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and spec.name:
        program = f"python -m {spec.name.removesuffix('.__main__')}"
    else:
        program = os.path.basename(sys.argv[0])
    return f"{program} {shlex.join(sys.argv[1:])}".rstrip()


def _report(program: str, message: str, code: int) -> int:
    sys.stderr.write(f"{program}: {in_one_line(in_flags(message, flags.FLAGS))}\n")
    return code


def _one_line(error: BaseException) -> str:
    return reason(error).removeprefix("ERROR:: ")


def _os_error_line(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return _one_line(error)
    return f"{error.filename}: {error.strerror}"


def _drop_what_cannot_be_written() -> None:
    # The interpreter flushes stdout once more at exit: what is left of a failed write would fail
    # again, with lines and an exit code of Python's.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
