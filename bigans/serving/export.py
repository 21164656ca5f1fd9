"""Writes the next version of the model for TensorFlow Serving.

    python -m bigans.serving.export --output=models/bi_gans_st

writes models/bi_gans_st/1, then 2 and so on, each by one rename: a server that watches the folder
loads it within a second. By default it is the shipped model; --faithful=DIR --vivid=DIR are two
generators of your own, --model=DIR is a fused model.

Every request is checked by the graph, and images of any size up to --max_pixels are cut into tiles
there. docs/serving.md has the signatures and the server's command line.
"""

from __future__ import annotations

import re
from typing import NoReturn

from absl import flags

from bigans.models.names import of_pair
from bigans.pretrained.pairs import DEFAULT_PAIR, PAIRS, WEIGHTS_HELP
from bigans.serving.exporting import DEFAULT_SIZES, ToServe, export
from bigans.serving.limits import Limits
from sr_program import entry_point
from sr_program.errors import UsageError

_LIMITS = Limits()


def cli_main() -> NoReturn:
    """Runs the command."""
    flags.DEFINE_string("output", None, "Folder of the model; its versions are numbers.")
    flags.DEFINE_string("model", "pretrained", "pretrained, or DIR of a fused model.")
    flags.DEFINE_enum("weights", DEFAULT_PAIR, PAIRS, WEIGHTS_HELP)
    flags.DEFINE_string("faithful", None, "SavedModel of the faithful generator (MR-SRGAN).")
    flags.DEFINE_string("vivid", None, "SavedModel of the vivid generator (WP-SRGAN, stage 2).")
    flags.DEFINE_integer("version", None, "Number of the version; by default the next one.")
    flags.DEFINE_enum(
        "precision",
        None,
        ["float32", "bfloat16", "auto"],
        "What the shipped model computes in; float32 if left out.",
    )
    flags.DEFINE_integer(
        "max_pixels", _LIMITS.max_pixels, "Most LR pixels of a request's images together."
    )
    flags.DEFINE_integer("tile", _LIMITS.tile, "Side of a tile, LR pixels.")
    flags.DEFINE_integer("overlap", _LIMITS.overlap, "LR pixels that tiles share at each side.")
    flags.DEFINE_list(
        "warmup_sizes",
        [f"{height}x{width}" for height, width in DEFAULT_SIZES],
        "Heights x widths, LR pixels, that a server tries before it is ready; empty: none.",
    )
    flags.DEFINE_string("cache_dir", None, "Where the shipped model is built and kept.")
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    values = flags.FLAGS
    entry_point.refuse_positional(positional)
    if not values.output:
        raise UsageError("--output=DIR is missing")
    given = bool(values["weights"].present)
    if given and (values.faithful or values.vivid):
        raise UsageError("--weights has no effect beside --faithful and --vivid; leave it out")
    entry_point.warnings_only()
    path = export(
        values.output,
        ToServe(
            model=of_pair(values.model, values.weights, given=given),
            faithful=values.faithful,
            vivid=values.vivid,
            precision=values.precision,
            cache_dir=values.cache_dir,
        ),
        version=values.version,
        limits=Limits(values.max_pixels, values.tile, values.overlap),
        warm_up_sizes=[_size(text) for text in values.warmup_sizes if text],
    )
    print(path)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", text)
    if found is None:
        raise UsageError(f"--warmup_sizes: {text!r} is no size; write HEIGHTxWIDTH, as 64x64")
    return int(found[1]), int(found[2])


if __name__ == "__main__":
    cli_main()
