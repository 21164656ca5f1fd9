import dataclasses
import json
from pathlib import Path

import pytest

from sr_program.errors import DataError
from sr_program.model_facts import FACTS_FILE, ModelFacts, hash_of_parts, read_facts, write_facts

FACTS = [
    ModelFacts(scale=4, radius=60, weights="5f", generator="mr_srgan"),
    ModelFacts(scale=2, radius=None, precision="bfloat16", version=None),
    ModelFacts(scale=4, radius=0, precision="int8", threshold="luma", delta="as_printed"),
]


@pytest.mark.parametrize("facts", FACTS)
def test_what_is_written_is_read(tmp_path: Path, facts: ModelFacts) -> None:
    write_facts(tmp_path, facts)
    assert read_facts(tmp_path) == facts
    assert facts.is_fused == (facts.threshold is not None)


def test_the_file_is_plain(tmp_path: Path) -> None:
    write_facts(tmp_path, FACTS[0])
    assert json.loads((tmp_path / "facts.json").read_text()) == {
        "scale": 4, "radius": 60, "precision": "float32", "weights": "5f", "version": "0.1.0",
        "generator": "mr_srgan", "threshold": None, "delta": "as_read",
    }  # fmt: skip


def test_no_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path) is None


def test_facts_of_a_later_version_may_hold_more(tmp_path: Path) -> None:
    known = dataclasses.asdict(FACTS[0])
    (tmp_path / FACTS_FILE).write_text(json.dumps({**known, "noise": "grain"}))
    assert read_facts(tmp_path) == FACTS[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", "{}", '{"scale": "4"}', '{"scale": 0}', '{"scale": 4.5}',
        '{"scale": true}', '{"scale": 4, "radius": -1}', '{"scale": 4, "threshold": "odd"}',
        '{"scale": 4, "delta": null}', '{"scale": 4, "precision": "half"}',
        '{"scale": 4, "threshold": ["joint"]}',
    ],
)  # fmt: skip
def test_damaged_facts_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FACTS_FILE).write_text(text)
    with pytest.raises(
        DataError, match=r"facts.json: is damaged .*export the model again"
    ) as caught:
        read_facts(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_hash_of_parts_knows_their_order() -> None:
    assert hash_of_parts("a", "b") != hash_of_parts("b", "a")
    assert hash_of_parts("ab", "c") != hash_of_parts("a", "bc")
