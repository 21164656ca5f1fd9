"""The notebook runs from top to bottom and shows what its words say."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="pip install nbclient ipykernel")


@pytest.fixture(scope="module")
def outputs(repository: Path, subprocess_environment: dict[str, str]) -> list[list[Any]]:
    """What each cell of code gives, run anew."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(repository / "examples" / "quickstart.ipynb", as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(repository / "examples")}},
    )
    client.execute(env=subprocess_environment)
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def printed(of_cell: list[Any]) -> str:
    return "".join(
        one.text for one in of_cell if one.output_type == "stream" and one.name == "stdout"
    )


@pytest.mark.slow
def test_the_notebook(outputs: list[list[Any]]) -> None:
    pictures = sum("image/png" in one.get("data", {}) for of_cell in outputs for one in of_cell)
    assert pictures == 4
    assert "at most 8 grey levels" in printed(outputs[2])
    curve = [line.split() for line in printed(outputs[3]).splitlines()]
    rmse, detail = ([float(line[i]) for line in curve] for i in (4, 6))
    assert rmse == sorted(rmse) and detail == sorted(detail)
    first, last = printed(outputs[4]).split("from ")[1].split(" to ")
    assert float(last) < float(first)
