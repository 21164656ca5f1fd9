from benchmarks.timing.inference_targets import (
    OURS,
    OURS_16,
    PLAIN,
    Variant,
    section,
    targets_table,
    times_table,
)

CEILINGS = {"float32": 200e9, "bfloat16": 400e9}
OPENVINO = Variant("OpenVINO", "plain", "float32")


def test_times_by_hand():
    table = times_table(
        {OURS: 1.0, OURS_16: 0.5, PLAIN: 2.0},
        dict.fromkeys((OURS, OURS_16, PLAIN), 70.0),
        100e9,
        CEILINGS,
    )
    assert table[2:] == [
        "| TensorFlow, ours float32 | 1.000 | 0.50 | 100 | 0.50 | 70.0 |",
        "| TensorFlow, ours bfloat16 | 0.500 | 0.25 | 200 | 0.50 | 70.0 |",
        "| TensorFlow, plain float32 | 2.000 | 1.00 | 50 | 0.25 | 70.0 |",
    ]


def test_int8_has_no_ceiling_and_no_bar():
    int8 = Variant("OpenVINO", "ours", "int8")
    table = times_table({int8: 0.25, PLAIN: 2.0}, {int8: 55.0, PLAIN: 70.0}, 100e9, CEILINGS)
    assert table[2] == "| OpenVINO, ours int8 | 0.250 | 0.12 | 400 |  | 55.0 |"
    targets = targets_table({int8: 0.1, OURS: 0.9, PLAIN: 1.2}, 190e9, CEILINGS)
    assert targets[2] == "| TensorFlow: ours float32 / plain float32 | 0.75 | ≤ 0.80 | met |"


def test_bars_by_hand():
    seconds = {OURS: 0.9, PLAIN: 1.2, OPENVINO: 1.0, OURS_16: 0.5}
    assert targets_table(seconds, 190e9, CEILINGS)[2:] == [
        "| TensorFlow: ours float32 / plain float32 | 0.75 | ≤ 0.80 | met |",
        "| TensorFlow: ours bfloat16 / plain float32 | 0.42 | ≤ 0.42 | met |",
        "| best runtime: ours / fastest peer, float32 | 0.90 | ≤ 0.85 | missed |",
        "| best runtime: share of the ceiling, float32 | 1.06 | ≥ 0.90 | met |",
        "| best runtime: share of the ceiling, bfloat16 | 0.95 | ≥ 1.00 | missed |",
    ]


def test_what_took_too_much_memory_is_named_and_left_out():
    seconds, apart = {OURS: 0.9, PLAIN: 1.2}, dict.fromkeys((OURS, PLAIN, OPENVINO), 70.0)
    _, ceilings, *tables = section(
        "8x8", {**seconds, OPENVINO: float("inf")}, apart, 190e9, CEILINGS
    )
    assert ceilings.endswith(
        "200 in float32, 400 in bfloat16. Memory ran out with OpenVINO, plain float32."
    )
    assert tables == section("8x8", seconds, apart, 190e9, CEILINGS)[2:]
