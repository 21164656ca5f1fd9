"""Hook of MkDocs: documents beside their code are pages of the site too.

The README, the model card and their like stand where readers of the repository look for them, and
their links lead to files of the repository. The site keeps one copy: `PAGES` names the documents
that join, under their paths in the repository, and links are turned so that they fit. A link to a
file that is no page, as to code, becomes its words alone.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bigans/pretrained/MODEL_CARD.md",
    "configs/README.md",
    "examples/README.md",
    "mr_srgan/README.md",
    "tests/README.md",
    "wp_srgan/README.md",
)

_DOCS = "docs/"
# [words](target) and ![words](target), where the target is a path and not an address.
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:)([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the documents of `PAGES`.

    Args:
        files: Those of docs/.
        config: Of the site.

    Returns:
        The files, with the documents among them.
    """
    root = Path(config.docs_dir).parent
    for name in PAGES:
        files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links of a page.

    Args:
        markdown: Its text.
        page: Whose place decides where its links start.
        config: Of the site.
        files: What links may lead to.

    Returns:
        The text, whose links lead to pages of the site.
    """
    place = page.file.src_uri
    source = place if place in PAGES else _DOCS + place
    known = {file.src_uri for file in files}
    return _LINK.sub(lambda link: turned(link, source, place, known), markdown)


def turned(link: re.Match[str], source: str, place: str, known: set[str]) -> str:
    """A link as the site has it.

    Args:
        link: A match of a link.
        source: The document's path in the repository.
        place: Its path in the site.
        known: The paths of all files of the site.

    Returns:
        The link to the same file, or its words where the site has no such file.
    """
    picture, words, target, anchor = link[1], link[2], link[3], link[4] or ""
    if not target:
        return link[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    inside = path.removeprefix(_DOCS)
    if inside not in known:
        return words
    relative = posixpath.relpath(inside, str(PurePosixPath(place).parent))
    return f"{picture}[{words}]({relative}{anchor})"
