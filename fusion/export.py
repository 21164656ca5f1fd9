r"""Builds the fused SavedModel from the SavedModels of the two generators.

    python -m fusion.export --faithful=models/mr_srgan --vivid=models/wp_srgan/stage2 \
        --output=models/fused

writes models/fused/1. A generator is a SavedModel or a directory of numbered versions; `python -m
bigans.pretrained.export --output=models` writes the shipped ones. It may also be an ONNX file of
another program (--faithful=span_x4.onnx): RGB in, RGB out, sizes that may change, and the scale of
the other generator. A trial finds out which numbers it takes for black and white; --verbosity=0
tells them. This needs the extra onnx.

Formats other than SavedModel are for other runtimes. Their inputs xi and max_deviation have to be
given, as vectors of one value, or of one value for each image:

    --format=openvino   fused.xml and generators.xml; for `python -m bigans --model=DIR
                        --runtime=openvino` and for evaluation.run. A program of your own has to
                        compile them with INFERENCE_PRECISION_HINT=f32: left to itself, OpenVINO
                        computes in bfloat16 where the processor has it
    --format=onnx       fused.onnx and generators.onnx; the same with --runtime=onnx
    --format=litert     fused.tflite; its interpreter has to be told each new size of the inputs
                        (resize_tensor_input; a signature runner does it by itself)

Each has facts.json beside it: scale, radius, merge, precision, the weights' hash. OpenVINO and
ONNX Runtime can compute in int8, which is faster and less exact: --int8_photos=DIR names the photos
to measure ranges on.
"""

from __future__ import annotations

from typing import NoReturn

from absl import flags

from fusion.exporting import FORMATS, build
from sr_program import entry_point
from sr_program.errors import UsageError

# For whoever has not trained a generator.
_SHIPPED = "; `python -m bigans.pretrained.export --output=models` writes the shipped generators"


def cli_main() -> NoReturn:
    """Runs the command."""
    flags.DEFINE_string(
        "faithful", None, "SavedModel of the faithful generator (MR-SRGAN), or an ONNX file."
    )
    flags.DEFINE_string(
        "vivid", None, "SavedModel of the vivid generator (WP-SRGAN, stage 2), or an ONNX file."
    )
    flags.DEFINE_string("output", None, "Directory of the fused model; it goes to OUTPUT/1.")
    flags.DEFINE_enum(
        "threshold",
        "joint",
        ["joint", "per_channel", "luma"],
        "What xi is a quantile of: |delta| over all channels, over each channel separately, or of "
        "its luma with the channels of a pixel moved together (keeps the hue).",
    )
    flags.DEFINE_enum(
        "delta",
        "as_read",
        ["as_read", "as_printed"],
        "Sign of delta in Eq. (9): faithful - vivid, or vivid - faithful as the paper prints it "
        "(moves away from the faithful image; no max_deviation).",
    )
    flags.DEFINE_enum(
        "format",
        "saved_model",
        list(FORMATS),
        "For TensorFlow, ONNX Runtime, OpenVINO or LiteRT; each but the first needs the extra of "
        "its name: pip install 'bi-gans-st[openvino]'.",
    )
    flags.DEFINE_string(
        "int8_photos",
        None,
        "With --format=openvino or onnx: compute in int8, with ranges measured on the photos in "
        "this folder, which should be like those to be enlarged. Needs the extra onnx.",
    )
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    values = flags.FLAGS
    entry_point.refuse_positional(positional)
    for name in ("faithful", "vivid", "output"):
        if not values[name].value:
            where_from = "" if name == "output" else _SHIPPED
            raise UsageError(f"--{name}=DIR is missing{where_from}")
    entry_point.warnings_only()
    path = build(
        values.faithful,
        values.vivid,
        values.output,
        threshold=values.threshold,
        delta=values.delta,
        format=values.format,
        int8_photos=values.int8_photos,
    )
    print(path)


if __name__ == "__main__":
    cli_main()
