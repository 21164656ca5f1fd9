"""Enlarges a photo on a server of TensorFlow Serving.

    python -m bigans.serving.client photo.jpg --output=photo_x4.png --xi=0.5 --server=HOST:8500
    python -m bigans.serving.client photo.jpg --output=photo_x4.png --server=HOST:8501 --rest

A photo that is too large for one request goes as overlapping tiles, and xi stays that of the whole
photo. `python -m bigans --model=server:HOST:8500` does the same with all the options of bigans;
this program can also set a deadline, a version and TLS.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from absl import flags

from bigans.models.server.calls import DEFAULT_NAME, Server
from bigans.serving.one_photo import enlarge_file
from sr_program import entry_point
from sr_program.contract import DEFAULT_XI
from sr_program.errors import UsageError


def cli_main() -> NoReturn:
    """Runs the command."""
    flags.DEFINE_string("server", "localhost:8500", "HOST:PORT, or http(s)://HOST:PORT for REST.")
    flags.DEFINE_bool("rest", False, "Use REST; the address has the REST port, usually 8501.")
    flags.DEFINE_string("output", None, "The result; its suffix names the format.")
    flags.DEFINE_float("xi", None, f"0: the faithful image, 1: the vivid one; else {DEFAULT_XI}.")
    flags.DEFINE_float("max_deviation", None, "Grey levels, instead of xi.")
    flags.DEFINE_string("name", DEFAULT_NAME, "Name of the model on the server.")
    flags.DEFINE_integer("model_version", None, "Version of the model; by default the latest.")
    flags.DEFINE_string("label", None, "Label of a version, such as stable or canary.")
    flags.DEFINE_float("deadline", 60.0, "Seconds for a request with all its attempts.")
    flags.DEFINE_string("root_certificates", None, "PEM file for TLS.")
    flags.DEFINE_float("max_message_mb", 2000.0, "Largest size of an answer, in 10^6 bytes.")
    entry_point.run(_main)


def _main(positional: list[str]) -> None:
    values = flags.FLAGS
    if len(positional) != 1 or not values.output:
        raise UsageError("name one photo, and --output=FILE")
    entry_point.warnings_only()
    address = values.server
    if values.rest and "://" not in address:
        address = f"{'https' if values.root_certificates else 'http'}://{address}"
    trusted = values.root_certificates
    server = Server(
        address,
        name=values.name,
        version=values.model_version,
        label=values.label,
        deadline=values.deadline,
        root_certificates=None if trusted is None else Path(trusted),
        max_message_mb=values.max_message_mb,
    )
    enlarge_file(server, positional[0], values.output, values.xi, values.max_deviation)
    print(values.output)


if __name__ == "__main__":
    cli_main()
