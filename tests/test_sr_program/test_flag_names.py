import pytest

from sr_program.flag_names import in_flags

FLAGS = {"memory_mb", "model", "runtime", "xi"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("memory_mb=500 is too little", "--memory_mb=500 is too little"),
        ("give a smaller memory_mb, or end", "give a smaller --memory_mb, or end"),
        ("choose runtime=openvino", "choose --runtime=openvino"),
        ("xi must lie in [0, 1]", "xi must lie in [0, 1]"),  # may be a word
        ("the model of model=a", "the model of --model=a"),
        ("--model=a is unknown", "--model=a is unknown"),
        ("cache_dir has no effect", "cache_dir has no effect"),  # no flag of this program
        ("a/model=3/x: damaged", "a/model=3/x: damaged"),
        ("my-model=3: damaged", "my-model=3: damaged"),
        ("runs/memory_mb/a.png: damaged", "runs/memory_mb/a.png: damaged"),
        ("memory_mb/a.png: damaged", "memory_mb/a.png: damaged"),
    ],
)
def test_arguments_become_flags(message: str, expected: str) -> None:
    assert in_flags(message, FLAGS) == expected
