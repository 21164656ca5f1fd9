"""Imports go downward only. The rules are checked on this tree and proven on bad ones."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# From the bottom up; packages of one row do not know of each other.
LAYERS = (
    ("sr_program",),
    ("sr_images",),
    ("sr_data",),
    ("srgan",),
    ("mr_srgan", "wp_srgan"),
    ("fusion",),
    ("bigans",),
    ("evaluation",),
    ("benchmarks",),
)
HEIGHT = {package: height for height, row in enumerate(LAYERS) for package in row}
BRANCHES = ("mr_srgan", "wp_srgan")

# The rooms of a package from the bottom up. What lies beside them, as a package's config, is free.
ROOMS = {
    "srgan": ("layers", "vgg", "losses", "steps", "runs"),
    "bigans": ("pretrained", "models", "upscaler", "serving", "batch", "demo"),
    "evaluation": ("metrics", "methods", "scoring", "reports"),
}

# The only room above the bridge that knows the branches, and what it may take from them.
PRETRAINED = "bigans/pretrained"
PRETRAINED_MAY_IMPORT = {
    f"{branch}.{module}" for branch in BRANCHES for module in ("branch", "config")
}

# They load SavedModels, which need no Keras.
WITHOUT_KERAS = ("fusion", "bigans", "evaluation")

# The programs: they alone may define or read flags.
ENTRY_POINTS = ("train.py", "export.py", "run.py", "client.py", "__main__.py")
FLAG_MODULES = ("absl.flags", "absl.app", "sr_program.dataclass_flags")


class Import(NamedTuple):
    file: Path  # relative to the root
    line: int
    module: str
    at_import_time: bool  # neither inside a function nor under `if TYPE_CHECKING`


def imports_of(root: Path, file: Path) -> Iterator[Import]:
    """All imports of a file; `from package import module` counts as `import package.module`."""
    yield from _visit(ast.parse(file.read_text(encoding="utf-8")), root, file, True)


def _visit(node: ast.AST, root: Path, file: Path, at_import_time: bool) -> Iterator[Import]:
    relative = file.relative_to(root)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(relative, child.lineno, alias.name, at_import_time)
        elif isinstance(child, ast.ImportFrom):
            for module in _modules_of_from(child, root, relative):
                yield Import(relative, child.lineno, module, at_import_time)
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _visit(child, root, file, at_import_time and not inside)
        else:
            yield from _visit(child, root, file, False)


def _modules_of_from(node: ast.ImportFrom, root: Path, relative: Path) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        package = relative.parent.parts
        base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
    for alias in node.names:
        path = root.joinpath(*base.split("."), alias.name)
        is_module = path.with_suffix(".py").is_file() or path.is_dir()
        yield f"{base}.{alias.name}" if is_module or base == "absl" else base


def all_imports(root: Path) -> list[Import]:
    files = [file for package in HEIGHT for file in sorted((root / package).rglob("*.py"))]
    return [one for file in files for one in imports_of(root, file)]


def violations(root: Path) -> list[str]:
    """What breaks the rules, one line each."""
    imports = all_imports(root)
    rules = (_goes_upward, _climbs_within, _reaches_a_branch, _takes_keras, _reads_flags)
    found = [
        f"{one.file}:{one.line} imports {one.module}: {reason}"
        for one in imports
        for rule in rules
        if (reason := rule(one))
    ]
    return found + _imports_a_program(root, imports) + _keras_at_import_time(root, imports)


def defines_flags(file: Path) -> bool:
    """Whether a module is a program: it calls absl's DEFINE_…, or has flags made of dataclasses."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.startswith(("flags.DEFINE_", "absl.flags.DEFINE_", "DEFINE_")):
                return True
            if called in ("dataclass_flags.define", "entry_point.run", "app.run"):
                return True
    return False


