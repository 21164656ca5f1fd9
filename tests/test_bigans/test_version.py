"""What the program says of itself agrees with what pip says of it."""

import ast
from pathlib import Path

import bigans


def test_the_version_is_that_of_setup(repository: Path) -> None:
    tree = ast.parse((repository / "setup.py").read_text(encoding="utf-8"))
    stated = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert bigans.__version__ == stated["VERSION"]
