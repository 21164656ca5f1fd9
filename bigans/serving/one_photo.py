"""One photo file, enlarged on a server."""

from __future__ import annotations

import os

from bigans.models.served_model import ServedModel
from bigans.models.server.calls import Server
from sr_program.errors import UsageError


def enlarge_file(
    server: Server,
    photo: str | os.PathLike[str],
    output: str | os.PathLike[str],
    xi: float | None = None,
    max_deviation: float | None = None,
) -> None:
    """Reads a photo, has it enlarged and writes the result, whole or not at all.

    Args:
        server: Where the model is.
        photo: A file of any format that is read here.
        output: The result; its suffix names the format.
        xi: ξ in [0, 1]; 0.73 if left out.
        max_deviation: Grey levels, instead of ξ.

    Raises:
        DataError: The photo cannot be read, or the server refuses or does not answer.
        UsageError: The arguments do not go together.
    """
    from bigans.upscaler.enlarging import Enlarging
    from bigans.upscaler.upscaler import Upscaler
    from sr_images.encoding import Encoding, format_to_write
    from sr_images.pictures_in import read_picture

    if xi is not None and max_deviation is not None:
        raise UsageError("name xi or max_deviation, not both")
    try:
        enlarging = Enlarging(xi=xi, max_deviation=max_deviation)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if os.path.exists(output) and os.path.samefile(photo, output):
        raise UsageError(f"output={os.fspath(output)} is the photo itself; name another file")
    format_to_write(output, Encoding())  # before anything is asked of the server
    picture = read_picture(photo)
    model = ServedModel(server)
    try:
        Upscaler.of_model(model).to_file(picture, output, enlarging=enlarging)
    finally:
        model.close()