def _imports_a_program(root: Path, imports: list[Import]) -> list[str]:
    """Modules that import one with flags, at any time: a program takes values and calls a library.

    sr_program, which makes flags for others, is no program. One may import itself, as what workers
    shall find under its own name.
    """
    files = [
        file
        for package in HEIGHT
        if package != "sr_program"
        for file in sorted((root / package).rglob("*.py"))
        if defines_flags(file)
    ]
    programs = {_module_name(file.relative_to(root)) for file in files}
    return [
        f"{one.file}:{one.line} imports {one.module}: it is a program, with flags of its own"
        for one in imports
        if one.module in programs and one.module != _module_name(one.file)
    ]


def _top(module: str) -> str:
    return module.split(".")[0]


def _goes_upward(one: Import) -> str | None:
    package, imported = one.file.parts[0], _top(one.module)
    if imported == package or imported not in HEIGHT:
        return None
    if HEIGHT[imported] >= HEIGHT[package]:
        return f"{imported} is not below {package}"
    return None


def _climbs_within(one: Import) -> str | None:
    package, *inside = one.file.with_suffix("").parts
    imported, *target = one.module.split(".")
    rooms = ROOMS.get(package, ())
    if imported != package or not target or inside[0] not in rooms or target[0] not in rooms:
        return None
    if rooms.index(target[0]) > rooms.index(inside[0]):
        return f"{package}.{target[0]} is not below {package}.{inside[0]}"
    return None


def _reaches_a_branch(one: Import) -> str | None:
    package, imported = one.file.parts[0], _top(one.module)
    if imported not in BRANCHES or package in (*BRANCHES, "benchmarks"):
        return None
    if one.file.as_posix().startswith(PRETRAINED) and one.module in PRETRAINED_MAY_IMPORT:
        return None
    return "above the bridge, branches are known by their SavedModels only"


def _takes_keras(one: Import) -> str | None:
    if one.file.parts[0] in WITHOUT_KERAS and _top(one.module) == "keras":
        return "SavedModels are loaded without Keras"
    return None


def _reads_flags(one: Import) -> str | None:
    if one.module not in FLAG_MODULES or one.file.name in ENTRY_POINTS:
        return None
    # sr_program is how entry points get their flags; a benchmark is a program.
    return (
        None
        if one.file.parts[0] in ("sr_program", "benchmarks")
        else "only entry points have flags"
    )


def _keras_at_import_time(root: Path, imports: list[Import]) -> list[str]:
    """Modules of WITHOUT_KERAS that load Keras through another module of ours."""
    needs: dict[str, set[str]] = {}
    for one in imports:
        if one.at_import_time:
            needs.setdefault(_module_name(one.file), set()).add(one.module)
    found = []
    for package in WITHOUT_KERAS:
        for file in sorted((root / package).rglob("*.py")):
            reached, todo = set(), [_module_name(file.relative_to(root))]
            while todo:
                module = todo.pop()
                if module not in reached:
                    reached.add(module)
                    todo.extend(needs.get(module, ()))
            if any(_top(module) == "keras" for module in reached):
                found.append(f"{file.relative_to(root)} loads Keras through what it imports")
    return found


