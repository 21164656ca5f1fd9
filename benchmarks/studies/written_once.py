"""Counts in the source of a tree what shall be written once, and what is carried far.

Only the syntax is read: nothing is imported, so that any checkout can be counted. Tests do not
count, nor do docstrings and comments, which may say a number again; nor this study itself. Only
installed packages count for signatures, not the benchmarks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

_LEFT_OUT = ("tests", "build", "examples")
_NOT_INSTALLED = "benchmarks"
_THIS_STUDY = ("benchmarks/studies/house.py", "benchmarks/studies/written_once.py")

_DEFAULT_XI = re.compile(r"(?<![\d.])0\.73(?!\d)")

# The coefficients of Keys' polynomials, as they are and doubled.
_KEYS = ({1.5, 2.5}, {3, 5, 8})

# What red adds to the luma: full and studio swing, as they are and in thousandths.
_RED = {0.299, 299, 65.481, 65481}


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int


class Source(NamedTuple):
    """A module: its name, file (relative to the tree) and syntax."""

    module: str
    file: str
    syntax: ast.Module


def sources(tree: Path) -> list[Source]:
    """The modules of a tree's packages, but for tests."""
    found = []
    for path in sorted(tree.glob("*/**/*.py")):
        file = path.relative_to(tree)
        if file.parts[0] in _LEFT_OUT or any(part.startswith(".") for part in file.parts):
            continue
        if file.as_posix() in _THIS_STUDY:
            continue
        module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        found.append(Source(module, file.as_posix(), ast.parse(path.read_text(encoding="utf-8"))))
    return found


def signatures_with(name: str, tree: list[Source]) -> list[Place]:
    """Functions and methods of installed packages that have an argument of this name."""
    found = []
    for source in tree:
        if source.file.startswith(f"{_NOT_INSTALLED}/"):
            continue
        for node in ast.walk(source.syntax):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                arguments = (*given.posonlyargs, *given.args, *given.kwonlyargs)
                if any(argument.arg == name for argument in arguments):
                    found.append(Place(source.file, node.lineno))
    return found


def serving_names(tree: list[Source]) -> list[Place]:
    """Where the name of the signature that servers take is written."""
    return _constants(tree, lambda value: isinstance(value, str) and "serving_default" in value)


def default_xi(tree: list[Source]) -> list[Place]:
    """Where ξ = 0.73 is written, as a number or in a text."""
    return _constants(
        tree,
        lambda value: value == 0.73 or (isinstance(value, str) and bool(_DEFAULT_XI.search(value))),
    )


def luma_weights(tree: list[Source]) -> list[Place]:
    """Where BT.601's weight of red is written."""
    found = _constants(tree, lambda value: isinstance(value, int | float) and value in _RED)
    return sorted(found)


def keys_kernels(tree: list[Source]) -> list[Place]:
    """Functions that compute Keys' polynomials: cubes, and the coefficients."""
    found = []
    for source in tree:
        for node in ast.walk(source.syntax):
            if isinstance(node, ast.FunctionDef) and _is_keys_kernel(node):
                found.append(Place(source.file, node.lineno))
    return found


def imported_programs(tree: list[Source]) -> list[str]:
    """Modules with flags of their own that other modules import."""
    programs = {source.module for source in tree if _has_flags(source)}
    imported = {
        module
        for source in tree
        for module in _imports(source)
        if module != source.module and module in programs
    }
    return sorted(imported)


def _constants(tree: list[Source], is_one: Callable[[object], bool]) -> list[Place]:
    found = []
    for source in tree:
        documentation = set(_docstrings(source.syntax))
        for node in ast.walk(source.syntax):
            if isinstance(node, ast.Constant) and node not in documentation and is_one(node.value):
                found.append(Place(source.file, node.lineno))
    return found


def _docstrings(syntax: ast.Module) -> Iterator[ast.Constant]:
    """Texts that stand as statements."""
    for node in ast.walk(syntax):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _is_keys_kernel(function: ast.FunctionDef) -> bool:
    cubes = any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Pow)
        and isinstance(node.right, ast.Constant)
        and node.right.value == 3
        for node in ast.walk(function)
    )
    numbers = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
    return cubes and any(coefficients <= numbers for coefficients in _KEYS)


def _has_flags(source: Source) -> bool:
    # How programs get their flags is no program.
    if source.module.endswith((".dataclass_flags", ".entry_point")):
        return False
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            is_absl = node.func.attr.startswith("DEFINE_")
            is_ours = node.func.attr == "define" and ast.unparse(owner) == "dataclass_flags"
            if is_absl or is_ours:
                return True
    return False


def _imports(source: Source) -> Iterator[str]:
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
