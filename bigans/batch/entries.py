"""What photos a batch has: a pattern, a folder, a list or a table; listed one folder at a time.

photos/**/*.jpg     files that match; also s3://bucket/photos/**/*.jpg
photos              the pictures of a folder and of those inside
@list.txt           a line a photo
photos.parquet      a table with a column of paths, and xi of each if it has one; also .csv
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import re
from collections.abc import Iterator
from typing import Any

from fsspec.core import has_magic
from fsspec.utils import glob_translate

from bigans.batch.store import Place, open_place
from sr_images.formats import READABLE_SUFFIXES
from sr_program.errors import DataError, UsageError, reason

# The first of them that a table has is its column of paths.
PATH_COLUMNS = ("path", "input", "file", "filename", "url")
XI_COLUMN = "xi"

_TABLES = (".csv", ".parquet")
_ROWS_AT_ONCE = 1_000


@dataclasses.dataclass(frozen=True)
class Entry:
    """A photo.

    Attributes:
        address: Path or address.
        relative: Its path inside of what was listed: the result's, but for suffix and end.
        xi: Its own; None: that of all.
        problem: Why it cannot be worked on.
    """

    address: str
    relative: str
    xi: float | None = None
    problem: str = ""


def entries(argument: str, left_out: Place | None = None) -> Iterator[Entry]:
    """Lists photos.

    Args:
        argument: As above.
        left_out: A folder that is not looked into: that of the results.

    Raises:
        UsageError: The argument makes no sense.
        DataError: A list or table cannot be read, or there is no such folder.
    """
    return map(_readable, _found(argument, left_out))


def _readable(entry: Entry) -> Entry:
    """The entry; with a problem if lists and tables cannot hold its name, which is no UTF-8."""
    shown = entry.address.encode("utf-8", "backslashreplace").decode()
    if shown == entry.address:
        return entry
    return Entry(shown, "", problem=f"{shown}: its name is not UTF-8; rename it")


def _found(argument: str, left_out: Place | None) -> Iterator[Entry]:
    if not argument:
        raise UsageError("input= is missing: a pattern, a folder, @LIST or a table of paths")
    if argument.startswith("@"):
        yield from _of_list(open_place(argument[1:]))
        return
    place = open_place(argument)
    if has_magic(place.path) and not (place.is_local and place.exists()):
        yield from _matching(place, left_out)
    elif place.path.lower().endswith(_TABLES):
        yield from _of_table(place)
    elif place.is_folder():
        yield from _in_folder(place, left_out)
    elif place.exists():
        yield Entry(str(place), place.path.rpartition("/")[2])
    else:
        raise DataError(f"{argument}: no such file or folder")


def _matching(place: Place, left_out: Place | None) -> Iterator[Entry]:
    fixed = re.split(r"[*?\[]", place.path, maxsplit=1)[0].rpartition("/")[0]
    root = dataclasses.replace(place, path=fixed or "/")
    if place.is_local and not root.exists():
        raise DataError(f"{root}: no such folder")
    matches = re.compile(glob_translate(place.path)).match
    deepest = None if "**" in place.path else place.path.count("/") - fixed.count("/")
    for path in _walk(root, left_out, deepest):
        if matches(path):
            yield _entry(root, path)


def _in_folder(root: Place, left_out: Place | None) -> Iterator[Entry]:
    for path in _walk(root, left_out, None):
        if path.lower().endswith(READABLE_SUFFIXES):
            yield _entry(root, path)


def _entry(root: Place, path: str) -> Entry:
    inside = path[len(root.path.rstrip("/")) + 1 :]
    return Entry(str(dataclasses.replace(root, path=path)), inside)


def _walk(root: Place, left_out: Place | None, deepest: int | None) -> Iterator[str]:
    """Files, a folder at a time in the order of names; neither hidden ones nor the results."""
    hidden = left_out.path.rstrip("/") if left_out and left_out.system == root.system else None
    todo = [(root.path, 1)]
    while todo:
        folder, depth = todo.pop()
        try:
            found = root.call(root.system.ls, folder, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            continue
        folders: list[tuple[str, int]] = []
        for one in sorted(found, key=lambda info: info["name"]):
            path = one["name"].rstrip("/")
            if path.rpartition("/")[2].startswith(".") or path == hidden:
                continue
            if one["type"] == "directory":
                if deepest is None or depth < deepest:
                    folders.append((path, depth + 1))
            elif path != folder.rstrip("/"):
                yield path
        root.system.dircache.pop(folder, None)
        todo += reversed(folders)


def _of_list(place: Place) -> Iterator[Entry]:
    for line in _lines(place):
        address = line.rstrip("\r\n")
        if address:
            yield _listed(address, place)


def _of_table(place: Place) -> Iterator[Entry]:
    rows = _of_parquet(place) if place.path.lower().endswith(".parquet") else _of_csv(place)
    for address, xi in rows:
        if not isinstance(address, str) or not address:
            yield Entry(repr(address), "", problem=f"{place}: a row without a path")
        else:
            entry = _listed(address, place)
            try:
                yield dataclasses.replace(entry, xi=_xi(xi))
            except ValueError:
                yield dataclasses.replace(
                    entry, problem=f"{address}: xi is {xi!r} in {place}; it must lie in [0, 1]"
                )


def _xi(value: Any) -> float | None:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(value)
    return number


def _listed(address: str, place: Place) -> Entry:
    """An entry of a list or table; paths without a root are beside it."""
    if "://" in address:
        inside = address.partition("://")[2]
    elif address.startswith("/"):
        inside = address
    else:
        address, inside = str(place.parent / address), address
    parts = [part.replace(":", "_") for part in re.split(r"[/\\]+", inside)]
    return Entry(address, "/".join(part for part in parts if part not in ("", ".", "..")))


def _lines(place: Place) -> Iterator[str]:
    try:
        with place.call(place.system.open, place.path, "rb") as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: is not a text in UTF-8; save it as such") from error
    except OSError as error:
        raise DataError(f"{place}: {reason(error)}") from error


def _of_csv(place: Place) -> Iterator[tuple[Any, Any]]:
    try:
        reader = csv.DictReader(_lines(place))
        column = _path_column(place, list(reader.fieldnames or ()))
        for row in reader:
            yield row[column], row.get(XI_COLUMN)
    except csv.Error as error:
        raise DataError(f"{place}: is damaged ({error})") from error


def _of_parquet(place: Place) -> Iterator[tuple[Any, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with place.call(place.system.open, place.path, "rb") as file:
            table = parquet.ParquetFile(file)
            names = list(table.schema_arrow.names)
            column = _path_column(place, names)
            wanted = [column, XI_COLUMN] if XI_COLUMN in names else [column]
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                for row in batch.to_pylist():
                    yield row[column], row.get(XI_COLUMN)
    except pyarrow.ArrowException as error:
        raise DataError(f"{place}: is no Parquet file, or damaged ({reason(error)})") from error
    except OSError as error:
        raise DataError(f"{place}: {reason(error)}") from error


def _path_column(place: Place, names: list[str]) -> str:
    for name in PATH_COLUMNS:
        if name in names:
            return name
    raise DataError(
        f"{place}: has no column of paths; name one of its columns ({', '.join(names[:5])}) path"
    )