def _module_name(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def test_this_tree_keeps_the_rules(repository: Path) -> None:
    assert all_imports(repository), "found no imports at all"
    assert violations(repository) == []


def test_every_package_has_a_layer(repository: Path) -> None:
    packages = {file.parent.name for file in repository.glob("*/__init__.py")}
    assert packages <= HEIGHT.keys()


@pytest.mark.parametrize(
    ("file", "code", "complaint"),
    [
        ("sr_data/patches.py", "import srgan.losses.equations", "srgan is not below sr_data"),
        ("sr_data/patches.py", "def f():\n    from srgan import losses", "not below sr_data"),
        ("mr_srgan/gan.py", "from wp_srgan.config import X", "wp_srgan is not below mr_srgan"),
        (
            "bigans/upscaler/tiles/tiling.py",
            "import evaluation.tables",
            "evaluation is not below bigans",
        ),
        ("fusion/x.py", "if TYPE_CHECKING:\n    import bigans", "not below fusion"),
        ("bigans/models/x.py", "from bigans.upscaler import y", "not below bigans.models"),
        ("srgan/layers/x.py", "import srgan.runs.weights", "not below srgan.layers"),
        ("fusion/export.py", "from mr_srgan.config import X", "branches are known by"),
        ("bigans/pretrained/saved_models.py", "import mr_srgan.generator", "branches are known by"),
        (
            "bigans/pretrained/saved_models.py",
            "from wp_srgan import generator",
            "branches are known by",
        ),
        ("bigans/upscaler/upscaler.py", "import wp_srgan.export", "branches are known by"),
        ("bigans/upscaler/upscaler.py", "def f():\n    import keras", "without Keras"),
        ("fusion/fused_model.py", "from keras import ops", "without Keras"),
        ("evaluation/run.py", "import keras", "without Keras"),
        ("fusion/fused_model.py", "import srgan.layers.prelu", "loads Keras through"),
        ("srgan/losses/equations.py", "from absl import flags", "only entry points have flags"),
        (
            "srgan/losses/equations.py",
            "from absl.flags import FLAGS",
            "only entry points have flags",
        ),
        (
            "srgan/runs/training.py",
            "from sr_program import dataclass_flags",
            "only entry points have flags",
        ),
        ("mr_srgan/gan.py", "from ..bigans import upscaler", "bigans is not below mr_srgan"),
        ("bigans/models/x.py", "from fusion.export import build", "it is a program"),
        ("bigans/models/x.py", "def f():\n    from fusion import export", "it is a program"),
        ("bigans/pretrained/saved_models.py", "import mr_srgan.export", "it is a program"),
        ("mr_srgan/gan.py", "from mr_srgan.train import DEFAULTS", "it is a program"),
        ("benchmarks/x.py", "from benchmarks.peers import rival", "it is a program"),
    ],
)
def test_a_bad_import_is_found(tmp_path: Path, file: str, code: str, complaint: str) -> None:
    _write_good_tree(tmp_path)
    assert violations(tmp_path) == []
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(code)
    found = violations(tmp_path)
    assert any(line.startswith(file) and complaint in line for line in found), found


def _write_good_tree(root: Path) -> None:
    tree = {
        "sr_program/entry_point.py": "from absl import flags",
        "sr_program/dataclass_flags.py": "from absl import flags",
        "mr_srgan/train.py": "from sr_program import dataclass_flags\ndataclass_flags.define()",
        "sr_data/patches.py": "import keras\nfrom sr_program import entry_point",
        "srgan/losses/equations.py": "from keras import ops",
        "srgan/layers/prelu.py": "import keras",
        "mr_srgan/config.py": "import dataclasses",
        "mr_srgan/gan.py": "from srgan import losses\nfrom . import config",
        "mr_srgan/export.py": "from absl import flags\nflags.DEFINE_string()\nimport mr_srgan.gan",
        "mr_srgan/generator.py": "from srgan.layers import prelu",
        "wp_srgan/config.py": "",
        "wp_srgan/generator.py": "",
        "wp_srgan/export.py": "from absl import flags",
        "fusion/export.py": "from absl import flags\nflags.DEFINE_enum()\nimport fusion.modes",
        "fusion/modes.py": "import tensorflow as tf",
        "fusion/fused_model.py": "def f():\n    from sr_data import patches",
        "bigans/pretrained/saved_models.py": "import mr_srgan.branch, wp_srgan.config",
        "bigans/upscaler/upscaler.py": "from bigans.pretrained.saved_models import f",
        "bigans/upscaler/tiles/tiling.py": "import numpy as np",
        "evaluation/tables.py": "",
        "evaluation/run.py": "from absl import app",
        "benchmarks/peers/rival.py": "flags.DEFINE_bool()\nfrom benchmarks.peers import rival",
    }
    for name, code in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
