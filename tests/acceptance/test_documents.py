"""What the documents point to is there: files, headings, modules, recipes."""

import re
import subprocess
from pathlib import Path

import pytest

LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
MODULE = re.compile(r"python -m ([\w.]+)")
RECIPE = re.compile(r"--flagfile=(configs/\S+\.cfg)")
OF_OTHERS = {"pip", "pytest", "venv"}


def documents(root: Path) -> list[Path]:
    """The Markdown files of the repository, without what a build or an environment holds."""
    skipped = {".venv", "build", "dist", "runs", "models", "upscaled"}
    found = root.rglob("*.md")
    return [path for path in found if not skipped & set(path.relative_to(root).parts[:1])]


def anchor(heading: str) -> str:
    """What a heading is called in a link, as GitHub has it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def broken(root: Path) -> list[str]:
    """What the documents name and is not there, a line each."""
    found = []
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {link}" for link in LINK.findall(text) if not leads(path, link)]
        for module in set(MODULE.findall(text)) - OF_OTHERS:
            place = root / module.replace(".", "/")
            if not (place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()):
                found.append(f"{path.name}: python -m {module}")
        found += [
            f"{path.name}: {one}" for one in RECIPE.findall(text) if not (root / one).is_file()
        ]
    return found


def leads(document: Path, link: str) -> bool:
    """Whether a link leads to a file and, if it names one, to a heading of it."""
    file, _, heading = link.partition("#")
    target = document.parent / file if file else document
    if not target.exists() or not heading:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in map(anchor, headings)


def test_the_documents_point_to_what_is_there(repository: Path) -> None:
    assert len(documents(repository)) > 10
    assert broken(repository) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[a](missing.md)", "missing.md"),
        ("[a](#no-such)", "#no-such"),
        ("run `python -m no_such.module`", "python -m no_such.module"),
        ("`--flagfile=configs/none.cfg`", "configs/none.cfg"),
    ],
)
def test_what_is_missing_is_found(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "a.md").write_text("# One, two\n[one](#one-two) [web](https://example.org)\n")
    assert broken(tmp_path) == []
    (tmp_path / "b.md").write_text(text)
    assert broken(tmp_path) == [f"b.md: {complaint}"]


def test_the_picture_of_the_readme_is_small(repository: Path) -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (repository / "README.md").read_text("utf-8"))
    assert pictures
    for picture in pictures:
        assert (repository / picture).stat().st_size < 300_000


def test_no_help_of_make_is_missing(repository: Path) -> None:
    text = (repository / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()) - {"help"}
    done = subprocess.run(
        ["make", "-C", str(repository), "help"], capture_output=True, text=True, check=True
    )
    assert targets == set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE))
