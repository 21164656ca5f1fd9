"""The documentation builds as a site without a warning, and its links lead where they did."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("mkdocs", reason="pip install mkdocs-material 'mkdocstrings[python]'")


@pytest.fixture(scope="module")
def built(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, subprocess_environment: dict
) -> Path:
    """The site, from the command of `make docs`."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, env=subprocess_environment
    )
    assert done.returncode == 0, done.stderr  # strict: true in mkdocs.yml
    assert not re.search("^WARNING", done.stderr, re.M)
    return site


def test_the_home_page_is_the_readme(built: Path, repository: Path) -> None:
    text = (built / "index.html").read_text(encoding="utf-8")
    for heading in re.findall(r"^## (.*)$", (repository / "README.md").read_text("utf-8"), re.M):
        assert heading.split()[0] in text


def test_each_link_leads_to_a_file_and_its_heading(built: Path) -> None:
    broken = []
    for page in built.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"(?:href|src)=\"([^\"]+)\"", text):
            if re.match(r"[a-z]+:|//", link) or page.name == "404.html":
                continue
            file, _, heading = link.partition("#")
            target = (page.parent / unquote(file)).resolve() if file else page
            if not target.is_file() or (
                heading and target.suffix == ".html" and not names(target, unquote(heading))
            ):
                broken.append(f"{page.relative_to(built)}: {link}")
    assert broken == []


def names(page: Path, heading: str) -> bool:
    return f'id="{heading}"' in page.read_text(encoding="utf-8")


def test_the_reference_shows_what_the_code_says(built: Path) -> None:
    from bigans import Upscaler

    text = (built / "reference" / "bigans.html").read_text(encoding="utf-8")
    summary = str(Upscaler.__doc__).splitlines()[0]
    assert summary.split("`")[0].strip(" .") in text
    for name in ("from_pretrained", "to_file"):
        assert f"Upscaler.{name}" in text


def test_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    for page in built.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link)[^>]+(?:src|href)=\"(https?:[^\"]+)\"", page.read_text("utf-8")
        )
        assert loaded == [], page


@pytest.fixture(scope="module")
def site_pages(repository: Path) -> Any:
    path = repository / "docs" / "site_pages.py"
    spec = importlib.util.spec_from_file_location("site_pages", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "place", "link", "expected"),
    [
        ("README.md", "README.md", "[a](docs/guide/x.md#h)", "[a](guide/x.md#h)"),
        ("README.md", "README.md", "![a](docs/images/a.png)", "![a](images/a.png)"),
        ("docs/guide/x.md", "guide/x.md", "[a](../../README.md)", "[a](../README.md)"),
        ("docs/guide/x.md", "guide/x.md", "[a](../../fusion/code.py)", "a"),
        ("docs/guide/x.md", "guide/x.md", "[`a`](#h)", "[`a`](#h)"),
        ("docs/guide/x.md", "guide/x.md", "[a](https://a.org/x)", "[a](https://a.org/x)"),
    ],
)
def test_how_a_link_is_turned(
    site_pages: Any, source: str, place: str, link: str, expected: str
) -> None:
    known = {"README.md", "guide/x.md", "images/a.png"}
    turned = site_pages._LINK.sub(lambda m: site_pages.turned(m, source, place, known), link)
    assert turned == expected
