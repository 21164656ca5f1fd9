"""The counts, on small trees that were counted by eye, and what they have to be on this one."""

from pathlib import Path

import pytest

from benchmarks.studies import written_once
from benchmarks.studies.written_once import Place, Source, sources


def drawn(root: Path, **files: str) -> list[Source]:
    for name, code in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return sources(root)


def test_signatures(tmp_path: Path) -> None:
    code = "class A:\n    def f(self, *, precision=1): ...\ndef g(precision, /): ...\ndef h(x): ..."
    tree = drawn(tmp_path, fusion__a=code, tests__b=code, benchmarks__c=code)
    found = written_once.signatures_with("precision", tree)
    assert found == [Place("fusion/a.py", 3), Place("fusion/a.py", 2)]


def test_docstrings_and_comments_do_not_count(tmp_path: Path) -> None:
    code = '"""0.73, serving_default."""\n# 0.73\nX = 10.73, 0.736, "10.73", "0.735"\n'
    tree = drawn(tmp_path, fusion__a=code)
    assert written_once.default_xi(tree) == written_once.serving_names(tree) == []


def test_numbers_and_texts(tmp_path: Path) -> None:
    code = 'A = 0.73\nB = "0.1,0.73"\nC = f"{A} is 0.73."\nD = "serving_default"\n'
    tree = drawn(tmp_path, fusion__a=code)
    assert [place.line for place in written_once.default_xi(tree)] == [1, 2, 3]
    assert [place.line for place in written_once.serving_names(tree)] == [4]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("1.5 * x**3 - 2.5 * x**2 + 1", 1),
        ("(3 * x**3 - 5 * x**2 + 2) / 2, -(x**3) + 5 * x**2 - 8 * x + 4", 1),
        ("1.5 * x**2 - 2.5 * x", 0),
        ("1.5 * x**3 - 2 * x**2", 0),
    ],
)
def test_keys_kernels(tmp_path: Path, body: str, count: int) -> None:
    tree = drawn(tmp_path, srgan__a=f"def f(x):\n    return {body}\n")
    assert len(written_once.keys_kernels(tree)) == count


def test_luma_weights(tmp_path: Path) -> None:
    tree = drawn(tmp_path, fusion__a="A = (0.299, 0.587, 0.114)\nB = 65481\nC = 2.99\n")
    assert [place.line for place in written_once.luma_weights(tree)] == [1, 2]


def test_programs_that_others_import(tmp_path: Path) -> None:
    flags = "from absl import flags\nX = flags.DEFINE_string('x', '', '')\n"
    ours = "from sr_program import dataclass_flags\ndataclass_flags.define(1)\n"
    tree = drawn(
        tmp_path,
        fusion__export=flags,
        fusion__run=ours,
        fusion__alone=flags,
        bigans__a="def f():\n    import fusion.export\n",
        bigans__b="from fusion import run\n",
        sr_program__dataclass_flags=flags,
        sr_program__entry_point="from sr_program import dataclass_flags\n",
    )
    assert written_once.imported_programs(tree) == ["fusion.export", "fusion.run"]


def test_this_tree(repository: Path) -> None:
    tree = sources(repository)
    assert [place.file for place in written_once.serving_names(tree)] == ["sr_program/contract.py"]
    assert [place.file for place in written_once.default_xi(tree)] == ["sr_program/contract.py"]
    assert [place.file for place in written_once.keys_kernels(tree)] == ["sr_images/keys_kernel.py"]
    assert [place.file for place in written_once.luma_weights(tree)] == ["sr_images/luma.py"]
