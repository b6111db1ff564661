"""CSV: a file of text, read cell by cell as it stands there."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import gzip
import lzma
import warnings
from typing import IO, TYPE_CHECKING, Any

from ekiben.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

_SEPARATORS = (",", ";", "\t", "|")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def read_csv(path: Path) -> pd.DataFrame:
    """Return a CSV file as a table.

    A column is read as numbers or booleans if every cell is plainly that (`ekiben.fit.cells`). What was done is in
    `attrs["said"]` of the table: sentences, by the name of the column.

    Raises:
        TableError: It is not UTF-8, two columns have one name, or a line has too many or too few cells.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and only needed once the file is known to be there

    from ekiben.fit.cells import plain  # noqa: PLC0415 - as above

    try:
        separator, names = _head(path)
        texts = _texts(path, separator, names)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        if "EOF inside string" not in str(error):
            _check_lengths(path, separator, len(names))
        raise TableError(f"{path} cannot be read as CSV: {str(error).strip()}") from error
    except (pd.errors.EmptyDataError, csv.Error, EOFError, OSError) as error:
        raise TableError(f"{path} cannot be read as CSV: {str(error).strip()}") from error
    if (
        len(texts) and (texts[len(names) - 1] == "").any()
    ):  # a short line looks like one whose last cell is empty
        _check_lengths(path, separator, len(names))
    said: dict[str, list[str]] = {}
    columns = {}
    for place, name in enumerate(names):
        columns[name], said[name] = plain(texts[place].rename(name), decimal_comma=separator == ";")
    frame = pd.DataFrame(columns)
    frame.attrs["said"] = {name: sentences for name, sentences in said.items() if sentences}
    return frame


def _head(path: Path) -> tuple[str, list[str]]:
    """Return the separator, which is what cuts the line of names into the most pieces, and the names as they are."""
    import pandas as pd  # noqa: PLC0415 - as above; it opens compressed files by their ending

    heads = {}
    for separator in _SEPARATORS:
        head = pd.read_csv(
            path, sep=separator, encoding="utf-8-sig", header=None, nrows=1, dtype=str, na_filter=False
        )
        heads[separator] = [str(name) for name in head.iloc[0]]
    separator = max(heads, key=lambda each: len(heads[each]))
    names = heads[separator]
    if any("\0" in name for name in names):
        raise TableError(f"{path} is not UTF-8 text but looks like UTF-16: {_advice(path, 'utf-16')}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise TableError(f"{path} has several columns called {twice!r}: give each its own name")
    return separator, names


def _texts(path: Path, separator: str, names: list[str]) -> pd.DataFrame:
    """Return the cells as text, columns by their places."""
    import pandas as pd  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        # pandas would cut off what stands beyond the last name, and only warn.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=separator,
            encoding="utf-8-sig",
            header=0,
            names=list(range(len(names))),
            dtype=str,
            na_filter=False,
            index_col=False,
        )


def _not_utf8(path: Path, error: UnicodeDecodeError) -> TableError:
    with path.open("rb") as file:
        begin = file.read(2)
    if begin in _UTF_16 or error.object[:2] in _UTF_16:
        return TableError(f"{path} is UTF-16, not UTF-8: {_advice(path, 'utf-16')}")
    wrong = f"byte {error.start} is 0x{error.object[error.start]:02x}"
    return TableError(f"{path} is not UTF-8 text ({wrong}): {_advice(path, 'latin1')}")


def _advice(path: Path, encoding: str) -> str:
    return (
        "write it as UTF-8, for example with "
        f"`iconv -f {encoding} -t utf-8 {path} > {path.name.partition('.')[0]}-utf8.csv`"
    )


def _check_lengths(path: Path, separator: str, expected: int) -> None:
    """Check that each line has as many cells as there are names.

    Raises:
        TableError: One has more or fewer; it says which.
    """
    for line, cells in _lines(path, separator):
        if len(cells) != expected and any(cell.strip() for cell in cells):
            more = "more" if len(cells) > expected else "fewer"
            raise TableError(
                f"{path}, line {line}: {len(cells)} cells, {more} cells than the {expected} names in the first line; "
                "put a cell that holds the separator into quotes, and leave out none"
            )


def _lines(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row and the line that it begins in."""
    opener = _OPENERS.get(path.suffix.lower(), open)
    if path.suffix.lower() == ".zst":
        return
    with opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=separator)
        begin = 1
        with contextlib.suppress(csv.Error):  # a cell longer than that module takes
            for cells in rows:
                yield begin, cells
                begin = rows.line_num + 1
