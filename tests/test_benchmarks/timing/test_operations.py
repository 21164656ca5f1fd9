"""The profile of the fused graph: oneDNN's log by hand, and a real one."""

import dataclasses

import pytest

from benchmarks.timing import operations as module
from benchmarks.timing.operations import DEFAULTS, Operation, parse, report, runs, table
from sr_program.errors import DataError, UsageError

HEAD = "onednn_verbose,v1,primitive,exec,cpu,"
SUM = (
    HEAD + "convolution,brg_conv_fwd:avx512_core_bf16,forward_training,"
    "src:bf16::blocked:acdb::f0 wei:bf16:ap:blocked:AcdB64a2b::f0,"
    "attr-scratchpad:user attr-post-ops:sum,alg:convolution_direct,"
    "mb2_ic64oc32_ih10oh8kh3sh1dh0ph0_iw11ow9kw5sw1dw0pw1,2.5"
)
PLAIN = SUM.replace("attr-scratchpad:user attr-post-ops:sum", "attr-scratchpad:user")
REORDER = HEAD + "reorder,jit:uni,undef,src:f32 dst:f32,,,64x64x3x3,0.25"


def test_a_convolution_is_counted():
    flops = 2 * 2 * (8 * 9) * (64 * 32) * (3 * 5)
    title = "convolution 3x5, 64 → 32, at 8x9"
    assert parse(PLAIN) == Operation(title, 0.0025, flops)
    assert parse(SUM + "\n") == Operation(f"{title}, and a sum", 0.0025, flops)


def test_other_lines():
    assert parse(REORDER) == Operation("reorder", 0.00025, 0)
    for line in ("", "hello, world", HEAD, SUM.replace("exec", "create:cache_miss"), SUM[1:]):
        assert parse(line) is None


def test_only_what_lies_within_a_run_counts():
    start, end = module._START, module._END
    lines = [SUM, start, SUM, "noise", REORDER, f"{end} 0.5", SUM, start, f"{end} 0.25", start, SUM]
    found = runs(lines)
    assert [(wall, len(operations)) for wall, operations in found] == [(0.5, 2), (0.25, 0)]


def test_the_table_by_hand():
    found = [Operation("a", 0.002, 4_000_000), Operation("b", 0.001, 0), Operation("a", 0.002, 0)]
    assert table(0.01, found, 4e9)[2:] == [
        "| everything else |  | 5.0 | 50.0% | | |",
        "| a | 2 | 4.0 | 40.0% | 1 | 0.25 |",
        "| b | 1 | 1.0 | 10.0% | | |",
    ]


def test_the_report_finds_the_networks(call_program, capsys, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")  # on processors without AVX512, too
    text = report(dataclasses.replace(DEFAULTS, size=16, repetitions=1))
    rows = {
        row[0]: row
        for row in ([c.strip() for c in line.split("|")[1:]] for line in text.splitlines()[2:])
    }
    body = [
        row for title, row in rows.items() if title.startswith("convolution 3x3, 64 → 64, at 16x16")
    ]
    # WP-SRGAN: 16 ResBlocks of two and the trunk's; MR-SRGAN: 7 of 4 ResBlocks and the trunk's.
    assert sum(int(row[1]) for row in body) == (2 * 16 + 1) + (2 * 28 + 1)
    assert "everything else" in rows and rows["convolution 1x5, 256 → 60, at 32x32"][1] == "1"
    assert call_program(module.cli_main, "more") == 2
    assert "unexpected argument 'more'" in capsys.readouterr().err


def test_without_onednns_convolutions(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    with pytest.raises(DataError, match="oneDNN reports no convolution: .*TF_ENABLE_ONEDNN_OPTS=1"):
        report(dataclasses.replace(DEFAULTS, size=16, repetitions=1))


@pytest.mark.parametrize("change", [{"size": 4}, {"size": 301}, {"repetitions": 0}])
def test_wrong_flags(change):
    with pytest.raises(UsageError, match="--size"):
        report(dataclasses.replace(DEFAULTS, **change))


def test_a_child_that_fails_is_one_line(monkeypatch):
    monkeypatch.setenv("BIGANS_CACHE", "/dev/null/none")
    with pytest.raises(DataError, match="^the profiled process failed: .*none"):
        report(dataclasses.replace(DEFAULTS, size=16, repetitions=1))
