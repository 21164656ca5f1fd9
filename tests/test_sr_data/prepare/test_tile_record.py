import struct

import numpy as np
import pytest

from sr_data.prepare.tile_record import decode_tile, encode_tile

HR = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
LR = np.random.default_rng(1).integers(0, 256, (2, 3, 3), dtype=np.uint8)


def test_the_bytes_are_the_documented_ones():
    expected = b"SRT1" + struct.pack("<II", 7, 70000) + struct.pack("<HH", 2, 3)
    expected += bytes(HR.ravel().tolist()) + bytes(LR.ravel().tolist())
    assert encode_tile(7, 70000, HR, LR) == expected


def test_pixels_come_back():
    # slices of a photo are not contiguous
    record = encode_tile(7, 5, np.repeat(HR, 2, axis=1)[:, ::2], LR)
    hr, lr = decode_tile(record, 7, 5, 2, 3)
    np.testing.assert_array_equal(hr, HR)
    np.testing.assert_array_equal(lr, LR)
    assert not hr.flags.writeable


@pytest.mark.parametrize("expected", [(8, 5, 2, 3), (7, 4, 2, 3), (7, 5, 3, 2), (7, 5, 2, 4)])
def test_another_record_is_refused(expected):
    record = encode_tile(7, 5, HR, LR)
    with pytest.raises(ValueError, match="another record where tile"):
        decode_tile(record, *expected)


def test_cut_off_and_longer_records_are_refused():
    record = encode_tile(7, 5, HR, LR)
    for wrong in (record[:-1], record + b"\0", b"", b"SRT2" + record[4:]):
        with pytest.raises(ValueError, match="another record"):
            decode_tile(wrong, 7, 5, 2, 3)


def test_wrong_arrays():
    for hr, lr in ((HR[:4], LR), (HR, LR[..., :1]), (HR.view(np.int8), LR)):
        with pytest.raises(ValueError):
            encode_tile(0, 0, hr, lr)  # pyright: ignore[reportArgumentType]
