"""What is said where a photo needs more memory than there is."""

from sr_program.errors import DataError


def out_of_memory(height: int, width: int) -> DataError:
    """The error to raise for a photo, or a tile, of so many LR pixels."""
    return DataError(
        f"memory ran out on {width}x{height} pixels; give a smaller memory_mb, which "
        "makes smaller tiles, or end other programs"
    )
