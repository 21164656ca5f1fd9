"""Every command that the documents show has the flags that they show."""

import concurrent.futures
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_documents import OF_OTHERS, documents

# The programs that setup.py installs.
PROGRAMS = {
    "bigans-batch": "bigans.batch",
    "bigans-fuse": "fusion.export",
    "bigans-page": "bigans.demo",
    "bigans-upscale": "bigans",
    "mr-srgan-export": "mr_srgan.export",
    "mr-srgan-train": "mr_srgan.train",
    "wp-srgan-export": "wp_srgan.export",
    "wp-srgan-train": "wp_srgan.train",
}
COMMAND = re.compile(
    rf"(?:python -m ([\w.]+)|\b({'|'.join(PROGRAMS)})\b)" r"((?:[^\n|;&#`]|\n(?!\n))*)"
)
FLAG = re.compile(r"(?<![\w-])--([a-z]\w*)")
# What they say was so when it was written.
LOGS = {"training-log.md", "performance-log.md", "CHANGELOG.md"}
# Flags of absl itself.
EVERYWHERE = {"flagfile", "help", "helpfull", "version", "verbosity"}


def commands(text: str) -> Iterator[tuple[str, set[str]]]:
    """The module and the flags of each command in a document.

    A command ends with its line, unless that ends with a backslash; within backticks with these.
    """
    text = re.sub(r"\\\n", " ", text)
    fenced = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    blocks = [line for block in fenced.findall(text) for line in block.splitlines()]
    text = fenced.sub("", text)
    blocks += re.findall(r"^(?: {4}|\t)(.*)$", text, re.MULTILINE)
    blocks += re.findall(r"`([^`]+)`", re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE))
    for block in blocks:
        for module, program, rest in COMMAND.findall(block):
            yield module or PROGRAMS[program], set(FLAG.findall(rest))


def flags_of(module: str) -> set[str]:
    """What a program says in its help."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--helpfull"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, (module, done.stderr)
    found = re.findall(r"^\s*(?:-\w,)?--(\[no\])?(\w+):", done.stdout, re.MULTILINE)
    names = {name for _, name in found}
    return names | {f"no{name}" for negated, name in found if negated}


@pytest.mark.slow
def test_the_flags_of_all_commands_exist(repository: Path) -> None:
    shown: dict[str, dict[str, set[str]]] = {}
    for document in documents(repository):
        if document.name not in LOGS:
            for module, flags in commands(document.read_text(encoding="utf-8")):
                shown.setdefault(module, {}).setdefault(document.name, set()).update(flags)
    modules = sorted(module for module in shown if module not in OF_OTHERS)
    assert len(modules) > 30
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        known = dict(zip(modules, pool.map(flags_of, modules), strict=True))
    wrong = [
        f"{document}: python -m {module} has no --{flag}"
        for module in modules
        for document, flags in shown[module].items()
        for flag in sorted(flags - known[module] - EVERYWHERE)
    ]
    assert wrong == []


def test_commands_are_found() -> None:
    text = """
Words, and `python -m one.two --a=1
--nob` with `bigans-upscale x --xi=0.5` and --other.

    python -m three --c=2 \\
        --d=3   # comment --e
    D=--f; python -m four $D --g && python -m five --h

```sh
python -m six --i=4
--j
```
"""
    assert list(commands(text)) == [
        *[("six", {"i"}), ("three", {"c", "d"}), ("four", {"g"}), ("five", {"h"})],
        *[("one.two", {"a", "nob"}), ("bigans", {"xi"})],
    ]


def test_flags_are_read_from_a_programs_help() -> None:
    found = flags_of("evaluation.sheets")
    assert {"benchmarks", "data_dir", "output"} <= found and "no_such" not in found
