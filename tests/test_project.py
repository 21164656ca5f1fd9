"""The descriptions of the project (setup.py, BUILD, requirements) agree with its code."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

# The packages of the wheel. (benchmarks is a package of the tree, not of the wheel.)
NOT_INSTALLED = ("tests", "benchmarks")

# Distributions whose module has another name.
MODULE_OF = {
    "ai-edge-litert": "ai_edge_litert",
    "absl-py": "absl",
    "array-record": "array_record",
    "apache-beam": "apache_beam",
    "grpcio": "grpc",
    "importlib-resources": "importlib_resources",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "pillow-jxl-plugin": "pillow_jxl",
    "protobuf": "google",
    "scikit-image": "skimage",
    "stlpips-pytorch": "stlpips_pytorch",
    "tensorboardx": "tensorboardX",
    "tensorflow-datasets": "tensorflow_datasets",
}


def packages_of(root: Path) -> set[str]:
    found = {file.parent.name for file in root.glob("*/__init__.py")}
    return found - set(NOT_INSTALLED)


def imported_by(folder: Path) -> set[str]:
    """Top-level names of all modules that the files of a folder import."""
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").split(".")[0])
    return names - {folder.name}


def py_libraries(build_file: Path) -> dict[str, dict[str, Any]]:
    """The arguments of every py_library, by its name. A BUILD file parses as Python."""
    libraries = {}
    for node in ast.walk(ast.parse(build_file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "py_library":
            arguments = {str(keyword.arg): keyword.value for keyword in node.keywords}
            name = ast.literal_eval(arguments.pop("name"))
            libraries[name] = arguments
    return libraries


def setup_constant(root: Path, name: str) -> Any:
    for node in ast.parse((root / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"setup.py has no {name}")


# Extras of setup.py that parts of the program import where they are installed.
OPTIONAL = (
    *("batch", "dask", "data", "datasets", "demo", "heic", "jax", "jxl", "litert", "lpips", "onnx"),
    "openvino",
    *("serving", "stlpips"),
)


def distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match.group().lower()


def requirements_in(file: Path) -> set[str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line and not line.startswith(("#", "-"))}


def test_build_has_a_library_for_every_package(repository: Path) -> None:
    assert set(py_libraries(repository / "BUILD")) == packages_of(repository)


def test_build_deps_are_the_real_imports(repository: Path) -> None:
    packages = packages_of(repository)
    stated, real = {}, {}
    for name, arguments in py_libraries(repository / "BUILD").items():
        deps = ast.literal_eval(arguments["deps"]) if "deps" in arguments else []
        stated[name] = deps
        real[name] = [f":{used}" for used in sorted(imported_by(repository / name) & packages)]
    assert stated == real


def test_build_takes_the_sources_of_its_package(repository: Path) -> None:
    for name, arguments in py_libraries(repository / "BUILD").items():
        assert ast.unparse(arguments["srcs"]) == f"glob(['{name}/**/*.py'])"


def test_the_wheel_holds_the_code_and_its_data(repository: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"  # setuptools writes into the tree that it builds
    tree.mkdir()
    packages = packages_of(repository)
    for package in (*packages, *NOT_INSTALLED):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(repository / package, tree / package, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "LICENSE"):
        shutil.copy(repository / name, tree)
    weights = tree / "bigans" / "pretrained" / "weights"
    weights.mkdir(exist_ok=True)
    (weights / "any.weights.h5").touch()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(tree)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {path for package in packages for path in (tree / package).rglob("*.py")}
    wanted |= {path for path in weights.iterdir() if path.is_file()}
    wanted.update((tree / "bigans" / "demo" / "static").iterdir())
    wanted.add(tree / "bigans" / "pretrained" / "MODEL_CARD.md")
    wanted |= {tree / package / "py.typed" for package in ("bigans", "sr_images", "sr_program")}
    builders = [path for path in (tree / "sr_data" / "builders").rglob("*") if path.is_file()]
    assert {path.suffix for path in builders} == {".bib", ".md", ".py", ".tsv", ".txt"}
    wanted.update(builders)
    assert held == {path.relative_to(tree).as_posix() for path in wanted}


def test_console_scripts_exist(repository: Path) -> None:
    for script in setup_constant(repository, "ENTRY_POINTS")["console_scripts"]:
        module, function = script.split(" = ")[1].split(":")
        file = repository / (module.replace(".", "/") + ".py")
        assert file.is_file(), script
        body = ast.parse(file.read_text(encoding="utf-8")).body
        assert function in {node.name for node in body if isinstance(node, ast.FunctionDef)}, script


def test_setup_requires_what_the_packages_import(repository: Path) -> None:
    required = {distribution(line) for line in setup_constant(repository, "REQUIRES")}
    extras = setup_constant(repository, "EXTRAS")
    optional = {distribution(line) for name in OPTIONAL for line in extras[name]}
    required |= optional
    modules = {MODULE_OF.get(name, name) for name in required}
    packages = packages_of(repository)
    imported = set().union(*(imported_by(repository / name) for name in packages))
    assert imported - packages - set(sys.stdlib_module_names) - modules == set()
    # The other way round: nothing is required in vain. (h5py: Keras reads weights with it.)
    needed = modules - {MODULE_OF.get(name, name) for name in optional} - {"h5py"}
    assert needed <= imported


def test_requirements_are_those_of_setup(repository: Path) -> None:
    extras = setup_constant(repository, "EXTRAS")
    runtime = {*setup_constant(repository, "REQUIRES"), *extras["sample"]}
    stated = requirements_in(repository / "requirements.in")
    setuptools = {line for line in stated if distribution(line) == "setuptools"}
    tensorflow = {line for line in stated if line.startswith("tensorflow")}
    assert {line.split(";")[0].replace("-cpu", "") for line in tensorflow} <= runtime
    assert stated - tensorflow - setuptools <= runtime
    assert {line.split(";")[0].replace("-cpu", "") for line in stated - setuptools} == runtime
    assert requirements_in(repository / "requirements-dev.in") == {*extras["test"]} - runtime


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-demo"])
def test_lock_file(repository: Path, name: str) -> None:
    lock = (repository / f"{name}.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)(?:\[[a-z]+\])?==(\S+)", lock, re.MULTILINE)
    locked = {name for name, _ in pinned}
    wanted = requirements_in(repository / f"{name}.in")
    assert {distribution(line) for line in wanted} <= locked
    assert lock.count("--hash=sha256:") >= len(pinned)
    # Nothing of the machine or the index that it was made with.
    assert not re.search(r"://|--(extra-)?index-url|--find-links|(^|\s)/\w", lock)


def test_the_page_is_tested_with_the_ranges_of_setup(repository: Path) -> None:
    extras = setup_constant(repository, "EXTRAS")
    known = {*setup_constant(repository, "REQUIRES"), *extras["demo"], *extras["test"]}
    stated = requirements_in(repository / "requirements-demo.in")
    assert set(extras["demo"]) <= stated
    assert {line for line in stated - known if distribution(line) != "playwright"} == set()


def test_dev_lock_extends_the_other(repository: Path) -> None:
    pins = [
        set(re.findall(r"^[a-z0-9-]+==\S+", (repository / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]


def test_each_extra_is_installed_by_the_weekly_workflow(repository: Path) -> None:
    text = (repository / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"extra: \[([^\]]*)\]", text)
    assert set(listed.split(", ")) == set(setup_constant(repository, "EXTRAS")) - {"test"}


def test_what_extras_need(repository: Path) -> None:
    """`make extras` installs it beside TensorFlow's build for CPUs, which must stay."""

    def run(*extras: str) -> subprocess.CompletedProcess:
        command = [sys.executable, repository / ".ci" / "extra_requirements", *extras]
        return subprocess.run(command, capture_output=True, text=True)

    done = run("onnx,openvino")
    names = [re.split(r"[<>=~\[]", line)[0] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert names == ["onnx", "onnxruntime", "tf2onnx", "openvino"]
    for extras, told in ((("warp,onnx",), "no extra warp; "), ((",",), "no extra is named; ")):
        wrong = run(*extras)
        assert wrong.returncode == 1 and wrong.stdout == ""
        assert wrong.stderr.startswith(f"make: {told}EXTRAS= is a list of these") and (
            wrong.stderr.count("\n") == 1
        )
